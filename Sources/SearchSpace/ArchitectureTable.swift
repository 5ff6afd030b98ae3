/// How strongly each operator of the cell's edges and each arrow of the network counts, as plain numbers.
public struct ArchitectureTable: Hashable, Codable, Sendable {
    /// A row of 8 weights for each edge, in the order of ``CellSpace/edges`` and of `Operator`.
    public var operators: [[Double]]
    /// A weight for each arrow, in the order of ``NetworkSpace/arrows``.
    public var arrows: [Double]
    /// How far each gate is open, in the order of ``NetworkSpace/longSkipGates``; nil where no long skips are searched.
    public var gates: [Double]?

    /// A table of rows.
    public init(operators: [[Double]], arrows: [Double], gates: [Double]? = nil) {
        self.operators = operators
        self.arrows = arrows
        self.gates = gates
    }

    /// A table whose operators' weights come one row after another, as in a tensor `[edges, 8]`.
    public init(operators: [Double], arrows: [Double], gates: [Double]? = nil) {
        self.init(operators: ArchitectureTable.rows(operators), arrows: arrows, gates: gates)
    }

    /// Whether all weights are numbers.
    public var isFinite: Bool {
        operators.allSatisfy { $0.allSatisfy(\.isFinite) } && (arrows + (gates ?? [])).allSatisfy(\.isFinite)
    }

    /// Whether a search with a network's layers and blocks has such a table, with no weight below 0.
    public func fits(_ genotype: Genotype) -> Bool {
        let space = NetworkSpace(layers: genotype.layers)
        return operators.count == CellSpace(blocks: genotype.blocks).edges.count
            && operators.allSatisfy { $0.count == Operator.allCases.count && $0.allSatisfy { $0 >= 0 } }
            && arrows.count == space.arrows.count && arrows.allSatisfy { $0 >= 0 }
            && gates.map { $0.count == space.longSkipGates.count && $0.allSatisfy { $0 >= 0 } } ?? true && isFinite
    }

    /// The weights of all edges' operators, one row after another, as rows of 8.
    public static func rows(_ operators: [Double]) -> [[Double]] {
        let width = Operator.allCases.count
        precondition(operators.count % width == 0, "\(operators.count) values are no rows of \(width)")
        return stride(from: 0, to: operators.count, by: width).map { Array(operators[$0..<$0 + width]) }
    }
}
