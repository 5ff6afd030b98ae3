import Torch

/// How far a network's scores are from those of a trained one, its teacher (Hinton, Vinyals and Dean, 2015).
///
/// Both are softened by a temperature T, and the loss is
///
///     T^2 KL( softmax(teacher / T) || softmax(student / T) )
///
/// averaged over the labelled pixels, by choice each with the weight of its label's class. The gradient of the
/// divergence falls as 1 / T^2, which the factor undoes. Pixels without a label are left out: those of the padding
/// around an image show nothing, and a batch does not tell them from the others.
public struct DistillationLoss {
    /// The share w of this loss; that of the labels has 1 - w.
    public var weight: Double
    /// What the scores are divided by, above 0; the higher, the more the wrong classes count.
    public var temperature: Double
    /// How much a pixel counts whose label is a class, `[C]`; nil for all alike.
    public var classWeights: Tensor?

    /// - Parameters:
    ///   - weight: From 0, labels alone, to 1, the teacher alone.
    ///   - temperature: Above 0.
    ///   - classWeights: `[C]`; nil for all pixels alike.
    public init(weight: Double = 0.5, temperature: Double = 1, classWeights: Tensor? = nil) {
        self.weight = weight
        self.temperature = temperature
        self.classWeights = classWeights
    }

    /// What the labelled pixels of a step weigh together, in a group those of all processes; the losses of its batches
    /// are divided by it.
    public func pixels(of labels: [Tensor], dtype: DType = .float32) -> Tensor {
        labelWeight(ofBatches: labels, classWeights: classWeights, dtype: dtype)
    }

    /// The part of a step's loss that one of its batches has, not multiplied by ``weight``.
    ///
    /// - Parameters:
    ///   - scores: `[N, C, H, W]`.
    ///   - teacher: The teacher's scores, of the same shape; no gradient reaches them.
    ///   - labels: `[N, H, W]`, 64-bit integers, 255 for pixels that do not count.
    ///   - pixels: ``pixels(of:dtype:)`` of all batches of the step.
    /// - Returns: A number; the numbers of all batches and processes add up to the loss, which is 0 without a labelled
    ///   pixel.
    public func callAsFunction(_ scores: Tensor, teacher: Tensor, labels: Tensor, pixels: Tensor) -> Tensor {
        func softened(_ scores: Tensor) -> Tensor {
            // Sums over pixels need more than bfloat16's 8 bits.
            ((scores.dtype == .bfloat16 ? scores.to(.float32) : scores) / temperature).logSoftmax(1)
        }
        let wanted = withoutGradients { softened(teacher) }
        let (probabilities, weights) = withoutGradients {
            (wanted.exp(), pixelWeights(labels, classWeights: classWeights, dtype: wanted.dtype))
        }
        let divergence = (probabilities * (wanted - softened(scores))).sum([1])
        return (divergence * weights).sum() * (temperature * temperature) / pixels.orOneWhereZero
    }
}
