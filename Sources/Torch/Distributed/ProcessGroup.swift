import CTorch
import Foundation
import Synchronization

/// The processes that train one network together, each on its part of every batch (c10d over Gloo and NCCL).
///
/// A process belongs to one group at most. Batch normalisation, ``crossEntropy(_:labels:classWeights:ignored:total:)``
/// and ``allReducedGradients(of:withRespectTo:)`` look at ``current`` and compute what one process would on all parts
/// together. All processes must call these in the same order. A process alone has no group, and nothing changes for it.
public struct ProcessGroup: Sendable {
    /// How a process finds the others.
    public struct Rendezvous: Sendable, Equatable {
        /// The host of the key-value store by which the processes find each other.
        public var host: String
        /// The store's port.
        public var port: Int
        /// Whether rank 0 opens the store; else the launcher has done so.
        public var opensStore: Bool
        /// Whether all processes are on this machine: the store is then open to this machine alone.
        public var isOneMachine: Bool
        /// Separates one launch from the others in a store that outlives them.
        public var prefix: String
        /// This process's number, from 0.
        public var rank: Int
        /// Number of processes.
        public var size: Int
        /// Seconds to wait for a process to appear, and for a heartbeat of one that has.
        public var heartbeatTimeout: Double
        /// Seconds after which a process that takes no part in a collective counts as hanging.
        public var timeout: Double

        /// A rendezvous of `size` processes.
        public init(
            host: String, port: Int, opensStore: Bool = true, isOneMachine: Bool = true, prefix: String = "",
            rank: Int, size: Int, heartbeatTimeout: Double = 60, timeout: Double = 600
        ) {
            self.host = host
            self.port = port
            self.opensStore = opensStore
            self.isOneMachine = isOneMachine
            self.prefix = prefix
            self.rank = rank
            self.size = size
            self.heartbeatTimeout = heartbeatTimeout
            self.timeout = timeout
        }
    }

    /// This process's number, from 0; rank 0 is the one that writes and tells.
    public let rank: Int
    /// Number of processes.
    public let size: Int

    /// The group of this process; nil for a process alone.
    public static var current: ProcessGroup? {
        let size = ProcessGroup.size
        return size > 1 ? ProcessGroup(rank: Int(ct_group_rank()), size: size) : nil
    }

    /// Number of processes that compute together with this one, itself included.
    public static var size: Int { Int(ct_group_size()) }

    /// Whether this build has process groups: it needs Gloo's headers.
    public static var isAvailable: Bool {
        Engine.need()
        return ct_group_is_available()
    }

    /// Whether this process writes and tells: rank 0, or a process alone.
    public static var isLeader: Bool { ct_group_rank() == 0 }

    /// Meets the other processes.
    ///
    /// From then on a process that dies, hangs or is cut off ends the others by ``Engine/onFailure(_:)``.
    ///
    /// - Throws: ``TorchError`` that names the rank which did not appear, or the port that is taken.
    public static func join(_ rendezvous: Rendezvous) throws(TorchError) -> ProcessGroup? {
        guard rendezvous.size > 1 else { return nil }
        let status = rendezvous.host.withCString { host in
            rendezvous.prefix.withCString { prefix in
                let options = ct_group_options(
                    host: host, port: Int32(clamping: rendezvous.port),
                    opens_store: rendezvous.opensStore && rendezvous.rank == 0, one_machine: rendezvous.isOneMachine,
                    prefix: prefix, rank: Int32(clamping: rendezvous.rank), size: Int32(clamping: rendezvous.size),
                    heartbeat_timeout_seconds: rendezvous.heartbeatTimeout, timeout_seconds: rendezvous.timeout)
                return ct_group_join(options) { line in
                    Engine.fail(
                        EngineFailure(
                            operation: "group", reason: String(cString: line), isOutOfMemory: false, isPeerLost: true))
                }
            }
        }
        guard status == CT_OK else { throw TorchError(Engine.lastError) }
        return current
    }

    /// Selects the backend for CUDA tensors, by the devices of all processes.
    ///
    /// It is NCCL where each process has a GPU of its own, else Gloo by way of main memory. All processes must call it, at
    /// the same place; the first call decides for the group.
    public func selectBackend(for device: Device) {
        Engine.run("select backend", ct_group_select_backend(device.kind.code, Int32(device.index)))
    }

    /// The backend that reduces tensors on a kind of device: `NCCL`, `Gloo` or `shared memory`.
    public func backend(for kind: Device.Kind) -> String { String(cString: ct_group_backend(kind.code)) }

