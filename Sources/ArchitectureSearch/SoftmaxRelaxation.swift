import SearchSpace
import Torch

/// Alpha and beta with their softmaxes (paper equations 2 to 4, 7 and 8).
public final class ArchitectureParameters {
    /// One row of operators for every edge of the one cell, `[edges, 8]`.
    public let alpha: Tensor
    /// One value for every arrow of the network, `[arrows]`.
    public let beta: Tensor
    private let atrous: AtrousKind
    private let cellSpace: CellSpace
    private let networkSpace: NetworkSpace
    /// For every softmax group three places in beta, the last place beyond it where a node has fewer arrows.
    private let groups: Tensor
    /// For every arrow its place in the softmaxed groups.
    private let places: Tensor

    init(_ path: Path, cellSpace: CellSpace, networkSpace: NetworkSpace, atrous: AtrousKind, device: Device) {
        self.atrous = atrous
        self.cellSpace = cellSpace
        self.networkSpace = networkSpace
        let initializer = Initializer.normal(1e-3)
        alpha = path.parameter(
            "alpha", shape: [cellSpace.edges.count, SearchSpace.Operator.allCases.count], initializer: initializer,
            kind: .architecture)
        beta = path.parameter(
            "beta", shape: [networkSpace.arrows.count], initializer: initializer, kind: .architecture)
        var groups: [Int64] = []
        var places = [Int64](repeating: 0, count: networkSpace.arrows.count)
        for group in networkSpace.groups {
            for arrow in group.arrows {
                places[arrow.index] = Int64(groups.count)
                groups.append(Int64(arrow.index))
            }
            while groups.count % 3 != 0 { groups.append(Int64(networkSpace.arrows.count)) }
        }
        self.groups = Tensor(groups, shape: [groups.count], device: device)
        self.places = Tensor(places, shape: [places.count], device: device)
    }

    /// Softmax over the eight operators of each edge, zero included: `[edges, 8]`.
    public var alphaProbabilities: Tensor { alpha.softmax(1) }

    /// Softmax over the arrows that leave each node, two at the borders: `[arrows]`.
    public var betaProbabilities: Tensor {
        let absent = Tensor.full(-.infinity, [1], dtype: beta.dtype, device: beta.device)
        let padded = concatenate([beta, absent], dim: 0).indexSelect(0, groups).reshape([-1, 3])
        return padded.softmax(1).reshape([-1]).indexSelect(0, places)
    }

    /// Alpha's probabilities as plain numbers, row by edge.
    public var alphaTable: [[Double]] {
        let values = withoutGradients { alphaProbabilities.doubles() }
        let width = SearchSpace.Operator.allCases.count
        return cellSpace.edges.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }
    }

    /// Beta's probabilities as plain numbers, by arrow.
    public var betaTable: [Double] { withoutGradients { betaProbabilities.doubles() } }

    /// The strongest discrete network (paper 4.3).
    public func decoded() -> Genotype {
        Genotype(
            path: decodePath(outgoing: betaTable, space: networkSpace),
            cell: decodeCell(alpha: alphaTable, space: cellSpace), atrous: atrous)
    }
}
