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

    /// Counts a step with its loss; nil where it was skipped.
    mutating func advance(loss: Double?) {
        step += 1
        guard let loss else {
            skipped += 1
            return
        }
        lossSum += loss
        lossCount += 1
    }

    /// The epoch's mean loss so far.
    var meanLoss: Double { lossSum / Double(max(lossCount, 1)) }

    /// Closes an epoch; the next one's losses start at nothing.
    mutating func finishEpoch() {
        epoch += 1
        (lossSum, lossCount) = (0, 0)
    }
}
