import Comparisons
import Configurations
import Datasets
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// What a run is going to do with its time: a configuration, with a reason for each choice, and the time of each stage.
///
/// Minutes become steps here, once. From then on steps count, so that a run that was stopped and goes on ends with the
/// same network as one that was not.
public struct Plan: Equatable, Codable, Sendable {
    /// A choice and why it was made.
    public struct Reason: Equatable, Codable, Sendable {
        /// The setting, or several.
        public var key: String
        /// The reason, with the figures it rests on.
        public var text: String
    }

    /// A part of the run and the seconds that it is expected to take.
    public struct Stage: Equatable, Codable, Sendable {
        /// Its name.
        public var name: String
        /// The expected time.
        public var seconds: Double
    }

    /// The length that the last training was given when it turned out how fast this machine really is.
    public struct Length: Equatable, Codable, Sendable {
        /// Epochs that were done by then.
        public var done: Int
        /// Epochs in all.
        public var epochs: Int
        /// Epochs that were planned.
        public var planned: Int
        /// Seconds of an epoch as planned.
        public var plannedSeconds: Double
        /// Seconds of an epoch as measured.
        public var measuredSeconds: Double

        /// In words; nil where nothing was changed.
        var text: String? {
            guard epochs != planned else { return nil }
            let factor = measuredSeconds / max(plannedSeconds, 1e-9)
            let speed = String(format: factor > 1 ? "%.2f times as long as" : "%.2f of the time", factor)
            return
                "after \(done) epochs: the last training has \(epochs) in place of \(planned), as many as fit: a step"
                + " takes \(speed)" + (factor > 1 ? " thought" : " that was thought")
        }
    }

    /// How many candidates take part in a rung of the race, asked when some of them had been trained.
    public struct Narrowing: Equatable, Codable, Sendable {
        /// The rung, counted from 0.
        public var rung: Int
        /// Candidates that had been trained in it by then.
        public var trained: Int
        /// How many were to take part.
        public var planned: Int
        /// How many do.
        public var candidates: Int

        /// In words; nil where nothing was changed.
        var text: String? {
            guard candidates < planned else { return nil }
            return
                "rung \(rung + 1): \(candidates) of \(planned) candidates, since training takes longer here than"
                + " was thought"
        }
    }

    /// The end of the search by the paper's method before its last epoch.
    public struct SearchEnd: Equatable, Codable, Sendable {
        /// Epochs that were done.
        public var epoch: Int
        /// How many were planned.
        public var planned: Int

        /// In words.
        var text: String {
            "the search ends after epoch \(epoch) of \(planned), since it takes longer here than was thought"
        }
    }

    /// A cross-validation over few images.
    public struct CrossValidation: Equatable, Codable, Sendable {
        /// Files with the splits of each fold.
        public var files: [String]
        /// Epochs of each training.
        public var epochs: Int
    }

    /// The whole time in seconds.
    public var budget: Double
    /// The data.
    public var facts: DataFacts
    /// What was decided about the data.
    public var notes: [String]
    /// Why the configuration is as it is.
    public var reasons: [Reason]
    /// What is done, in order.
    public var stages: [Stage]
    /// Seconds of a training step, as measured here.
    public var secondsPerStep: Double
    /// Seconds of an epoch's steps, of whichever network: they are as many as take the same time.
    public var secondsPerEpoch: Double
    /// How few images are measured; nil where there are enough for splits.
    public var crossValidation: CrossValidation?
    /// Where the search by the paper's method was ended before its last epoch; nil where it was not.
    public var searchEnd: SearchEnd?
    /// How many candidates there was time for, where that was asked.
    public var narrowings: [Narrowing] = []
    /// What became of the last training's length: settled when its first part is done, and in the middle of what is left
    /// then, again and again.
    public var lengths: [Length] = []
    /// What was asked for, by which the plan was made: time, limits, seed and the settings of the data; nil in older plans.
    public var asked: [String: String]?
    /// Whether the configuration was given and is followed as it stands.
    public var isGiven: Bool
    /// Bytes that the process took by then.
    public var bytes: Int
    /// The processor that this was measured on.
    public var processor: String

