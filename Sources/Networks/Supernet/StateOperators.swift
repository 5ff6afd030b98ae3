import SearchSpace
import Torch

/// The eight operators on all edges that leave one state of the relaxed cell (paper 3.1 and equations 2 to 4).
///
/// Here is the plan of what is merged. Edges that leave one state read the same map: their ReLU, pools and skip are
/// computed once, and the kernels of one operator lie side by side in one convolution. What the softmax weighs is then
/// summed into the blocks that the edges lead to, in one pass.
final class StateOperators {
    /// Operators whose result is normalised, in the order of alpha's columns; skip follows, and none adds nothing.
    private static let normalized = SearchSpace.Operator.allCases.filter { $0 != .skip && $0 != .none }

    private let edges: [CellEdge]
    private let rows: Tensor
    private let operators: [(Tensor, NormalizationMode, _ rectified: Tensor) -> Tensor]
    private let statistics: RunningStatistics

    /// - Parameters:
    ///   - path: Where the variables are named.
    ///   - edges: The edges that leave the state, by block.
    ///   - channels: Channels C of a block.
    ///   - groups: Batches that come one after another, with statistics of their own.
    ///   - device: Where alpha is.
    ///   - configuration: The supernet's shape.
    init(
        _ path: Path, edges: [CellEdge], channels: Int, groups: Int, device: Device,
        configuration: SupernetConfiguration
    ) {
        self.edges = edges
        rows = Tensor(edges.map { Int64($0.index) }, shape: [edges.count], device: device)
        var width = 0
        operators = StateOperators.normalized.map { op in
            width += op.isPool ? channels : edges.count * channels
            return StateOperators.make(
                op, path / op.rawValue, edges: edges.count, channels: channels, groups: groups,
                configuration: configuration)
        }
        statistics = RunningStatistics(
            path / "norm", groups: groups, channels: width, normalization: configuration.normalization)
    }

    /// Adds what the state gives to the blocks that it feeds.
    ///
    /// - Parameters:
    ///   - x: The state `[G * N, C, H, W]`.
    ///   - alpha: Softmaxed weights `[edges of the cell, 8]`.
    ///   - base: What earlier states gave to the same blocks.
    ///   - splits: Whether the first of these blocks is complete with this state.
    ///   - mode: How to normalise.
    /// - Returns: The finished block, and the sum for the blocks after it.
    func callAsFunction(
        _ x: Tensor, alpha: Tensor, base: Tensor?, splits: Bool, mode: NormalizationMode
    ) -> (finished: Tensor?, rest: Tensor?) {
        let rectified = x.relu()
        let maps = operators.map { $0(x, mode, rectified) }
        return mix(
            maps + [x], normalized: maps.count, weights: alpha.indexSelect(0, rows), base: base,
            runningMean: statistics.mean, runningVariance: statistics.variance,
            statistics: statistics.statistics(of: x, mode: mode), splits: splits)
    }

    /// One operator on all edges, up to its last normalisation.
    private static func make(
        _ op: SearchSpace.Operator, _ path: Path, edges: Int, channels: Int, groups: Int,
        configuration: SupernetConfiguration
    ) -> (Tensor, NormalizationMode, Tensor) -> Tensor {
        switch op {
        case .averagePool3x3:
            return { x, _, _ in averagePool2d(x, kernelSize: 3) }
        case .maxPool3x3:
            return { x, _, _ in maxPool2d(x, kernelSize: 3) }
        case .separable3x3, .separable5x5:
            let size = op.kernelSize ?? 3
            let first = EdgeConvolutions.separable(
                path / "1", edges: edges, channels: channels, kernelSize: size, reading: .shared)
            let norm = RunningStatistics(
                path / "norm", groups: groups, channels: edges * channels,
                normalization: configuration.normalization)
            let second = EdgeConvolutions.separable(
                path / "2", edges: edges, channels: channels, kernelSize: size, reading: .own)
            return { _, mode, rectified in second(first(rectified), normalizedBy: norm, mode: mode) }
        case .atrous3x3, .atrous5x5:
            let size = op.kernelSize ?? 3
            let convolution =
                switch configuration.atrous {
                case .dense:
                    EdgeConvolutions.dense(path, edges: edges, channels: channels, kernelSize: size, dilation: 2)
                case .separable:
                    EdgeConvolutions.separable(
                        path, edges: edges, channels: channels, kernelSize: size, dilation: 2, reading: .shared)
                }
            return { _, _, rectified in convolution(rectified) }
        case .skip, .none:
            preconditionFailure("\(op) has no map of its own")
        }
    }
}
