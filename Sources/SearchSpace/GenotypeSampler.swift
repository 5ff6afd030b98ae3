/// Random genotypes, each as likely as any other that a search could end with.
///
/// Paths are uniform over all paths of so many layers, which the first layer at 4 or 8 begins. Cells are uniform over
/// those that decoding can give: a block's two branches read different inputs, and no operator is `none`.
public struct GenotypeSampler: Sendable {
    /// The number of layers.
    public let layers: Int
    /// The number of blocks.
    public let blocks: Int
    /// How the atrous operators convolve.
    public let atrous: AtrousKind
    /// The number of paths from a node to the last layer, by the layers that are left and the node's level.
    private let completions: [[UInt128]]

    /// The most layers of a sampler; a search has no more.
    public static let maximumLayers = 64
    /// The most blocks of a sampler; a search has no more.
    public static let maximumBlocks = 16

    /// A sampler of genotypes of one size.
    ///
    /// - Throws: `SearchSpaceError` where layers or blocks are out of range.
    public init(layers: Int = 12, blocks: Int = 5, atrous: AtrousKind = .dense) throws {
        try Genotype.check(count: layers, of: "layers", upTo: GenotypeSampler.maximumLayers)
        try Genotype.check(count: blocks, of: "blocks", upTo: GenotypeSampler.maximumBlocks)
        self.layers = layers
        self.blocks = blocks
        self.atrous = atrous
        var completions = [Stride.allCases.map { _ in UInt128(1) }]
        for _ in 0..<layers {
            let next = completions[completions.count - 1]
            completions.append(Stride.allCases.map { $0.neighbours.reduce(0) { $0 + next[$1.level] } })
        }
        self.completions = completions
    }

    /// The number of paths.
    public var paths: UInt128 { completions[layers][0] }

    /// The number of choices for a block, counted from 1: two different inputs, and an operator for each.
    public func choices(forBlock block: Int) -> Int {
        (block + 1) * block / 2 * GenotypeSampler.operators.count * GenotypeSampler.operators.count
    }

    /// The path with a number below ``paths``, in the order of the strides.
    public func path(_ number: UInt128) -> [Stride] {
        precondition(number < paths, "path \(number) of \(paths)")
        var rest = number
        var path: [Stride] = []
        for left in (0..<layers).reversed() {
            for stride in (path.last ?? .s4).neighbours {
                let count = completions[left][stride.level]
                if rest < count {
                    path.append(stride)
                    break
                }
                rest -= count
            }
        }
        return path
    }

    /// The choice of a block with a number below ``choices(forBlock:)``.
    public func block(_ block: Int, _ number: Int) -> Block {
        precondition((0..<choices(forBlock: block)).contains(number), "choice \(number) of block \(block)")
        let operators = GenotypeSampler.operators
        let (pair, rest) = number.quotientAndRemainder(dividingBy: operators.count * operators.count)
        // The pairs in the order (0, 1), (0, 2), (1, 2), (0, 3), ...
        var later = 1
        while (later + 1) * later / 2 <= pair { later += 1 }
        let earlier = pair - later * (later - 1) / 2
        return Block(
            first: Branch(input: CellInput(index: earlier), op: operators[rest / operators.count]),
            second: Branch(input: CellInput(index: later), op: operators[rest % operators.count]))
    }

    /// A random genotype.
    ///
    /// - Parameter bits: Gives 64 random bits at each call.
    /// - Returns: A genotype that passes `validate()`.
    public func genotype(bits: () -> UInt64) -> Genotype {
        let blocks = (1...blocks).map { number in
            block(number, Int(uniform(below: UInt128(choices(forBlock: number)), bits)))
        }
        return Genotype(path: path(uniform(below: paths, bits)), cell: Cell(blocks: blocks), atrous: atrous)
    }

    private static let operators = Operator.allCases.filter { $0 != .none }
}
