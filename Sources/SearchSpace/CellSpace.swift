/// A candidate connection of the relaxed cell: a row of alpha.
public struct CellEdge: Hashable, Sendable {
    /// The edge's number: block by block, within a block by input.
    public let index: Int
    /// Where the edge comes from.
    public let input: CellInput
    /// The block that it leads into, counted from 1.
    public let block: Int
}

/// The relaxed cell of ALGORITHM 1: block i may read H^{l-1}, H^{l-2} and every block before it.
public struct CellSpace: Hashable, Sendable {
    /// The number of blocks, B.
    public let blocks: Int
    /// All candidate edges in alpha's order: 2 into block 1, 3 into block 2, up to B + 1 into the last.
    public let edges: [CellEdge]

    /// The space of cells with this many blocks.
    public init(blocks: Int = 5) {
        precondition(blocks >= 1, "a cell has at least one block, not \(blocks)")
        self.blocks = blocks
        var edges: [CellEdge] = []
        for block in 1...blocks {
            for input in 0...block {
                edges.append(CellEdge(index: edges.count, input: CellInput(index: input), block: block))
            }
        }
        self.edges = edges
    }

    /// The blocks that have more inputs than the two which a cell keeps.
    public var crowdedBlocks: [Int] { (1...blocks).filter { edges(into: $0).count > 2 } }

    /// How many decisions make a cell one by one: an operator for each edge, and the inputs of each crowded block.
    public var decisions: Int { edges.count + crowdedBlocks.count }

    /// The edges that leave an input, by block.
    public func edges(from input: CellInput) -> [CellEdge] { edges.filter { $0.input == input } }

    /// The edges that lead into a block (counted from 1), by input.
    public func edges(into block: Int) -> [CellEdge] { edges.filter { $0.block == block } }
}
