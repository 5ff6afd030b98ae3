/// The decoder that a search over decoders finds for an encoder (Nekrasov et al., arXiv 1810.10804): which maps its blocks
/// read, and the one cell that all blocks use (ALGORITHM 14).
public struct DecoderGenotype: Hashable, Sendable {
    /// The blocks, in the order in which their results join the maps.
    public var blocks: [DecoderBlock]
    /// The cell.
    public var cell: DecoderCell

    /// The maps of the encoder that blocks may read: those at strides 4, 8, 16 and 32, numbers 0 to 3.
    public static let encoderMaps = 4
    /// The number of blocks, whose results are maps 4 to 6.
    public static let blockCount = 3
    /// The number of the cell's nodes behind node 0.
    public static let nodeCount = 3

    /// A genotype of blocks and a cell; `validate()` says whether it is one that can be built.
    public init(blocks: [DecoderBlock], cell: DecoderCell) {
        self.blocks = blocks
        self.cell = cell
    }

    /// Checks the number of blocks and nodes, and what they read.
    ///
    /// - Throws: `SearchSpaceError` naming the first block or branch that is wrong.
    public func validate() throws {
        func check(_ count: Int, _ location: String, _ wanted: Int) throws {
            guard count == wanted else {
                throw SearchSpaceError(
                    location: location, problem: "\(count) \(location), but a decoder has \(wanted)")
            }
        }
        try check(blocks.count, "blocks", DecoderGenotype.blockCount)
        try check(cell.nodes.count, "nodes", DecoderGenotype.nodeCount)
        for (number, block) in blocks.enumerated() {
            let highest = DecoderGenotype.encoderMaps + number - 1
            for (side, map) in block.maps.enumerated() where !(0...highest).contains(map) {
                let own = number == 0 ? "" : ", or 4 to \(highest) for blocks before it"
                throw SearchSpaceError(
                    location: "blocks[\(number)][\(side)]",
                    problem: "there is no map \(map); use 0 to 3 for the encoder's at strides 4, 8, 16 and 32\(own)")
            }
        }
        for (number, node) in cell.nodes.enumerated() {
            let highest = DecoderCell.positions(before: number + 1) - 1
            for (side, branch) in node.branches.enumerated() where !(0...highest).contains(branch.position) {
                throw SearchSpaceError(
                    location: "nodes[\(number)][\(side)][0]",
                    problem: "there is no position \(branch.position) in front of node \(number + 1); "
                        + "use 0 to \(highest)")
            }
        }
    }

    /// The maps of blocks that no later block reads, of which the classes are told: numbers from 4 on.
    public var looseMaps: [Int] {
        let read = Set(blocks.flatMap(\.maps))
        return blocks.indices.map { DecoderGenotype.encoderMaps + $0 }.filter { !read.contains($0) }
    }

    /// The strides of all maps, the encoder's first: a block has the finer one of its two maps.
    public var strides: [Int] {
        blocks.reduce([4, 8, 16, 32]) { strides, block in
            strides + [min(strides[block.first], strides[block.second])]
        }
    }

    /// The stride at which classes are told apart: that of the finest loose map.
    public var stride: Int {
        let strides = strides
        return looseMaps.map { strides[$0] }.min() ?? 4
    }
}

/// A block of a searched decoder: the cell on each of two maps, with weights of its own each, and their sum.
public struct DecoderBlock: Hashable, Sendable {
    /// The first map's number.
    public var first: Int
    /// The second map's number, which may be the first's.
    public var second: Int

    /// A block that reads these maps.
    public init(_ first: Int, _ second: Int) {
        self.first = first
        self.second = second
    }

    /// Both maps' numbers.
    public var maps: [Int] { [first, second] }
}

/// The cell of a searched decoder.
///
/// Position 0 is its input, position 1 node 0. Each node j from 1 on adds three positions: its first branch (3j - 1), its
/// second (3j), and their sum (3j + 1). The result is the sum of node 0 and of those nodes that nothing reads; branches
/// and the input are no part of it by themselves.
public struct DecoderCell: Hashable, Sendable {
    /// Node 0: what is done with the input.
    public var first: DecoderOperation
    /// The nodes from 1 on.
    public var nodes: [DecoderNode]

    /// A cell of node 0 and the nodes behind it.
    public init(first: DecoderOperation, nodes: [DecoderNode]) {
        self.first = first
        self.nodes = nodes
    }

    /// The number of positions in front of a node, from 1 on: 2, 5, 8.
    public static func positions(before node: Int) -> Int { 3 * node - 1 }

    /// The positions whose sum is the result, in order.
    ///
    /// Node 0 and the nodes' sums that nothing reads; the last node's always.
    public var loosePositions: [Int] {
        let read = Set(nodes.flatMap { $0.branches.map(\.position) })
        return ([1] + nodes.indices.map { 3 * $0 + 4 }).filter { !read.contains($0) }
    }
}

/// A node of a decoder's cell: two branches, and their sum.
public struct DecoderNode: Hashable, Sendable {
    /// The first branch.
    public var first: DecoderBranch
    /// The second branch.
    public var second: DecoderBranch

    /// A node of two branches.
    public init(_ first: DecoderBranch, _ second: DecoderBranch) {
        self.first = first
        self.second = second
    }

    /// Both branches.
    public var branches: [DecoderBranch] { [first, second] }
}

/// A branch of a node: an operation on a position of the cell.
public struct DecoderBranch: Hashable, Sendable {
    /// What is read.
    public var position: Int
    /// What is done with it.
    public var operation: DecoderOperation

    /// An operation on a position.
    public init(_ position: Int, _ operation: DecoderOperation) {
        self.position = position
        self.operation = operation
    }
}
