import SearchSpace
import Torch

/// The operators on all edges that leave one state of the relaxed cell (paper 3.1 and equations 2 to 4).
///
/// Here is the plan of what is merged. Edges that leave one state read the same map: their ReLU, pools and skip are
/// computed once, and the kernels of one operator lie side by side in one convolution. What the softmax weighs is then
/// summed into the blocks that the edges lead to, in one pass: over the maps that are normalised, then the state itself
/// for skip, as alpha's columns are ordered; none adds nothing.
final class StateOperators {
    /// One operator on all edges, up to its last normalisation.
    private struct Merged {
        let op: SearchSpace.Operator
        /// Channels of its map: those of a block, or as many for each edge.
        let width: Int
        let map: (_ x: Tensor, _ rectified: Tensor, NormalizationMode) -> Tensor
        /// What the map has of one edge, by its number among the state's.
        let edge: (_ number: Int, _ group: Int, _ x: Tensor, NormalizationMode) -> Tensor
    }

    private let edges: [CellEdge]
    private let channels: Int
    private let rows: Tensor
    private let operators: [Merged]
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
        self.channels = channels
        rows = Tensor(edges.map { Int64($0.index) }, shape: [edges.count], device: device)
        operators = SearchSpace.Operator.allCases.compactMap {
            StateOperators.merge(
                $0, path / $0.rawValue, edges: edges.count, channels: channels, groups: groups,
                configuration: configuration)
        }
        statistics = RunningStatistics(
            path / "norm", groups: groups, channels: operators.reduce(0) { $0 + $1.width },
            normalization: configuration.normalization)
    }

    /// Adds what the state gives to the blocks that it feeds.
    ///
    /// - Parameters:
    ///   - x: The state `[G * N, C, H, W]`.
    ///   - alpha: Softmaxed weights `[edges of the cell, operators]`.
    ///   - base: What earlier states gave to the same blocks.
    ///   - splits: Whether the first of these blocks is complete with this state.
    ///   - mode: How to normalise.
    /// - Returns: The finished block, and the sum for the blocks after it.
    func callAsFunction(
        _ x: Tensor, alpha: Tensor, base: Tensor?, splits: Bool, mode: NormalizationMode
    ) -> (finished: Tensor?, rest: Tensor?) {
        let rectified = x.relu()
        let maps = operators.map { $0.map(x, rectified, mode) }
        return mixedOperation(
            maps + [x], normalized: maps.count, weights: alpha.indexSelect(0, rows), base: base,
            runningMean: statistics.mean, runningVariance: statistics.variance,
            options: statistics.options(for: x, mode: mode), splits: splits)
    }

    /// One operator on one edge, as the sum has it where it weighs 1.
    ///
    /// - Parameters:
    ///   - op: The operator.
    ///   - block: The block that the edge leads to.
    ///   - x: The state of one group, `[N, C, H, W]`.
    ///   - group: The group, by whose statistics it is normalised.
    ///   - mode: How to normalise; running statistics stay.
    /// - Returns: `[N, C, H, W]`; nil where the operator gives nothing.
    func callAsFunction(
        only op: SearchSpace.Operator, into block: Int, of x: Tensor, group: Int, mode: NormalizationMode
    ) -> Tensor? {
        if op == .skip { return x }
        guard let number = edges.firstIndex(where: { $0.block == block }),
            let place = operators.firstIndex(where: { $0.op == op })
        else { return nil }
        let merged = operators[place]
        let isShared = merged.width == channels
        let start = operators[..<place].reduce(0) { $0 + $1.width } + (isShared ? 0 : number * channels)
        return statistics.part(group: group, channels: start..<start + channels)(
            merged.edge(number, group, x, mode), mode: mode)
    }

    /// The operator on all edges; nil where it has no map of its own.
    private static func merge(
        _ op: SearchSpace.Operator, _ path: Path, edges: Int, channels: Int, groups: Int,
        configuration: SupernetConfiguration
    ) -> Merged? {
        switch op.form {
        case .separable(let kernel):
            let first = EdgeConvolutions.separable(
                path / "1", edges: edges, channels: channels, kernelSize: kernel, reading: .shared)
            let norm = RunningStatistics(
                path / "norm", groups: groups, channels: edges * channels,
                normalization: configuration.normalization)
            let second = EdgeConvolutions.separable(
                path / "2", edges: edges, channels: channels, kernelSize: kernel, reading: .own)
            return Merged(op: op, width: edges * channels) {
                second(first($1), normalizedBy: norm, mode: $2)
            } edge: { number, group, x, mode in
                let start = number * channels
                return second.edge(number)(
                    norm.part(group: group, channels: start..<start + channels)(
                        first.edge(number)(x.relu()), mode: mode, withReLU: true))
            }
        case .atrous(let kernel, let rate):
            let convolution =
                switch configuration.atrous {
                case .dense:
                    EdgeConvolutions.dense(path, edges: edges, channels: channels, kernelSize: kernel, dilation: rate)
                case .separable:
                    EdgeConvolutions.separable(
                        path, edges: edges, channels: channels, kernelSize: kernel, dilation: rate, reading: .shared)
                }
            return Merged(op: op, width: edges * channels) { _, rectified, _ in
                convolution(rectified)
            } edge: { number, _, x, _ in
                convolution.edge(number)(x.relu())
            }
        case .pool(let pool, let kernel):
            return Merged(op: op, width: channels) { x, _, _ in
                pool2d(x, pool, kernelSize: kernel)
            } edge: { _, _, x, _ in
                pool2d(x, pool, kernelSize: kernel)
            }
        case .skip, .none: return nil
        }
    }
}
