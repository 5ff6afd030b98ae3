import Configurations
import Foundation
import Networks
import Runs
import Torch

/// Milliseconds of the operations that networks consist of, measured one by one on one machine.
///
/// A network's time is the sum over its operations, each with the sizes of its maps: strides, channels and the image's size
/// stand in the operations' names.
package struct LatencyTable: Codable, Equatable, Sendable {
    /// What times depend on besides the operation.
    package struct Machine: Codable, Hashable, Sendable {
        /// The processor's name.
        package var processor: String
        /// Where tensors live, as `cpu` or `cuda:0`.
        package var device: String
        /// Threads inside an operation.
        package var threads: Int
        /// The version of libtorch.
        package var libtorch: String

        /// A machine of these properties.
        package init(processor: String, device: String, threads: Int, libtorch: String) {
            self.processor = processor
            self.device = device
            self.threads = threads
            self.libtorch = libtorch
        }

        /// This machine, as a configuration uses it.
        package init(_ configuration: Configuration) throws {
            let device = try configuration.device.device()
            let environment = Environment(threads: configuration.workerThreads, on: device)
            self.init(
                processor: environment.processor, device: environment.device, threads: environment.threads,
                libtorch: environment.libtorch)
        }

        /// In words.
        package var text: String {
            "\(processor), \(device), \(threads) \(threads == 1 ? "thread" : "threads"), libtorch \(libtorch)"
        }
    }

    /// Where the times were taken.
    package let machine: Machine
    /// The times by the operations' keys.
    package private(set) var milliseconds: [String: Double] = [:]

    /// The most operations of a table; a network has some hundred.
    package static let largest = 50_000
    /// The most bytes of a file with a table.
    private static let largestFile = 1 << 24

    /// An empty table.
    package init(machine: Machine) { self.machine = machine }

    /// Reads a file.
    ///
    /// - Throws: `FileError` about a file that is missing or no table.
    package init(file path: String) throws(FileError) {
        let bytes = try boundedContents(of: path, limit: LatencyTable.largestFile)
        guard let table = try? JSONDecoder().decode(LatencyTable.self, from: bytes),
            table.milliseconds.count <= LatencyTable.largest,
            table.milliseconds.values.allSatisfy({ (0...1e9).contains($0) })
        else { throw FileError(.damaged, path: path, reason: "is no table of latencies: delete it") }
        self = table
    }

    /// Writes the file.
    ///
    /// - Throws: `FileError` where it cannot be written.
    package func write(to path: String, below root: String? = nil) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path, below: root)
    }

    /// Puts times in; a full table begins anew.
    package mutating func add(_ times: [String: Double]) {
        if milliseconds.count + times.count > LatencyTable.largest { milliseconds = [:] }
        milliseconds.merge(times) { old, _ in old }
    }

    /// The operations that have no time yet, each once, in the order of their first appearance.
    package func missing(of operations: [NetworkOperation]) -> [NetworkOperation] {
        var seen: Set<String> = []
        return operations.filter { milliseconds[$0.key] == nil && seen.insert($0.key).inserted }
    }

    /// The sum over operations; nil where one has no time.
    package func sum(of operations: [NetworkOperation]) -> Double? {
        var sum = 0.0
        for operation in operations {
            guard let time = milliseconds[operation.key] else { return nil }
            sum += time
        }
        return sum
    }
}
