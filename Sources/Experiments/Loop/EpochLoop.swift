import Foundation
import Images
import Reporting
import Runs
import SearchSpace
import Torch

/// What a stage of a run, search or training, is to the loop that runs it.
protocol LoopStage: AnyObject {
    /// What is done before an epoch's first step; false where it was given up, since the run was asked to stop.
    func begin(epoch: Int) throws -> Bool
    /// Takes the step that is due.
    func step() throws -> StepOutcome
    /// Measures the network; nil where the run was asked to stop.
    func validate(_ evaluator: Evaluator, stop: () -> Bool) throws -> EpochValidation?
    /// What the log gets of an epoch, before and after the validation's figures.
    func measurements(of epoch: EpochSummary) -> (before: [(String, LogValue)], after: [(String, LogValue)])
    /// What is written and told at an epoch's end, before it is saved: a line about it, and warnings.
    func finish(_ epoch: EpochSummary) throws -> (note: String?, warnings: [String])
    /// Puts all that the stage needs to go on into a checkpoint.
    func save(in checkpoint: inout Checkpoint) throws
    /// Whether the best epoch's checkpoint is kept beside the last.
    var keepsBest: Bool { get }
    /// The path that the live line shows.
    var path: [Stride] { get }
    /// Seconds that the stage has waited for data so far.
    var waitSeconds: Double { get }
}

extension LoopStage {
    func begin(epoch: Int) throws -> Bool { true }
}

/// A validation at the end of an epoch.
struct EpochValidation {
    let measured: Validation
    /// Images, truths and predictions in rows; rank 0 draws them.
    let samples: Image?
}

/// An epoch that is done.
struct EpochSummary {
    /// Counted from 0.
    let epoch: Int
    let epochs: Int
    let secondsPerStep: Double
    /// The part of the time that was spent waiting for data.
    let waitShare: Double
    /// What the processes of a group have sent.
    let exchanged: [(String, LogValue)]
    var validation: EpochValidation?
}

/// Epochs of steps with what is around them: progress, validation, log, metrics, report, checkpoints, stops.
final class EpochLoop {
    /// Where the run is.
    private(set) var position = LoopPosition()
    /// The steps of the whole run, and the learning rate at each.
    let schedule: Schedule
    let stepsPerEpoch: Int
    let evaluator: Evaluator
    private let setup: StageSetup
    private let validateEvery: Int
    private let log: RunLog
    private let metrics: MetricsTable
    private let board: RunDashboard
    /// The last validation, for the live line.
    private var latestMIOU: Double?

    /// Agrees with the other processes, and opens what a run writes.
    ///
    /// - Parameters:
    ///   - setup: What was opened.
    ///   - schedule: Its total is the number of steps.
    ///   - stepsPerEpoch: Steps from one epoch's start to the next's.
    ///   - validateEvery: Epochs from one validation to the next; the last is always validated.
    ///   - validationImages: How many images are validated; 0 for all.
    ///   - teacher: The digest of the model that is learnt from, which all processes must have; nil for none.
    /// - Throws: One line about what cannot be read or written, or is not the same in all processes.
    init(
        _ setup: StageSetup, schedule: Schedule, stepsPerEpoch: Int, validateEvery: Int, validationImages: Int,
        teacher: String? = nil
    ) throws {
        let (configuration, folder) = (setup.configuration, setup.folder)
        self.setup = setup
        self.schedule = schedule
        self.stepsPerEpoch = stepsPerEpoch
        self.validateEvery = validateEvery
        if let restored = setup.restored { position = restored.position }
        evaluator = try Evaluator(
            validating: setup.dataset, reader: setup.reader, limit: validationImages, configuration: configuration,
            device: setup.device)
        try RunFingerprint(
            configuration, samples: ["train": setup.samples, "val": evaluator.samples],
            classes: setup.dataset.classes.names, teacher: teacher
        ).agree(on: setup.device)
        // Also where there is no checkpoint: a run may have been killed before its first one, when the log had a line.
        try folder.truncateLog(after: position.step, finishedEpochs: position.epoch)
        // A last epoch that iterations cut short goes on where the run is made longer.
        if position.step < schedule.total { position.epoch = min(position.epoch, position.step / stepsPerEpoch) }
        log = try RunLog(folder)
        metrics = try MetricsTable(folder)
        board = try RunDashboard(folder, configuration, classes: setup.dataset.classes, after: position.step)
        try folder.write(configuration)
        try folder.write(Environment(threads: configuration.workerThreads, on: setup.device))
    }

    /// Epochs of the whole run; iterations may cut the last one short.
    var epochs: Int { (schedule.total + stepsPerEpoch - 1) / stepsPerEpoch }

