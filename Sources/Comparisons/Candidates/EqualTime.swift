import Configurations
import Experiments
import Foundation
import Runs
import Torch

/// How many steps of each candidate take the time of the reference's, the network whose cost all have.
///
/// What was measured is kept in a file: timed again it would be different, and a candidate that goes on must have as many steps
/// as before.
struct EqualTime {
    /// Seconds of a training step of a network.
    typealias Timer = (_ configuration: Configuration, _ network: NetworkChoice) -> Double

    private let folder: String
    private let path: String
    private let reference: NetworkChoice
    private let timer: Timer
    /// How many times as long as the reference's a step of a candidate takes, by its place among the proposed, from 0.
    private var ratios: [Int: Double] = [:]
    /// The reference's seconds on this machine, as it is now.
    private var referenceSeconds: Double?

    /// Times steps on images of such a size.
    static func timer(on images: InputSpecification) -> Timer {
        { own, network in
            let description = network.description(own.train, classes: images.classes, channels: images.channels)
            return StepTimer(own).step(description).seconds
        }
    }

    /// Refuses equal time where steps are not timed as they are taken.
    static func refuseUntimed(_ configuration: Configuration) throws {
        guard configuration.search.equalTime else { return }
        _ = try configuration.device.device()
        if configuration.timesSteps, configuration.search.space == .networks { return }
        throw ConfigurationError(
            .contradiction,
            "search.equalTime: steps are timed on processors, in float32, for search.space=networks: set it to false")
    }

    static func file(in folder: String) -> String { folder + "/steptimes.json" }

    /// What a search's folder holds; nothing in a new one.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - reference: The network that has the steps of the configuration.
    ///   - timer: Times what is missing.
    /// - Throws: `RunError` for a file that holds something else.
    init(in folder: String, reference: NetworkChoice, by timer: @escaping Timer) throws {
        (self.folder, path, self.reference, self.timer) = (folder, EqualTime.file(in: folder), reference, timer)
        try read()
    }

    private mutating func read() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let bytes = try boundedContents(of: path, limit: 1 << 20)
        guard let found = try? JSONDecoder().decode([Int: Double].self, from: bytes),
            found.values.allSatisfy({ $0 > 1e-6 && $0 < 1e6 })
        else { throw RunError(.damaged, path: path, "does not say how long steps take: begin the search anew") }
        ratios = found
    }

    /// A candidate with its steps an epoch, once it has been timed; one that has such already as it is.
    ///
    /// Processes that share the folder go by one file.
    ///
    /// - Parameters:
    ///   - candidate: The candidate.
    ///   - number: Its place among the proposed, from 0.
    ///   - configuration: How it is trained.
    ///   - steps: Steps an epoch of the reference.
    ///   - interruption: Asks to stop.
    /// - Returns: The candidate with its steps.
    /// - Throws: `Interrupted`; an error about the file.
    mutating func settle(
        _ candidate: Candidate, number: Int, _ configuration: Configuration, steps: Int,
        _ interruption: Interruption
    ) throws -> Candidate {
        guard candidate.stepsPerEpoch == nil else { return candidate }
        let ratio = try ratios[number] ?? timed(candidate, number: number, configuration, interruption)
        return Candidate(
            name: candidate.name, candidate.network, filters: candidate.filters,
            stepsPerEpoch: max(1, Int(clamping: (Double(steps) / ratio).rounded())))
    }

    private mutating func timed(
        _ candidate: Candidate, number: Int, _ configuration: Configuration, _ interruption: Interruption
    ) throws -> Double {
        func check() throws {
            if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: folder) }
        }
        try check()
        let lock = try FolderLock.waiting(for: folder, check: check)
        defer { withExtendedLifetime(lock) {} }
        try read()
        if let known = ratios[number] { return known }
        func seconds(_ network: NetworkChoice, filters: Int) -> Double {
            var own = configuration
            network.settle(&own.train, filters: filters)
            return timer(own, network)
        }
        let one = referenceSeconds ?? seconds(reference, filters: configuration.train.filters)
        referenceSeconds = one
        let ratio = min(max(seconds(candidate.network, filters: candidate.filters) / one, 1e-5), 1e5)
        ratios[number] = ratio
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try AtomicFile.write(try encoder.encode(ratios) + Data("\n".utf8), to: path, below: folder)
        return ratio
    }
}

extension Configuration {
    /// Whether trainings take steps as they are timed: on a processor, in float32.
    package var timesSteps: Bool { precision == .float32 && (try? device.device()) == .cpu }
}
