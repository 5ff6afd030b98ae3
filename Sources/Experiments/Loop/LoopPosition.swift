import Reporting

/// What became of a step.
enum StepOutcome {
    /// It was taken, with this loss.
    case taken(loss: Double)
    /// It changed nothing, since the numbers of one of its parts were not finite.
    case skipped(NonFiniteGuard.Target)

    /// The loss; nil where the step was skipped.
    var loss: Double? { if case .taken(let loss) = self { loss } else { nil } }
}

/// Where a loop is, apart from its tensors.
struct LoopPosition: Codable, Equatable {
    /// Steps done.
    var step = 0
    /// Epochs finished, with their validation; the steps of one more may be done already.
    var epoch = 0
    /// Best validation so far.
    var best = -1.0
    /// Sum of the losses of the epoch so far.
    var lossSum = 0.0
    /// Number of these losses.
    var lossCount = 0
    /// Steps so far that changed nothing, since their numbers were not finite.
    var skipped = 0
    /// How many of these were the architecture's; nil in checkpoints of versions that did not tell them apart.
    var skippedArchitecture: Int? = 0

    /// What no run can have come to, in words; nil where all is well.
    var fault: String? {
        if !RunRecord.epochs.contains(epoch) { return "epoch \(epoch)" }
        if !RunRecord.steps.contains(step) { return "step \(step)" }
        if !(0...step).contains(lossCount) { return "\(lossCount) losses in \(step) steps" }
        if !(0...step).contains(skipped) { return "\(skipped) skipped steps of \(step)" }
        if !(0...skipped).contains(skippedArchitecture ?? 0) {
            return "\(skippedArchitecture ?? 0) skipped steps of the architecture"
        }
        return nil
    }

    /// Counts a step.
    mutating func advance(_ outcome: StepOutcome) {
        step += 1
        switch outcome {
        case .taken(let loss):
            lossSum += loss
            lossCount += 1
        case .skipped(let target):
            skipped += 1
            if target == .architecture { skippedArchitecture = (skippedArchitecture ?? 0) + 1 }
        }
    }

    /// The epoch's mean loss so far; not a number where no step was taken.
    var meanLoss: Double { lossCount > 0 ? lossSum / Double(lossCount) : .nan }

    /// Closes an epoch; the next one's losses start at nothing.
    mutating func finishEpoch() {
        epoch += 1
        (lossSum, lossCount) = (0, 0)
    }
}
