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

    /// Weights of the edges' operators, `[edges, 8]`, of the arrows, `[arrows]`, and of the long skips' gates, `[gates]`.
    public init(operators: Tensor, arrows: Tensor, gates: Tensor? = nil) {
        self.operators = operators
        self.arrows = arrows
        self.gates = gates
    }

    /// The weights as plain numbers.
    public var table: ArchitectureTable {
        ArchitectureTable(
            operators: operators.detach().doubles(), arrows: arrows.detach().doubles(), gates: gates?.detach().doubles()
        )
    }
}
