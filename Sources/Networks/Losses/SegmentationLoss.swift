import Torch

/// The loss of a training step: cross entropy, by choice over the hardest pixels alone, with smoothed labels, and with
/// Dice added to it.
///
/// As `crossEntropy` of `Torch` it is this process's part of the group's loss.
public struct SegmentationLoss {
    /// How much a pixel of each class counts, `[C]`; nil for all alike.
    public var classWeights: Tensor?
    /// The share of the labelled pixels that count, those with the largest loss (online hard example mining); 1 takes
    /// all.
    ///
    /// In a group each process chooses among its own pixels.
    public var ohemFraction = 1.0
    /// The share of the wanted distribution that is spread over all classes alike.
    public var labelSmoothing = 0.0
    /// The factor of the Dice loss.
    public var dice = 0.0

    /// Plain cross entropy.
    public init() {}

    /// What the pixels of a step's labels weigh together; the losses of its batches are divided by it.
    public func weight(of labels: [Tensor], dtype: DType = .float32) -> Tensor {
        labelWeight(ofBatches: labels, classWeights: classWeights, dtype: dtype)
    }

    /// The part of a step's loss that one of its batches has.
    ///
    /// - Parameters:
    ///   - scores: `[N, C, H, W]`.
    ///   - labels: `[N, H, W]`, 64-bit integers, 255 for pixels that do not count.
    ///   - total: ``weight(of:dtype:)`` of all batches of the step.
    ///   - batches: How many there are; Dice, which is no sum over pixels, is their mean.
    /// - Returns: A number; the numbers of all batches and processes add up to the loss.
    public func callAsFunction(_ scores: Tensor, labels: Tensor, total: Tensor, batches: Int = 1) -> Tensor {
        // Sums over pixels need more than bfloat16's 8 bits.
        let scores = scores.dtype == .bfloat16 ? scores.to(.float32) : scores
        lazy var logProbabilities = scores.logSoftmax(1)
        let entropy =
            ohemFraction == 1 && labelSmoothing == 0
            ? negativeLogLikelihood(logProbabilities, labels: labels, classWeights: classWeights, total: total)
            : pixelwiseEntropy(scores, labels: labels, total: total)
        return dice > 0
            ? entropy + diceLoss(logProbabilities.exp(), labels: labels) * (dice / Double(batches)) : entropy
    }

    /// Cross entropy that needs to know each pixel's loss.
    private func pixelwiseEntropy(_ scores: Tensor, labels: Tensor, total: Tensor) -> Tensor {
        let losses = pixelCrossEntropy(scores, labels: labels, classWeights: classWeights, smoothing: labelSmoothing)
        guard ohemFraction < 1 else { return losses.sum() / total.orOneWhereZero }
        let labelled = withoutGradients { (1 - labels.equals(255).to(.float64)).sum().item() }
        let hard = max(1, Int(clamping: (labelled * ohemFraction).rounded()))
        return losses.topK(hard).sum() / (total.orOneWhereZero * ohemFraction)
    }
}

/// What the labelled pixels of all batches of a step weigh together, in a group those of all processes.
func labelWeight(ofBatches labels: [Tensor], classWeights: Tensor?, dtype: DType) -> Tensor {
    let parts = labels.map { labelWeight($0, classWeights: classWeights, dtype: dtype) }
    return parts.dropFirst().reduce(parts[0], +)
}

/// One minus the mean over the labelled classes of 2 |P ∩ Y| / (|P| + |Y|), over the pixels of the whole group.
///
/// The prediction P is one of probabilities (Milletari and others, 2016).
///
/// - Parameters:
///   - probabilities: `[N, C, H, W]`, of at least 32 bits.
///   - labels: `[N, H, W]`, 64-bit integers, 255 for pixels that do not count.
/// - Returns: This process's part of the loss.
func diceLoss(_ probabilities: Tensor, labels: Tensor) -> Tensor {
    let overlaps = classOverlaps(probabilities, labels: labels)
    // Sums over the group, of which only the own part has a graph: the gradients of all ranks add up to the loss's.
    let sums = overlaps + (allReduced { overlaps.detach().clone() } - overlaps.detach())
    let (intersections, predicted) = (sums.select(0, 0), sums.select(0, 1))
    let labelled = withoutGradients { sums.select(0, 2) }
    let present = withoutGradients { 1 - labelled.equals(0).to(probabilities.dtype) }
    let coefficients = 2 * intersections / (predicted + labelled).orOneWhereZero
    let count = withoutGradients { present.sum() }.orOneWhereZero
    let loss = 1 - (coefficients * present).sum() / count
    // Every rank has the whole loss now: its part must be a share of the value, with the gradient as it is.
    return loss - loss.detach() * (1 - 1 / Double(ProcessGroup.size))
}
