import Configurations
import Foundation
import Networks
import Runs
import Synchronization
import Torch

/// Predicts how long networks take for an image, and measures what its table has no time of.
///
/// Times once in a file stay, so that whoever asks again gets the same answer: after a stop, and in other processes that share
/// a search's folder.
package final class LatencyModel: Sendable {
    /// What is measured.
    package let machine: LatencyTable.Machine
    private let meter: any OperationMeter
    private let place: Place
    private let cache: String?
    private let table: Mutex<LatencyTable>

    /// Where the table is kept.
    package enum Place: Sendable {
        /// In memory alone.
        case memory
        /// The file `latency.json` in a folder whose processes have to agree on it.
        case folder(String)
        /// The same in a folder that this process has locked.
        case lockedFolder(String)
    }

    /// - Parameters:
    ///   - machine: What is measured.
    ///   - meter: How it is measured.
    ///   - place: Where the table is kept.
    ///   - cache: A file with times of the same machine from before; one that cannot be used is passed over.
    package init(
        machine: LatencyTable.Machine, meter: any OperationMeter, place: Place = .memory, cache: String? = nil
    ) {
        self.machine = machine
        self.meter = meter
        self.place = place
        self.cache = cache
        table = Mutex(LatencyTable(machine: machine))
    }

    /// A model of this machine, as a configuration uses it, with the user's cache.
    package convenience init(_ configuration: Configuration, place: Place = .memory) throws {
        let machine = try LatencyTable.Machine(configuration)
        self.init(
            machine: machine,
            meter: TensorMeter(device: try configuration.device.device(), threads: machine.threads),
            place: place, cache: LatencyModel.cacheFile(of: machine, ProcessInfo.processInfo.environment))
    }

    /// The user's file for a machine; nil without a home.
    package static func cacheFile(of machine: LatencyTable.Machine, _ environment: [String: String]) -> String? {
        func place(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let base = place("XDG_CACHE_HOME") ?? place("HOME").map({ $0 + "/.cache" }) else { return nil }
        var hash = XXHash64()
        hash.update(Array(machine.text.utf8))
        return base + "/autodeeplab/latency/" + hash.text + ".json"
    }

    /// Milliseconds of an image, all windows of it.
    ///
    /// - Throws: `RunError` or `FileError` about the folder's table.
    package func milliseconds(of network: NetworkDescription, on images: InputSpecification) throws -> Double {
        try milliseconds(of: network.operations(height: images.height, width: images.width)) * Double(images.windows)
    }

    /// Milliseconds of operations, one after the other.
    ///
    /// - Throws: `RunError` or `FileError` about the folder's table.
    package func milliseconds(of operations: [NetworkOperation]) throws -> Double {
        try measure(operations)
        return table.withLock { $0.sum(of: operations) ?? 0 }
    }

    /// Makes sure that operations have times, those that have none measured together.
    ///
    /// - Throws: `RunError` or `FileError` about the folder's table.
    package func measure(_ operations: [NetworkOperation]) throws {
        if table.withLock({ $0.missing(of: operations).isEmpty }) { return }
        let folder: String
        var lock: FolderLock?
        defer { withExtendedLifetime(lock) {} }
        switch place {
        case .memory: return table.withLock { table in complete(&table, by: operations) }
        case .lockedFolder(let own): folder = own
        case .folder(let shared):
            folder = shared
            // One process measures at a time, and the others take what it found.
            lock = try FolderLock.waiting(for: folder)
        }
        let path = RunPaths(folder: folder).latency
        try table.withLock { table in
            if FileManager.default.fileExists(atPath: path) {
                let found = try LatencyTable(file: path)
                if found.machine != machine, !found.missing(of: operations).isEmpty {
                    throw RunError(
                        .changed, path: path,
                        "was measured on \(found.machine.text), and this is \(machine.text): go on there, or name"
                            + " another folder")
                }
                table = found
            }
            guard !table.missing(of: operations).isEmpty else { return }
            complete(&table, by: operations)
            try table.write(to: path, below: folder)
        }
    }

    /// Takes what the cache has, and measures the rest.
    private func complete(_ table: inout LatencyTable, by operations: [NetworkOperation]) {
        let cached = cache.flatMap { try? LatencyTable(file: $0) }.flatMap { $0.machine == machine ? $0 : nil }
        let wanted = table.missing(of: operations)
        if let cached {
            table.add(
                Dictionary(
                    uniqueKeysWithValues: wanted.compactMap { operation in
                        cached.milliseconds[operation.key].map { (operation.key, $0) }
                    }))
        }
        let missing = table.missing(of: operations)
        guard !missing.isEmpty else { return }
        let times = Dictionary(
            uniqueKeysWithValues: zip(missing.map(\.key), meter.milliseconds(of: missing)))
        table.add(times)
        guard let cache else { return }
        // Without a cache the next command measures anew, which is no reason to fail.
        var kept = cached ?? LatencyTable(machine: machine)
        kept.add(times)
        let folder = URL(fileURLWithPath: cache).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? kept.write(to: cache)
    }
}
