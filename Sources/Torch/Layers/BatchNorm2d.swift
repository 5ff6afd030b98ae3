/// How a batch normalisation is to behave in one pass.
public enum NormalizationMode: Sendable {
    /// Normalise by the batch, and update the running statistics.
    case training
    /// Normalise by the batch, and leave the running statistics as they are.
    case batchStatistics
    /// Normalise by the batch, and put its statistics in the place of the running ones.
    case measuring
    /// Normalise by the running statistics.
    case evaluation
}

/// Batch normalisation per channel.
public final class BatchNorm2d {
    /// Scale `[C]`; nil without affine parameters.
    public let weight: Tensor?
    /// Shift `[C]`; nil without affine parameters.
    public let bias: Tensor?
    /// Running mean `[C]`.
    public let runningMean: Tensor
    /// Running variance `[C]`.
    public let runningVariance: Tensor
    /// Share of the batch's statistics in each move of the running ones (1 - decay).
    public package(set) var momentum: Double
    /// Added to the variance.
    public let eps: Double

    /// Makes the statistics, and the affine parameters where wanted, under `path`.
    public init(_ path: Path, channels: Int, affine: Bool, eps: Double, momentum: Double) {
        weight =
            affine
            ? path.parameter("weight", shape: [channels], initializer: .ones, kind: .normalization) : nil
        bias =
            affine
            ? path.parameter("bias", shape: [channels], initializer: .zeros, kind: .normalization) : nil
        runningMean = path.buffer("runningMean", shape: [channels], value: 0)
        runningVariance = path.buffer("runningVariance", shape: [channels], value: 1)
        self.momentum = momentum
        self.eps = eps
    }

    /// Normalises `[N, C, H, W]`, with an activation behind it if wanted.
    ///
    /// The batch is that of all processes of a group together. One value per channel has no variance: it is normalised
    /// by the running statistics, which stay as they are.
    public func callAsFunction(
        _ x: Tensor, mode: NormalizationMode, activation: Activation? = nil
    ) -> Tensor {
        let byBatch = mode != .evaluation && x.size(0) * x.size(2) * x.size(3) * ProcessGroup.size > 1
        let leavesRunning = byBatch && mode == .batchStatistics
        return batchNorm(
            x, weight: weight, bias: bias, runningMean: leavesRunning ? nil : runningMean,
            runningVariance: leavesRunning ? nil : runningVariance, training: byBatch,
            momentum: mode == .measuring ? 1 : momentum, eps: eps, activation: activation)
    }
}