    /// Runs an all-reduce by NCCL on a GPU, in a group of this process alone.
    ///
    /// - Throws: ``TorchError`` that says why NCCL cannot be used.
    public static func checkNCCL(on device: Device) throws(TorchError) {
        guard ct_nccl_check(Int32(device.index)) == CT_OK else { throw TorchError(Engine.lastError) }
    }

    /// Tells the others that this process is done; the owner of the store waits for them.
    public static func leave() { ct_group_leave() }

    /// Tells the others, by a line, that this process ends.
    ///
    /// - Returns: Whether it is the first of the group, and so the one to tell people; a process alone always is.
    public static func fail(_ line: String) -> Bool { ct_group_fail(line) }

    /// Bytes that this process has passed to collectives so far.
    public static var bytes: Int { Int(ct_group_bytes()) }

    /// A rank with its host and process number, for messages.
    public func name(of rank: Int) -> String {
        Engine.text { ct_group_name(Int32(rank), $0, $1) } ?? "rank \(rank)"
    }

    /// Sums a tensor over all ranks, in place.
    public func allReduce(_ tensor: Tensor) {
        Engine.run("all-reduce", withHandles([tensor]) { ct_group_all_reduce($0, 1) }, tensor.summary)
    }

    /// Sums numbers over all ranks.
    public func allReduce(_ numbers: [Int]) -> [Int] {
        let tensor = Tensor(numbers.map(Int64.init), shape: [numbers.count])
        allReduce(tensor)
        return tensor.int64s().map(Int.init)
    }

    /// Bytes of every rank, in the order of ranks; as many from each.
    public func allGather(_ bytes: [UInt8]) -> [[UInt8]] {
        var all = [UInt8](repeating: 0, count: bytes.count * size)
        Engine.run("all-gather", ct_group_all_gather(bytes, Int64(bytes.count), &all))
        return (0..<size).map { Array(all[$0 * bytes.count..<($0 + 1) * bytes.count]) }
    }

    /// Rank 0's bytes; those of other ranks are ignored.
    public func broadcast(_ data: Data) -> Data {
        var count = [UInt8](repeating: 0, count: 8)
        withUnsafeBytes(of: UInt64(data.count).littleEndian) { count.replaceSubrange(0..<8, with: $0) }
        Engine.run("broadcast", ct_group_broadcast(&count, 8))
        let size = count.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // No more is asked for than the machine has, whatever is announced.
        guard size <= ProcessInfo.processInfo.physicalMemory else {
            Engine.fail(
                EngineFailure(
                    operation: "broadcast", reason: "\(name(of: 0)) announces \(size) bytes", isOutOfMemory: false,
                    isPeerLost: true))
        }
        var result = rank == 0 ? data : Data(count: Int(size))
        guard size > 0 else { return result }
        result.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            Engine.run("broadcast", ct_group_broadcast(start, Int64(buffer.count)))
        }
        return result
    }
}

/// As ``gradients(of:withRespectTo:)``, summed over the group, where `loss` is this process's part of the group's.
///
/// Buckets of four megabytes are reduced while the backward pass goes on. A process alone computes its own gradients.
public func allReducedGradients(of loss: Tensor, withRespectTo inputs: [Tensor]) -> [Tensor?] {
    guard ProcessGroup.current != nil else { return gradients(of: loss, withRespectTo: inputs) }
    var out = [ct_optional_tensor?](repeating: nil, count: inputs.count)
    let status = withExtendedLifetime(loss) {
        withHandles(inputs) { ct_group_gradients(loss.handle, $0, Int64($0.count), 4 << 20, &out) }
    }
    Engine.run("gradients", status, loss.summary)
    return out.map { $0.map(Tensor.init(owning:)) }
}

/// A tensor without a graph, summed over the group.
package func allReduced(_ body: () -> Tensor) -> Tensor {
    let tensor = withoutGradients(body)
    ProcessGroup.current?.allReduce(tensor)
    return tensor
}

extension ProcessGroup {
    /// The store of a group whose processes this one starts, at a free port of this machine.
    public struct Store: Sendable {
        /// The port.
        public let port: Int
        private let prefix: String

        /// Opens the store for as long as this process lives.
        ///
        /// - Throws: ``TorchError`` where no port can be opened.
        public init(prefix: String) throws(TorchError) {
            var port: Int32 = 0
            guard ct_store_open("127.0.0.1", &port) == CT_OK else { throw TorchError(Engine.lastError) }
            self.port = Int(port)
            self.prefix = prefix
        }

        /// Tells the others that a rank has ended, and why.
        public func fail(rank: Int, _ line: String) { _ = ct_store_fail(prefix, Int32(rank), line) }
    }
}
