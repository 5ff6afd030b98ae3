import CTorch

/// How one normalisation uses statistics in one pass.
public struct BatchStatistics: Sendable {
    /// The batch is so many batches, one after another, each with statistics of its own.
    public var groups: Int
    /// Whether to normalise by the batch, else by the running statistics.
    public var byBatch: Bool
    /// Whether the running statistics move.
    public var moves: Bool
    /// Share of the batch's statistics in each move of the running ones.
    public var momentum: Double
    /// Added to the variance.
    public var eps: Double

    /// What a mode means for `groups` batches of `valuesPerChannel` values each.
    ///
    /// One value per channel, in all processes together, has no variance: the running statistics serve, and stay as
    /// they are.
    public init(
        mode: NormalizationMode, groups: Int = 1, valuesPerChannel: Int, momentum: Double, eps: Double
    ) {
        self.groups = groups
        byBatch = mode != .evaluation && valuesPerChannel * ProcessGroup.size > 1
        moves = byBatch && mode == .training
        self.momentum = momentum
        self.eps = eps
    }

    var raw: ct_statistics {
        ct_statistics(groups: Int64(groups), by_batch: byBatch, moves: moves, momentum: momentum, eps: eps)
    }
}

/// Batch normalisation without affine parameters of `x` `[G * N, C, H, W]`, then ReLU if wanted.
///
/// - Parameters:
///   - x: The maps of G batches, one after another.
///   - runningMean: `[G, C]`, moved in place where `statistics` says so.
///   - runningVariance: `[G, C]`, likewise; the variance is the unbiased one.
///   - statistics: How to normalise.
///   - activates: Whether ReLU follows.
/// - Returns: `[G * N, C, H, W]`.
public func normalize(
    _ x: Tensor, runningMean: Tensor, runningVariance: Tensor, statistics: BatchStatistics, activates: Bool
) -> Tensor {
    Tensor.make("normalize", x, runningMean) {
        ct_normalize(x.handle, runningMean.handle, runningVariance.handle, statistics.raw, activates, $0)
    }
}

/// As ``normalize(_:runningMean:runningVariance:statistics:activates:)`` with ReLU, and then
/// ``separableConv2d(_:depthwise:pointwise:edges:dilation:reading:)`` of E edges that each read their own.
///
/// On processors what is normalised is never stored: the backward pass makes it again from `x`.
///
/// - Parameters:
///   - x: `[G * N, E * C, H, W]`, the maps of G batches, one after another.
///   - runningMean: `[G, E * C]`, moved in place where `statistics` says so.
///   - runningVariance: `[G, E * C]`, likewise; the variance is the unbiased one.
///   - statistics: How to normalise.
///   - depthwise: `[E * C, 1, K, K]`, K odd.
///   - pointwise: `[E * C, C, 1, 1]`.
///   - edges: E.
///   - dilation: Distance of the depthwise taps.
/// - Returns: `[G * N, E * C, H, W]`.
public func normalizedSeparableConv2d(
    _ x: Tensor, runningMean: Tensor, runningVariance: Tensor, statistics: BatchStatistics, depthwise: Tensor,
    pointwise: Tensor, edges: Int = 1, dilation: Int = 1
) -> Tensor {
    withExtendedLifetime((runningVariance, pointwise)) {
        Tensor.make("normalizedSeparableConv2d", x, runningMean, depthwise) {
            ct_normalized_separable(
                x.handle, runningMean.handle, runningVariance.handle, statistics.raw, depthwise.handle,
                pointwise.handle, Int64(edges), Int64(dilation), $0)
        }
    }
}

/// One state's part in all blocks that it feeds (paper equations 1 to 4).
///
///     sum[e] = base[e] + sum over k of weights[e, k] * normalised(maps[k])[e]
///
/// - Parameters:
///   - maps: The operators' raw results: `[G * N, E * C, H, W]` where they depend on the edge, `[G * N, C, H, W]` where
///     all E edges share one.
///   - normalized: How many of them, from the first, are normalised; the others are taken as they are.
///   - weights: `[E, K]` or wider; column k belongs to `maps[k]`.
///   - base: What was summed so far, `[G * N, E * C, H, W]`, or `[N, E * C, H, W]` for all groups alike.
///   - runningMean: Of the normalised maps side by side, `[G, sum of channels]`.
///   - runningVariance: Likewise.
///   - statistics: How to normalise.
///   - splits: Whether the first C channels, a block that is now complete, come out by themselves.
/// - Returns: The finished block `[G * N, C, H, W]` if split off, and the rest, nil where nothing is left.
public func mix(
    _ maps: [Tensor], normalized: Int, weights: Tensor, base: Tensor?, runningMean: Tensor, runningVariance: Tensor,
    statistics: BatchStatistics, splits: Bool
) -> (finished: Tensor?, rest: Tensor?) {
    var finished: ct_optional_tensor?
    var rest: ct_optional_tensor?
    let status = withExtendedLifetime((weights, base, runningMean, runningVariance)) {
        withHandles(maps) {
            ct_mix(
                $0, Int64(maps.count), Int64(normalized), weights.handle, base?.handle, runningMean.handle,
                runningVariance.handle, statistics.raw, splits, &finished, &rest)
        }
    }
    Engine.run("mix", status, (maps + [weights]).map(\.summary).joined(separator: ", "))
    return (finished.map(Tensor.init(owning:)), rest.map(Tensor.init(owning:)))
}
