/// The decoders that were published with the space (arXiv 1810.10804).
public enum KnownDecoder: String, CaseIterable, Hashable, Sendable {
    /// The first, with the best mIOU on VOC: it reads strides 4, 16 and 32, and tells classes at stride 4.
    case arch0
    /// The second; classes at stride 8.
    case arch1
    /// The third; classes at stride 8.
    case arch2

    /// The decoder.
    public var genotype: DecoderGenotype {
        func node(_ first: Int, _ second: Int, _ left: DecoderOperation, _ right: DecoderOperation) -> DecoderNode {
            DecoderNode(DecoderBranch(first, left), DecoderBranch(second, right))
        }
        switch self {
        case .arch0:
            return DecoderGenotype(
                blocks: [DecoderBlock(3, 3), DecoderBlock(3, 2), DecoderBlock(3, 0)],
                cell: DecoderCell(
                    first: .separable5x5Rate6,
                    nodes: [
                        node(0, 0, .conv3x3Rate3, .separable3x3),
                        node(0, 2, .separable5x5Rate6, .separable5x5Rate6), node(0, 5, .conv3x3, .globalPool),
                    ]))
        case .arch1:
            return DecoderGenotype(
                blocks: [DecoderBlock(2, 3), DecoderBlock(3, 1), DecoderBlock(4, 4)],
                cell: DecoderCell(
                    first: .separable3x3,
                    nodes: [
                        node(1, 0, .separable5x5, .conv3x3Rate12), node(0, 1, .separable3x3, .separable5x5Rate6),
                        node(2, 0, .conv3x3Rate12, .conv3x3),
                    ]))
        case .arch2:
            return DecoderGenotype(
                blocks: [DecoderBlock(1, 3), DecoderBlock(4, 3), DecoderBlock(2, 2)],
                cell: DecoderCell(
                    first: .conv3x3Rate3,
                    nodes: [
                        node(0, 0, .globalPool, .conv3x3), node(3, 2, .conv1x1, .conv3x3),
                        node(5, 6, .conv3x3Rate3, .conv1x1),
                    ]))
        }
    }
}

extension DecoderGenotype {
    /// The genotype as one word: `nekrasov:arch0` for a published one, else its numbers in the published order, as
    /// `nekrasov:8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0`.
    ///
    /// These are node 0's operation; positions and operations of nodes 1 to 3; the maps of the three blocks.
    public var name: String {
        let known = KnownDecoder.allCases.first { $0.genotype == self }?.rawValue
        return DecoderGenotype.prefix + (known ?? numbers)
    }

    /// What ``name`` begins with.
    public static let prefix = "nekrasov:"

    /// The genotype of a word, as ``name`` has it.
    ///
    /// - Returns: the genotype; nil where the word does not begin as such names do.
    /// - Throws: `SearchSpaceError` where what follows is no genotype.
    public static func named(_ name: String) throws -> DecoderGenotype? {
        guard name.hasPrefix(prefix) else { return nil }
        let text = String(name.dropFirst(prefix.count).prefix(100))
        if let known = KnownDecoder(rawValue: text) { return known.genotype }
        let groups = text.split(separator: "-").map { $0.split(separator: ".").map { Int($0) ?? -1 } }
        guard groups.map(\.count) == [1, 4, 4, 4, 2, 2, 2] else { throw unknown(name) }
        let genotype: DecoderGenotype
        do {
            genotype = DecoderGenotype(
                blocks: groups.suffix(3).map { DecoderBlock($0[0], $0[1]) },
                cell: DecoderCell(
                    first: try operation(groups[0][0], "node0"),
                    nodes: try groups[1...3].enumerated().map { number, group in
                        DecoderNode(
                            DecoderBranch(group[0], try operation(group[2], "nodes[\(number)][0][1]")),
                            DecoderBranch(group[1], try operation(group[3], "nodes[\(number)][1][1]")))
                    }))
            try genotype.validate()
        } catch let error as SearchSpaceError {
            throw error.from(quoted(name))
        }
        guard genotype.numbers == text else { throw unknown(name) }
        return genotype
    }

    private var numbers: String {
        let nodes = cell.nodes.map { node in node.branches.map(\.position) + node.branches.map(\.operation.index) }
        let groups = [[cell.first.index]] + nodes + blocks.map(\.maps)
        return groups.map { $0.map(String.init).joined(separator: ".") }.joined(separator: "-")
    }

    private static func operation(_ number: Int, _ location: String) throws -> DecoderOperation {
        let all = DecoderOperation.allCases
        guard all.indices.contains(number) else {
            throw SearchSpaceError(
                location: location, problem: "there is no operation \(number); use 0 to \(all.count - 1)")
        }
        return all[number]
    }

    private static func unknown(_ name: String) -> SearchSpaceError {
        let known = enumeration(KnownDecoder.allCases.map { prefix + $0.rawValue })
        return SearchSpaceError(
            problem: "unknown decoder \(quoted(name)); use \(known), or a genotype's numbers as in "
                + "nekrasov:8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0")
    }
}
