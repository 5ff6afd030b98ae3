import CSupernet
import Torch

/// What the E edges of ``separableConv2d(_:depthwise:pointwise:edges:dilation:reading:)`` read.
package enum EdgeReading: Sendable {
    /// All edges the same C channels.
    case shared
    /// Each edge its own C of E * C channels.
    case own
}

/// A depthwise convolution and its pointwise one on E edges, with nothing between them and at stride 1.
///
/// On CPUs the intermediate map is never stored.
///
/// - Parameters:
///   - x: `[N, C, H, W]`, or `[N, E * C, H, W]` where every edge reads its own.
///   - depthwise: `[E * C, 1, K, K]`, K odd.
///   - pointwise: `[E * C, C, 1, 1]`.
///   - edges: E.
///   - dilation: Distance of the depthwise taps.
///   - reading: What the edges read.
/// - Returns: `[N, E * C, H, W]`.
package func separableConv2d(
    _ x: Tensor, depthwise: Tensor, pointwise: Tensor, edges: Int = 1, dilation: Int = 1,
    reading: EdgeReading = .shared
) -> Tensor {
    withExtendedLifetime(pointwise) {
        Tensor.make("separableConv2d", x, depthwise) {
            ct_separable_conv2d(
                x.handle, depthwise.handle, pointwise.handle, Int64(edges), Int64(dilation), reading == .shared, $0)
        }
    }
}

/// As ``groupedBatchNorm(_:runningMean:runningVariance:options:withReLU:)`` with ReLU, and then
/// ``separableConv2d(_:depthwise:pointwise:edges:dilation:reading:)`` of E edges that each read their own.
///
/// On CPUs the normalised map is never stored: the backward pass recomputes it from `x`.
///
/// - Parameters:
///   - x: `[G * N, E * C, H, W]`, the maps of G batches, one after another.
///   - runningMean: `[G, E * C]`, updated in place where `options` says so.
///   - runningVariance: `[G, E * C]`, likewise; the variance is the unbiased one.
///   - options: How to normalise.
///   - depthwise: `[E * C, 1, K, K]`, K odd.
///   - pointwise: `[E * C, C, 1, 1]`.
///   - edges: E.
///   - dilation: Distance of the depthwise taps.
/// - Returns: `[G * N, E * C, H, W]`.
package func batchNormSeparableConv2d(
    _ x: Tensor, runningMean: Tensor, runningVariance: Tensor, options: BatchNormOptions, depthwise: Tensor,
    pointwise: Tensor, edges: Int = 1, dilation: Int = 1
) -> Tensor {
    withExtendedLifetime((runningVariance, pointwise)) {
        Tensor.make("batchNormSeparableConv2d", x, runningMean, depthwise) {
            ct_batch_norm_separable_conv2d(
                x.handle, runningMean.handle, runningVariance.handle, options.raw, depthwise.handle,
                pointwise.handle, Int64(edges), Int64(dilation), $0)
        }
    }
}
