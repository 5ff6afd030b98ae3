import Configurations
import Experiments
import Foundation
import Reporting
import Runs
import Torch

/// The training of a candidate, in a run folder of its own.
struct CandidateRun {
    let candidate: Candidate
    /// Its number and name, which its folder has too.
    let name: String
    /// The search's configuration with the candidate's network.
    let configuration: Configuration
    let paths: RunPaths

    init(_ candidate: Candidate, number: Int, of count: Int, in output: String, _ configuration: Configuration) {
        self.candidate = candidate
        name = RunPaths.numeral(number, digits: String(count).count) + "-" + candidate.name
        paths = RunPaths(folder: output + "/" + name)
        var configuration = configuration
        candidate.network.settle(&configuration.train, filters: candidate.filters)
        if let steps = candidate.stepsPerEpoch {
            let planned = configuration.train.stepsPerEpoch
            // As large a part of its training as of the others'.
            if planned > 0 { configuration.train.warmupSteps = configuration.train.warmupSteps * steps / planned }
            configuration.train.stepsPerEpoch = steps
        }
        self.configuration = configuration
    }

    private init(_ run: CandidateRun, iterations: Int) {
        (candidate, name, paths) = (run.candidate, run.name, run.paths)
        var configuration = run.configuration
        configuration.train.iterations = iterations
        self.configuration = configuration
    }

    /// How its last training stands after so many epochs.
    ///
    /// - Parameters:
    ///   - done: Epochs that are done.
    ///   - begin: The epoch from which on steps are timed.
    ///   - schedule: The lengths.
    /// - Returns: What is known of it.
    func last(after done: Int, since begin: Int, of schedule: HalvingSchedule) -> CandidateSearch.LastTraining {
        let records = RunRecord.all(in: optionalContents(of: paths.log) ?? .init()).filter { $0.epoch < done }
        let recent = records.filter { $0.epoch >= begin }
        // The first epoch is slower: images are read for the first time.
        let times = recent.dropFirst(recent.count > 1 ? 1 : 0).compactMap { $0.values["secondsPerStep"] }
        return .init(
            done: done, epochs: schedule.rungs.last?.epochs ?? done,
            stepsPerEpoch: max(1, (records.last?.step ?? done) / max(1, done)),
            secondsPerStep: times.isEmpty ? 0 : times.reduce(0, +) / Double(times.count))
    }

    /// The same with a training that ends after so many epochs.
    func settled(epochs: Int, of schedule: HalvingSchedule) -> CandidateRun {
        let isPlanned = epochs == configuration.train.epochs
        let done = schedule.rungs.dropLast().last?.epochs ?? 0
        return CandidateRun(
            self, iterations: isPlanned ? 0 : epochs * last(after: done, since: 0, of: schedule).stepsPerEpoch)
    }

    /// mIOU on the validation images after so many epochs; nil where it was not trained so far.
    func score(after epochs: Int) -> Double? { scores(after: [epochs]).first }

    /// What a controller is told of it after so many epochs; nil where it was not trained so far.
    func reward(after epochs: Int) -> Double? {
        let records = RunRecord.all(in: optionalContents(of: paths.log) ?? .init())
        return records.first { $0.epoch == epochs - 1 }?.values["reward"]
    }

    /// mIOU on the validation images after each of some numbers of epochs, as far as it was trained.
    func scores(after epochs: [Int]) -> [Double] {
        let records = RunRecord.all(in: optionalContents(of: paths.log) ?? .init())
        let scores = epochs.map { epochs in records.first { $0.epoch == epochs - 1 }?.values["mIOU"] }
        return scores.prefix { $0 != nil }.compactMap { $0 }
    }

    /// Its training up to the end of a rung.
    struct Part: SharedRun {
        let run: CandidateRun
        let epochs: Int
        /// All epochs after which candidates rest.
        let rests: Set<Int>
        /// What is kept of the encoder's maps while it is not trained.
        let features: FrozenFeatures

        var name: String { run.name }
        var isFinished: Bool { run.score(after: epochs) != nil }

        /// Trains up to the epoch; what was interrupted goes on.
        func complete(reporter: any ProgressReporter, interruption: Interruption) throws {
            let folder = try RunFolder(at: run.paths.folder, resume: true)
            defer { withExtendedLifetime(folder) {} }
            // Another process may have done it since.
            if isFinished { return }
            let training = try Training(
                run.candidate.network.genotype, run.configuration, folder: folder, reporter: reporter,
                interruption: interruption, features: features)
            _ = try training.run(through: epochs, validatedAfter: rests)
            let score = run.score(after: epochs).map { String(format: "val mIOU %.4f", $0) }
            reporter.report(.note("\(name): \(score ?? "not measured")"))
        }
    }
}
