/// The genotypes of one size as a sequence of choices: the stride of each layer, which layers have their long skips where
/// such are searched, and for each block of the cell two different inputs and two operators.
///
/// `none` is no operator, as for random genotypes. The two branches of a block may come in either order, so that every pair
/// of inputs is equally likely where nothing has been learnt.
public struct GenotypeChoices: Sendable {
    /// The choices; a stride is its level, an input its index, an operator its place among those that compute something.
    public let sequence: ChoiceSequence
    private let layers: Int
    private let blocks: Int
    private let atrous: AtrousKind
    private let longSkips: Bool
    private let stem: StemKind

    private static let operators = Operator.allCases.filter { $0 != .none }

    /// The genotypes of a size.
    ///
    /// - Parameters:
    ///   - layers: The number of layers.
    ///   - blocks: The number of blocks.
    ///   - atrous: How the atrous operators convolve.
    ///   - longSkips: Whether layers may have long skips.
    ///   - stem: What all of them begin on.
    /// - Throws: `SearchSpaceError` where layers or blocks are out of range.
    public init(
        layers: Int, blocks: Int, atrous: AtrousKind = .dense, longSkips: Bool = false, stem: StemKind = .paper
    ) throws {
        try Genotype.check(count: layers, of: "layers", upTo: GenotypeSampler.maximumLayers)
        try Genotype.check(count: blocks, of: "blocks", upTo: GenotypeSampler.maximumBlocks)
        (self.layers, self.blocks, self.atrous, self.longSkips) = (layers, blocks, atrous, longSkips)
        self.stem = stem
        typealias Choice = ChoiceSequence.Choice
        let path = (1...layers).map { Choice(head: "stride.\($0)", count: Stride.allCases.count) }
        let skips = longSkips ? (1...layers).map { Choice(head: "skip.\($0)", count: 2) } : []
        let cell = (1...blocks).flatMap { block in
            ["first", "second"].map { Choice(head: "block.\(block).\($0)", count: block + 1) }
                + Array(repeating: Choice(head: "operator", count: GenotypeChoices.operators.count), count: 2)
        }
        let cellStart = path.count + skips.count
        sequence = ChoiceSequence(path + skips + cell) { made in
            if made.count < layers {
                let before = made.last.flatMap(Stride.init(level:)) ?? .s4
                return Stride.allCases.map(before.neighbours.contains)
            }
            if made.count < cellStart {
                let path = made[..<layers].compactMap(Stride.init(level:))
                return [true, LongSkips.sources(along: path)[made.count - layers] != nil]
            }
            let (block, place) = (made.count - cellStart).quotientAndRemainder(dividingBy: 4)
            guard place == 1, let first = made.last else { return nil }
            return (0..<(block + 2)).map { $0 != first }
        }
    }

    /// The genotype that choices stand for.
    ///
    /// - Parameter choices: Choices that ``sequence`` accepts.
    /// - Returns: A genotype that passes `validate()`, the branches of each block in the order of their inputs.
    public func genotype(_ choices: [Int]) -> Genotype {
        precondition(sequence.accepts(choices), "\(choices) are no choices of a genotype")
        let path = choices[..<layers].compactMap(Stride.init(level:))
        var rest = choices[layers...]
        var skips: [Int?]?
        if longSkips {
            skips = zip(LongSkips.sources(along: path), rest).map { $1 == 1 ? $0 : nil }
            rest = rest.dropFirst(layers)
        }
        let blocks = (0..<blocks).map { block -> Block in
            let part = Array(rest.dropFirst(4 * block).prefix(4))
            let branches = (0..<2).map {
                Branch(input: CellInput(index: part[$0]), op: GenotypeChoices.operators[part[2 + $0]])
            }
            let ordered = branches.sorted { $0.input.index < $1.input.index }
            return Block(first: ordered[0], second: ordered[1])
        }
        return Genotype(path: path, skips: skips, cell: Cell(blocks: blocks), atrous: atrous, stem: stem)
    }
}
