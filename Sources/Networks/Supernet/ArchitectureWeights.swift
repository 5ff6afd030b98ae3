import SearchSpace
import Torch

/// How strongly each operator of the cell's edges and each arrow of the network counts in a pass of the supernet.
///
/// The supernet only multiplies by them: what they come from, and whether gradients go further, is the caller's.
public struct ArchitectureWeights {
    /// A row for each edge, `[edges, 8]`.
    public let operators: Tensor
    /// A value for each arrow, `[arrows]`.
    public let arrows: Tensor
    /// How far each gate of the long skips is open, `[gates]`; nil where there are none.
    public let gates: Tensor?
    /// The probabilities of the arrows that leave each node, `[arrows]`, from which follows where a path has been: `arrows`
    /// themselves, unless these are weighed by something else too.
    public let probabilities: Tensor

    /// Weights of the edges' operators, `[edges, 8]`, of the arrows, `[arrows]`, and of the long skips' gates, `[gates]`.
    public init(operators: Tensor, arrows: Tensor, gates: Tensor? = nil, probabilities: Tensor? = nil) {
        self.operators = operators
        self.arrows = arrows
        self.gates = gates
        self.probabilities = probabilities ?? arrows
    }

    /// The weights that say one network alone: 1 for the arrows of its path and for its branches' operators, `none` on all
    /// edges besides, 1 for the gates of its long skips, and 0 for the rest.
    ///
    /// - Parameters:
    ///   - genotype: A network whose blocks read two different inputs each.
    ///   - dtype: The weights' kind.
    ///   - device: Where they are.
    public init(of genotype: Genotype, dtype: DType = .float32, device: Device) {
        let space = NetworkSpace(layers: genotype.layers)
        let taken = Set(space.arrows(along: genotype.path).map(\.index))
        let chosen = CellSpace(blocks: genotype.blocks).edges.map { edge in
            genotype.cell.blocks[edge.block - 1].branches.first { $0.input == edge.input }?.op ?? .none
        }
        let rows = chosen.flatMap { own in SearchSpace.Operator.allCases.map { $0 == own ? 1.0 : 0 } }
        let gates = space.longSkipGates.map { gate in
            taken.contains(gate.arrow.index) && genotype.skips[gate.arrow.target.layer - 1] != nil ? 1.0 : 0
        }
        self.init(
            operators: Tensor(rows, shape: [chosen.count, SearchSpace.Operator.allCases.count]).to(dtype).to(device),
            arrows: Tensor(space.arrows.map { taken.contains($0.index) ? 1.0 : 0 }, shape: [space.arrows.count])
                .to(dtype).to(device),
            gates: gates.isEmpty ? nil : Tensor(gates, shape: [gates.count]).to(dtype).to(device))
    }

    /// The weights as plain numbers.
    public var table: ArchitectureTable {
        ArchitectureTable(
            operators: operators.detach().doubles(), arrows: arrows.detach().doubles(), gates: gates?.detach().doubles()
        )
    }
}