    /// How long the last training is to be, now that a part of it is done.
    ///
    /// - Parameters:
    ///   - done: Its epochs that are done.
    ///   - epochs: Those that are planned.
    ///   - secondsPerEpoch: As measured.
    ///   - left: Seconds of the budget that are left for it.
    /// - Returns: What is planned, unless the machine is slower or faster than it was taken for; the second time, unless
    ///   the time that is left is another than what it needs.
    package func settledLength(done: Int, epochs: Int, secondsPerEpoch: Double, left: Double) -> Length {
        let planned = lengths.last?.measuredSeconds ?? self.secondsPerEpoch
        var length = Length(
            done: done, epochs: epochs, planned: epochs, plannedSeconds: planned, measuredSeconds: secondsPerEpoch)
        let isFirst = lengths.isEmpty
        let time = max(left, 1e-3) * (isFirst ? 1 : Self.measured)
        let factor = isFirst ? secondsPerEpoch / planned : secondsPerEpoch * Double(epochs - done) / time
        guard factor.isFinite, factor > 0, !Self.usual.contains(factor) else { return length }
        let fitting = done + Int(clamping: (time / secondsPerEpoch).rounded(.down))
        length.epochs =
            factor > 1 ? max(done + 1, min(epochs, fitting)) : max(epochs, min(Self.longest * epochs, fitting))
        return length
    }

    /// Whether the search by the paper's method ends after an epoch.
    ///
    /// - Parameters:
    ///   - epoch: How many are done.
    ///   - epochs: How many are planned.
    ///   - seconds: What they took.
    /// - Returns: True when the time that was planned for it is over and much of it is still to do.
    package func endsSearch(after epoch: Int, of epochs: Int, seconds: Double) -> Bool {
        guard let planned = self.seconds(of: .searching), epoch > 0 else { return false }
        return seconds >= planned && seconds * Double(epochs) / Double(epoch) > Self.longestSearch * planned
    }

    /// How many times as long as planned a search may take.
    private static let longestSearch = 1.25

    /// How many candidates are to take part in a rung, now that the race is so far.
    ///
    /// - Parameters:
    ///   - progress: How far it is.
    ///   - left: Seconds of the budget that are left for it and for the last training.
    /// - Returns: As many as leave the last training half of its length at least; those that are trained already always.
    package func narrowing(_ progress: CandidateSearch.RungProgress, left: Double) -> Narrowing {
        let planned = progress.schedule.rungs[progress.rung].candidates
        let least = max(1, progress.trained)
        func fits(_ candidates: Int) -> Bool {
            progress.epochsLeft(candidates: candidates, last: Self.leastOfLast) * progress.secondsPerEpoch <= left
        }
        let fitting = (least...max(least, planned)).last(where: fits) ?? least
        return Narrowing(rung: progress.rung, trained: progress.trained, planned: planned, candidates: fitting)
    }

    /// The share of the last training that a race on a slow machine leaves it.
    private static let leastOfLast = 0.5

    /// The share of the second half's time that goes into steps: the rest is for validations and checkpoints.
    private static let measured = 0.97

    /// How many times as long as planned the last training becomes at most.
    private static let longest = 20

    /// How much an epoch may differ from what was planned before the length is settled anew.
    private static let usual = 0.96...1.03

    /// The configuration as a YAML text, the reasons in front.
    ///
    /// - Parameter configuration: The plan's configuration.
    /// - Returns: A file that `--config` takes.
    package func yaml(of configuration: Configuration) -> String {
        var lines = [
            "# A plan for \(Budget.text(budget)), made by measuring the data and this machine (\(processor)).",
            "# Change what you like, and go on with `autodeeplab run --config` this file.", "#",
        ]
        lines += notes.map { "# data: " + onOneLine($0) }
        lines += reasons.map { "# \($0.key): \(onOneLine($0.text))" }
        lines += stages.map { "# time: \($0.name), \(Budget.text($0.seconds))" }
        return lines.joined(separator: "\n") + "\n" + configuration.yaml()
    }
}

extension Plan {
    /// Seconds that are planned for a part of the run; nil where there is none.
    func seconds(of part: TimeAccount.Part) -> Double? { stages.first { $0.name == part.text }?.seconds }

    private static func file(in folder: String) -> String { folder + "/plan.json" }

    /// Reads the plan in a run's folder.
    ///
    /// - Throws: `RunError` where there is none of this version.
    package init(in folder: String) throws {
        let file = Plan.file(in: folder)
        guard let plan = try? JSONDecoder().decode(Plan.self, from: boundedContents(of: file, limit: 1 << 24)) else {
            throw RunError(.damaged, path: file, "is no plan of this version: begin a new run")
        }
        self = plan
    }

    /// Writes it there.
    ///
    /// - Throws: `FileError` where it cannot be written.
    func write(in folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(self), to: Plan.file(in: folder), below: folder)
    }
}

/// A text on one line, whatever was in a file's name.
private func onOneLine(_ text: String) -> String {
    String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? " " : $0 })
}
