import Networks
import SearchSpace
import Torch

extension ParameterKind {
    /// A parameter of the architecture, as alpha and beta are (paper 4.1): trained by the architecture's optimizer,
    /// never by the weights'.
    public static let architecture = ParameterKind(rawValue: "architecture")
}

extension SupernetConfiguration {
    /// Rows of edges and columns of operators.
    public var operatorShape: [Int] { [CellSpace(blocks: blocks).edges.count, SearchSpace.Operator.allCases.count] }

    /// One place for each arrow.
    public var arrowShape: [Int] { [NetworkSpace(layers: layers).arrows.count] }

    /// Two places for each gate of a long skip, shut and open; nil where there are none.
    public var gateShape: [Int]? {
        let gates = longSkips ? NetworkSpace(layers: layers).longSkipGates.count : 0
        return gates > 0 ? [gates, 2] : nil
    }
}

extension VariableStore {
    /// The parameters that are the supernet's own.
    public var weights: [Variable] { parameters.filter { $0.kind != .architecture } }

    /// The parameters of the architecture.
    public var architecture: [Variable] { parameters.filter { $0.kind == .architecture } }
}
