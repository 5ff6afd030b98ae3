import Torch

/// Running means and variances of G groups of C channels: batch normalisation without affine parameters.
final class RunningStatistics {
    /// `[G, C]`.
    let mean: Tensor
    /// `[G, C]`.
    let variance: Tensor
    private let normalization: Normalization

    init(_ path: Path, groups: Int, channels: Int, normalization: Normalization) {
        precondition(!normalization.affine, "\(path.name): the supernet has no affine parameters")
        mean = path.buffer("runningMean", shape: [groups, channels], value: 0)
        variance = path.buffer("runningVariance", shape: [groups, channels], value: 1)
        self.normalization = normalization
    }

    private init(mean: Tensor, variance: Tensor, normalization: Normalization) {
        self.mean = mean
        self.variance = variance
        self.normalization = normalization
    }

    /// Those of one group, of some channels side by side.
    func part(group: Int, channels: Range<Int>) -> RunningStatistics {
        func own(_ all: Tensor) -> Tensor {
            all.narrow(0, start: group, length: 1).narrow(1, start: channels.lowerBound, length: channels.count)
                .contiguous()
        }
        return RunningStatistics(mean: own(mean), variance: own(variance), normalization: normalization)
    }

    /// How maps like `x` `[G * N, C, H, W]` are normalised in this pass.
    func options(for x: Tensor, mode: NormalizationMode) -> BatchNormOptions {
        let groups = mean.size(0)
        return BatchNormOptions(
            mode: mode, groups: groups, valuesPerChannel: x.size(0) / groups * x.size(2) * x.size(3),
            momentum: normalization.momentum, eps: normalization.eps)
    }

    /// Normalises, with ReLU after it if wanted.
    func callAsFunction(_ x: Tensor, mode: NormalizationMode, withReLU: Bool = false) -> Tensor {
        groupedBatchNorm(
            x, runningMean: mean, runningVariance: variance, options: options(for: x, mode: mode),
            withReLU: withReLU)
    }
}
