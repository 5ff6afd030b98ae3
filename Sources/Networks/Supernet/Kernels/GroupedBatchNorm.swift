import CSupernet
import Torch

/// Options of a batch normalisation over groups, for one pass.
package struct BatchNormOptions: Sendable {
    /// The batch is so many batches, one after another, each with statistics of its own.
    package var groups: Int
    /// Whether to normalise by the batch, else by the running statistics.
    package var usesBatchStatistics: Bool
    /// Whether to update the running statistics.
    package var updatesRunningStatistics: Bool
    /// Share of the batch's statistics in each update of the running ones.
    package var momentum: Double
    /// Added to the variance.
    package var eps: Double

    /// The options that a mode means for `groups` batches of `valuesPerChannel` values each.
    ///
    /// One value per channel, in all processes together, has no variance: the running statistics serve, and stay as
    /// they are.
    package init(
        mode: NormalizationMode, groups: Int = 1, valuesPerChannel: Int, momentum: Double, eps: Double
    ) {
        self.groups = groups
        usesBatchStatistics = mode != .evaluation && valuesPerChannel * ProcessGroup.size > 1
        updatesRunningStatistics = usesBatchStatistics && mode != .batchStatistics
        self.momentum = mode == .measuring ? 1 : momentum
        self.eps = eps
    }

    var raw: ct_batch_norm_options {
        ct_batch_norm_options(
            groups: Int64(groups), use_batch_statistics: usesBatchStatistics,
            update_running_statistics: updatesRunningStatistics, momentum: momentum, eps: eps)
    }
}

/// Batch normalisation without affine parameters of `x` `[G * N, C, H, W]`, then ReLU if wanted.
///
/// - Parameters:
///   - x: The maps of G batches, one after another.
///   - runningMean: `[G, C]`, updated in place where `options` says so.
///   - runningVariance: `[G, C]`, likewise; the variance is the unbiased one.
///   - options: How to normalise.
///   - withReLU: Whether ReLU follows.
/// - Returns: `[G * N, C, H, W]`.
package func groupedBatchNorm(
    _ x: Tensor, runningMean: Tensor, runningVariance: Tensor, options: BatchNormOptions, withReLU: Bool
) -> Tensor {
    Tensor.make("groupedBatchNorm", x, runningMean) {
        ct_grouped_batch_norm(
            x.handle, runningMean.handle, runningVariance.handle, options.raw, withReLU, $0)
    }
}
