import Networks
import SearchSpace
import Torch

/// The softmaxes of the paper over logits of operators and arrows (equations 2 to 4, 7 and 8).
public struct ArchitectureSoftmax {
    /// For every node that arrows leave three places among the logits, the last beyond them where it has only two.
    private let groups: Tensor
    /// For every arrow its place in the softmaxed groups.
    private let places: Tensor

    /// The softmaxes of a supernet, for tensors on a device.
    public init(_ configuration: SupernetConfiguration, device: Device) {
        let space = NetworkSpace(layers: configuration.layers)
        var groups: [Int64] = []
        var places = [Int64](repeating: 0, count: space.arrows.count)
        for group in space.groups {
            for arrow in group.arrows {
                places[arrow.index] = Int64(groups.count)
                groups.append(Int64(arrow.index))
            }
            while groups.count % 3 != 0 { groups.append(Int64(space.arrows.count)) }
        }
        self.groups = Tensor(groups, shape: [groups.count], device: device)
        self.places = Tensor(places, shape: [places.count], device: device)
    }

    /// - Parameters:
    ///   - operators: Logits of each edge's operators, `[edges, 8]`.
    ///   - arrows: Logits of the arrows, `[arrows]`.
    ///   - gates: Logits of the gates of long skips, `[gates, 2]`; nil where there are none.
    /// - Returns: Probabilities of each edge's operators, `none` included, of the arrows that leave each node, and of open
    ///   gates.
    public func callAsFunction(operators: Tensor, arrows: Tensor, gates: Tensor? = nil) -> ArchitectureWeights {
        let absent = Tensor.full(-.infinity, [1], dtype: arrows.dtype, device: arrows.device)
        let padded = concatenate([arrows, absent], dim: 0).indexSelect(0, groups).reshape([-1, 3])
        return ArchitectureWeights(
            operators: operators.softmax(1), arrows: padded.softmax(1).reshape([-1]).indexSelect(0, places),
            gates: gates.map { $0.softmax(1).select(1, 1) })
    }
}
