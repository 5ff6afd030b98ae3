import Configurations
import Experiments
import Foundation
import Runs
import Torch

/// How many steps of each candidate take the time of the first one's.
///
/// Seconds are kept in a file: timed again they would be others, and a candidate that goes on must have as many steps as before.
struct EqualTime {
    /// Seconds of a training step of a network.
    typealias Timer = (_ configuration: Configuration, _ network: NetworkChoice) -> Double

    private let folder: String
    private let path: String
    private let timer: Timer
    /// Of the candidates in the order in which they were proposed.
    private var seconds: [Double]

    static func file(in folder: String) -> String { folder + "/steptimes.json" }

    /// The times that a search's folder holds; none in a new one.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - timer: Times what is missing.
    /// - Throws: `RunError` for a file that is no list of times.
    init(in folder: String, by timer: @escaping Timer) throws {
        (self.folder, path, self.timer) = (folder, EqualTime.file(in: folder), timer)
        seconds = []
        try read()
    }

    private mutating func read() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let bytes = try boundedContents(of: path, limit: 1 << 20)
        guard let found = try? JSONDecoder().decode([Double].self, from: bytes),
            found.allSatisfy({ $0 > 0 && $0 < 1e6 })
        else { throw RunError(.damaged, path: path, "is no list of seconds of a step: begin the search anew") }
        seconds = found
    }

    /// The candidate's steps an epoch, once it has been timed.
    ///
    /// Processes that share the folder go by one list.
    ///
    /// - Parameters:
    ///   - candidate: A candidate without steps of its own; another one is left as it is.
    ///   - number: Its place among the proposed, from 0.
    ///   - configuration: How it is trained.
    ///   - steps: Steps an epoch of the first candidate.
    ///   - interruption: Asks to stop.
    /// - Returns: The candidate with its steps.
    /// - Throws: `Interrupted`; an error about the file.
    mutating func settle(
        _ candidate: Candidate, number: Int, _ configuration: Configuration, steps: Int,
        _ interruption: Interruption
    ) throws -> Candidate {
        if number >= seconds.count {
            func check() throws {
                if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: folder) }
            }
            try check()
            let lock = try FolderLock.waiting(for: folder, check: check)
            defer { withExtendedLifetime(lock) {} }
            try read()
            if number >= seconds.count {
                precondition(number == seconds.count, "candidates are timed in their order")
                var own = configuration
                candidate.network.settle(&own.train, filters: candidate.filters)
                seconds.append(timer(own, candidate.network))
                try AtomicFile.write(try JSONEncoder().encode(seconds) + Data("\n".utf8), to: path, below: folder)
            }
        }
        guard candidate.stepsPerEpoch == nil else { return candidate }
        let own = Double(steps) * seconds[0] / seconds[number]
        return Candidate(
            name: candidate.name, candidate.network, filters: candidate.filters,
            stepsPerEpoch: max(1, Int(clamping: own.rounded())))
    }
}
