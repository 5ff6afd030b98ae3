import Networks
import SearchSpace
import Torch

/// Alpha and beta with their softmaxes (paper equations 2 to 4, 7 and 8).
public final class SoftmaxRelaxation: Relaxation {
    /// One row of operators for every edge of the one cell, `[edges, 8]`.
    public let alpha: Tensor
    /// One value for every arrow of the network, `[arrows]`.
    public let beta: Tensor
    /// For every softmax group three places in beta, the last place beyond it where a node has fewer arrows.
    private let groups: Tensor
    /// For every arrow its place in the softmaxed groups.
    private let places: Tensor

    /// Makes alpha and beta of a supernet, normal with deviation 1e-3.
    public init(_ path: Path, _ configuration: SupernetConfiguration) {
        let edges = CellSpace(blocks: configuration.blocks).edges
        let space = NetworkSpace(layers: configuration.layers)
        let initializer = Initializer.normal(1e-3)
        alpha = path.parameter(
            "alpha", shape: [edges.count, SearchSpace.Operator.allCases.count], initializer: initializer,
            kind: .architecture)
        beta = path.parameter(
            "beta", shape: [space.arrows.count], initializer: initializer, kind: .architecture)
        var groups: [Int64] = []
        var places = [Int64](repeating: 0, count: space.arrows.count)
        for group in space.groups {
            for arrow in group.arrows {
                places[arrow.index] = Int64(groups.count)
                groups.append(Int64(arrow.index))
            }
            while groups.count % 3 != 0 { groups.append(Int64(space.arrows.count)) }
        }
        self.groups = Tensor(groups, shape: [groups.count], device: beta.device)
        self.places = Tensor(places, shape: [places.count], device: beta.device)
    }

    /// The probabilities, which don't depend on the step.
    public func weights(at step: SearchStep) -> ArchitectureWeights { weights }

    /// The probabilities of each edge's operators, zero included, and of the arrows that leave each node, two at the
    /// borders.
    public var weights: ArchitectureWeights {
        let absent = Tensor.full(-.infinity, [1], dtype: beta.dtype, device: beta.device)
        let padded = concatenate([beta, absent], dim: 0).indexSelect(0, groups).reshape([-1, 3])
        return ArchitectureWeights(
            operators: alpha.softmax(1), arrows: padded.softmax(1).reshape([-1]).indexSelect(0, places))
    }
}