    /// Runs a stage to its last step.
    ///
    /// - Parameters:
    ///   - stage: What is run.
    ///   - pause: Epochs after which it rests, validated and saved as at its end; nil goes to the last.
    ///   - validated: Epochs after which it is validated besides.
    ///   - endsAfter: Asked after each epoch, by how many are done: whether no other one is to follow.
    ///   - end: What is done then; it is told whether that was the last step.
    /// - Returns: What `end` gives.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    func run<Result>(
        _ stage: some LoopStage, through pause: Int? = nil, validatedAfter validated: Set<Int> = [],
        endsAfter: (Int) throws -> Bool = { _ in false }, end: (Bool) throws -> Result
    ) throws -> Result {
        try setup.keeper.run(saved(stage)) {
            setup.reporter.report(.began(stage: setup.needs.stage, unit: "step", total: schedule.total))
            let last = min(epochs, pause ?? epochs)
            while position.epoch < last {
                if position.epoch > 0, position.step == position.epoch * stepsPerEpoch, try endsAfter(position.epoch) {
                    break
                }
                let next = position.epoch + 1
                try runEpoch(stage, isValidated: next == last || next % validateEvery == 0 || validated.contains(next))
            }
            let result = try end(position.epoch >= epochs)
            setup.reporter.report(.ended(stage: setup.needs.stage))
            return result
        }
    }

    /// Runs the next epoch.
    private func runEpoch(_ stage: some LoopStage, isValidated: Bool) throws {
        let epoch = position.epoch
        let end = min((epoch + 1) * stepsPerEpoch, schedule.total)
        if position.step == epoch * stepsPerEpoch, try !stage.begin(epoch: epoch) {
            try setup.keeper.save(saved(stage))
            return try setup.keeper.stopIfAsked(saved(stage))
        }
        let (start, waited, first, sent) = (Date(), stage.waitSeconds, position.step, ProcessGroup.bytes)
        while position.step < end {
            let outcome = try stage.step()
            setup.reporter.report(evaluator.reader.notes)
            position.advance(outcome)
            let values = [Advance.Measurement("loss", outcome.loss ?? .nan)]
            setup.reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(epochs)",
                        values: values + (latestMIOU.map { [Advance.Measurement("mIOU", $0)] } ?? []),
                        path: stage.path)))
            // The last step is saved together with the end of its epoch.
            if position.step < end { try setup.keeper.afterStep(of: saved(stage)) }
        }
        let steps = max(position.step - first, 1)
        let seconds = Date().timeIntervalSince(start)
        let isDone = try finish(
            EpochSummary(
                epoch: epoch, epochs: epochs, secondsPerStep: seconds / Double(steps),
                waitShare: (stage.waitSeconds - waited) / max(seconds, 1e-9),
                exchanged: exchanged(since: sent, steps: steps)), of: stage, isValidated: isValidated)
        // Half a validation is none: it is made again when the run goes on.
        if !isDone { try setup.keeper.save(saved(stage)) }
        try setup.keeper.stopIfAsked(saved(stage))
    }

    /// - Returns: Whether the epoch is done; a validation may have been given up.
    private func finish(_ summary: EpochSummary, of stage: some LoopStage, isValidated: Bool) throws -> Bool {
        var summary = summary
        var isBest = false
        if isValidated {
            guard let found = try stage.validate(evaluator, stop: { setup.keeper.isStopping }) else { return false }
            summary.validation = found
            if ProcessGroup.isLeader, found.measured.matrix.total == 0, latestMIOU == nil {
                setup.reporter.report(
                    .warning(
                        "no pixel of the split `\(setup.configuration.data.splits.val)` is labelled, so that its mIOU says"
                            + " nothing: see what the values in the masks mean (data.masks, data.labels)"))
            }
            let mIOU = found.measured.matrix.mIOU
            isBest = mIOU > position.best
            position.best = max(position.best, mIOU)
            latestMIOU = mIOU
        }
        let validation = summary.validation?.measured
        let (before, after) = stage.measurements(of: summary)
        let rewards = validation?.reward(setup.configuration.search, setup.dataset.classes) ?? []
        let values = before + (validation?.logged ?? []) + rewards + after
        let line = try log.append(epoch: summary.epoch, step: position.step, values)
        let columns = validation?.columns(setup.dataset.classes.names) ?? []
        try metrics.append(epoch: summary.epoch, step: position.step, numbers(values) + columns)
        try board.update(line, samples: summary.validation?.samples, confusion: validation?.matrix)
        let (note, warnings) = try stage.finish(summary)
        position.finishEpoch()
        try setup.keeper.save(saved(stage), isBest: isBest && stage.keepsBest)
        if let note { setup.reporter.report(.note("epoch \(summary.epoch + 1)/\(epochs)" + note)) }
        for warning in warnings { setup.reporter.report(.warning("epoch \(summary.epoch + 1): \(warning)")) }
        return true
    }

    private func saved<Stage: LoopStage>(_ stage: Stage) -> SavedLoop<Stage> { SavedLoop(loop: self, stage: stage) }

    /// A loop and its stage, as they are saved.
    private struct SavedLoop<Stage: LoopStage>: CheckpointedLoop {
        let loop: EpochLoop
        let stage: Stage

        var position: LoopPosition { loop.position }

        func checkpoint() throws -> Checkpoint {
            var checkpoint = Checkpoint()
            try stage.save(in: &checkpoint)
            try checkpoint.set("position", position)
            if let range = loop.setup.range { try checkpoint.set("range", range) }
            if loop.setup.normalization != .color {
                try checkpoint.set("normalization", loop.setup.normalization)
            }
            try checkpoint.set(loop.setup.configuration, samples: loop.setup.sampleList, steps: loop.schedule.total)
            try loop.log.synchronize()
            return checkpoint
        }
    }
}
