import CSupernet
import Torch

/// What one state adds to all blocks that it feeds (paper equations 1 to 4).
///
///     sum[e] = base[e] + sum over k of weights[e, k] * batchNorm(maps[k])[e]
///
/// - Parameters:
///   - maps: The operators' outputs: `[G * N, E * C, H, W]` where they depend on the edge, `[G * N, C, H, W]` where
///     all E edges share one.
///   - normalized: How many of them, from the first, are normalised; the others are taken as they are.
///   - weights: `[E, K]` or wider; column k belongs to `maps[k]`.
///   - base: What was summed so far, `[G * N, E * C, H, W]`, or `[N, E * C, H, W]` for all groups alike.
///   - runningMean: Of the normalised maps side by side, `[G, sum of channels]`.
///   - runningVariance: Likewise.
///   - options: How to normalise.
///   - splits: Whether the first C channels, a block that is now complete, come out by themselves.
/// - Returns: The finished block `[G * N, C, H, W]` if split off, and the rest, nil where nothing is left.
package func mixedOperation(
    _ maps: [Tensor], normalized: Int, weights: Tensor, base: Tensor?, runningMean: Tensor, runningVariance: Tensor,
    options: BatchNormOptions, splits: Bool
) -> (finished: Tensor?, rest: Tensor?) {
    var finished: ct_optional_tensor?
    var rest: ct_optional_tensor?
    let status = withExtendedLifetime((weights, base, runningMean, runningVariance)) {
        withHandles(maps) {
            ct_mixed_operation(
                $0, Int64(maps.count), Int64(normalized), weights.handle, base?.handle, runningMean.handle,
                runningVariance.handle, options.raw, splits, &finished, &rest)
        }
    }
    Engine.run("mixedOperation", status, (maps + [weights]).map(\.summary).joined(separator: ", "))
    return (finished.map(Tensor.init(owning:)), rest.map(Tensor.init(owning:)))
}
