import CTorch
import Foundation
import Synchronization

/// A failure at the border to files, devices or the engine: one clear line.
public struct TorchError: Error, CustomStringConvertible, Sendable {
    /// What is wrong, where, and what to do.
    public let description: String

    /// Makes an error of one line.
    public init(_ description: String) {
        self.description = description
    }
}

/// What the engine could not do in the middle of model arithmetic.
public struct EngineFailure: Sendable {
    /// The operation that was asked for.
    public let operation: String
    /// The engine's own words.
    public let reason: String
    /// Whether memory ran out, which a user can cure by a smaller batch, crop or network.
    public let isOutOfMemory: Bool
    /// Whether another process of the group is gone; the reason names it.
    public let isPeerLost: Bool
}

/// Where failures inside model arithmetic end.
///
/// Operations do not throw: a wrong shape is a mistake in a program and traps with the operation's name. A program
/// that faces users installs ``onFailure(_:)`` to say its one line and leave with its own exit status.
public enum Engine {
    private static let handler = Mutex<(@Sendable (EngineFailure) -> Never)?>(nil)

    /// Installs what is called when an operation fails; it must not return.
    public static func onFailure(_ body: @escaping @Sendable (EngineFailure) -> Never) {
        handler.withLock { $0 = body }
    }

    /// Loads the engine and libtorch, in a program that is linked without them: its first tensor would do so as well.
    ///
    /// - Throws: ``TorchError`` that says why they cannot be loaded.
    package static func load() throws(TorchError) {
        guard ct_load() == CT_OK else { throw TorchError(lastError) }
    }

    /// Ends the program as an operation would that fails, where the engine cannot be loaded.
    static func need() { run("engine", ct_load()) }

    /// The file that the engine was loaded from; nil where it is part of the program, or is not loaded.
    package static var path: String? {
        let path = String(cString: ct_engine_path())
        return path.isEmpty ? nil : path
    }

    /// The version of libtorch that is loaded, for example `2.15.0`.
    public static var version: String {
        need()
        return String(cString: ct_version())
    }

    /// The file that libtorch was loaded from.
    public static var libraryPath: String {
        text { ct_library_path($0, $1) } ?? "unknown"
    }

    /// What the engine writes into memory of so many bytes; nil where it fails.
    static func text(_ write: (UnsafeMutablePointer<CChar>, Int64) -> Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let start = buffer.baseAddress, write(start, Int64(buffer.count)) == CT_OK else { return nil }
            return String(cString: start)
        }
    }

    /// Threads inside an operation.
    public static var threads: Int {
        get {
            need()
            return Int(ct_get_num_threads())
        }
        set { run("threads", ct_set_num_threads(Int32(newValue))) }
    }

    /// Tensors that Swift holds at this moment; a leak shows here.
    public static var liveTensors: Int { Int(ct_live_tensor_count()) }

    static var lastError: String {
        String(cString: ct_last_error()).split(separator: "\n").first.map(String.init) ?? "unknown"
    }

    /// Ends the program where an operation has failed.
    package static func run(_ operation: String, _ status: Int32, _ operands: @autoclosure () -> String = "") {
        if status == CT_OK { return }
        let isPeerLost = status == CT_PEER_LOST
        let reason = [lastError, isPeerLost ? "" : operands()].filter { !$0.isEmpty }.joined(separator: "; operands ")
        fail(
            EngineFailure(
                operation: operation, reason: reason,
                isOutOfMemory: status == CT_OUT_OF_MEMORY || hasRefusedMemory(reason), isPeerLost: isPeerLost))
    }

    /// Whether a failure of oneDNN, which says no more than what it could not make, is for want of memory.
    ///
    /// Of operations on well-formed tensors there is no other reason where memory is limited.
    private static func hasRefusedMemory(_ reason: String) -> Bool {
        #if os(Linux)
            let kinds = [RLIMIT_AS, RLIMIT_DATA].map { __rlimit_resource_t($0.rawValue) }
        #else
            let kinds = [RLIMIT_AS, RLIMIT_DATA]
        #endif
        return reason.hasPrefix("could not ")
            && kinds.contains { kind in
                var limit = rlimit()
                return getrlimit(kind, &limit) == 0 && limit.rlim_cur < rlim_t(Int64.max)
            }
    }

    static func fail(_ failure: EngineFailure) -> Never {
        if let handler = handler.withLock({ $0 }) { handler(failure) }
        fatalError("\(failure.operation): \(failure.reason)")
    }
}
