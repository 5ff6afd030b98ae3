/// The space of decoders as a sequence of choices, each among a number of options, for whoever draws or changes them.
///
/// The choices come in the order in which the published controller makes them: for each block the numbers of its two
/// maps; node 0's operation; then for each node from 1 on two positions and two operations, the first position with the
/// first operation. For the published sizes these are 19 choices, of 4, 4, 5, 5, 6, 6; 11; and for nodes 1 to 3 of
/// 2, 2, 11, 11; 5, 5, 11, 11; 8, 8, 11, 11 options. All sequences are valid genotypes. (The published code lets node j
/// choose among one position less, which its own published results contradict.)
public struct DecoderSpace: Hashable, Sendable {
    /// The number of the encoder's maps.
    public let maps: Int
    /// The number of blocks.
    public let blocks: Int
    /// The number of nodes behind node 0.
    public let nodes: Int
    /// The number of operations, the first ones of `DecoderOperation`.
    public let operations: Int

    /// The published space: four maps, three blocks, three nodes, eleven operations.
    public static let published = DecoderSpace(
        maps: DecoderGenotype.encoderMaps, blocks: DecoderGenotype.blockCount, nodes: DecoderGenotype.nodeCount,
        operations: DecoderOperation.allCases.count)

    /// A space of other sizes, small enough to be gone through; networks are built from the published one alone.
    package init(maps: Int, blocks: Int, nodes: Int, operations: Int) {
        self.maps = maps
        self.blocks = blocks
        self.nodes = nodes
        self.operations = operations
    }

    /// One of the choices.
    public struct Choice: Hashable, Sendable {
        /// What is chosen.
        public enum Kind: Hashable, Sendable {
            /// The number of a map that a block reads.
            case map
            /// The operation of node 0 or of a branch, by its number.
            case operation
            /// The position that a branch reads.
            case position
        }

        /// What is chosen.
        public let kind: Kind
        /// Among how many options, numbered from 0.
        public let options: Int
    }

    /// The choices, in their order.
    public var choices: [Choice] {
        let operation = Choice(kind: .operation, options: operations)
        let picks = (0..<blocks).flatMap { Array(repeating: Choice(kind: .map, options: maps + $0), count: 2) }
        return picks + [operation]
            + (0..<nodes).flatMap { node in
                let position = Choice(kind: .position, options: DecoderCell.positions(before: node + 1))
                return [position, position, operation, operation]
            }
    }

    /// The genotype of a sequence of choices, all in range.
    package func genotype(_ choices: [Int]) -> DecoderGenotype {
        let cell = Array(choices.dropFirst(2 * blocks))
        let operations = DecoderOperation.allCases
        return DecoderGenotype(
            blocks: (0..<blocks).map { DecoderBlock(choices[2 * $0], choices[2 * $0 + 1]) },
            cell: DecoderCell(
                first: operations[cell[0]],
                nodes: (0..<nodes).map {
                    let own = cell[(4 * $0 + 1)...].prefix(4).map { $0 }
                    return DecoderNode(
                        DecoderBranch(own[0], operations[own[2]]), DecoderBranch(own[1], operations[own[3]]))
                }))
    }

    /// A random genotype: each choice is uniform among its options, so that all sequences are equally likely.
    ///
    /// - Parameter bits: Gives 64 random bits at each call.
    /// - Returns: The genotype.
    public func sample(bits: () -> UInt64) -> DecoderGenotype {
        genotype(choices.map { Int(uniform(below: UInt128($0.options), bits)) })
    }

    /// The number of genotypes: that of all sequences of choices.
    public var count: UInt128 { choices.reduce(1) { $0 * UInt128($1.options) } }

    /// The number of genotypes that are not the same decoder, which ``DecoderGenotype/canonical`` tells.
    ///
    /// Blocks have n (n + 1) / 2 pairs of n maps. Cells are counted by Burnside's lemma: a swap of the branches of some
    /// nodes leaves those cells as they are whose swapped nodes have two equal branches and whose other nodes read no
    /// branch of a swapped one.
    public var distinctCount: UInt128 {
        let pairs = (0..<blocks).reduce(UInt128(1)) { $0 * UInt128((maps + $1) * (maps + $1 + 1) / 2) }
        var fixed: UInt128 = 0
        for swaps in 0..<(1 << nodes) {
            var cells: UInt128 = 1
            var earlier = 0
            for node in 0..<nodes {
                let positions = DecoderCell.positions(before: node + 1)
                if swaps >> node & 1 == 1 {
                    cells *= UInt128(operations * positions)
                    earlier += 1
                } else {
                    let branches = UInt128(operations * (positions - 2 * earlier))
                    cells *= branches * branches
                }
            }
            fixed += cells
        }
        return pairs * UInt128(operations) * fixed / UInt128(1 << nodes)
    }
}

extension DecoderGenotype {
    /// The genotype of a sequence of choices.
    ///
    /// - Parameter choices: A number for each of `DecoderSpace.published.choices`, below its options.
    /// - Throws: `SearchSpaceError` where there are more or fewer, or one is out of range.
    public init(choices: [Int]) throws {
        let wanted = DecoderSpace.published.choices
        guard choices.count == wanted.count else {
            throw SearchSpaceError(
                location: "choices", problem: "there are \(choices.count), but a decoder has \(wanted.count)")
        }
        for (index, (choice, wanted)) in zip(choices, wanted).enumerated()
        where !(0..<wanted.options).contains(choice) {
            throw SearchSpaceError(
                location: "choices[\(index)]", problem: "\(choice) is not between 0 and \(wanted.options - 1)")
        }
        self = DecoderSpace.published.genotype(choices)
    }

    /// The numbers that were chosen, in the order of ``DecoderSpace/choices``.
    public var choices: [Int] {
        blocks.flatMap(\.maps) + [cell.first.index]
            + cell.nodes.flatMap { node in node.branches.map(\.position) + node.branches.map(\.operation.index) }
    }
}
