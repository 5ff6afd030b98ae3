/// Random genotypes, each as likely as any other that a search could end with.
///
/// Paths are uniform over all paths of so many layers, which the first layer at 4 or 8 begins; with long skips, the pairs
/// of a path and its skips are. Cells are uniform over those that decoding can give: a block's two branches read different
/// inputs, and no operator is `none`.
public struct GenotypeSampler: Sendable {
    /// The number of layers.
    public let layers: Int
    /// The number of blocks.
    public let blocks: Int
    /// How the atrous operators convolve.
    public let atrous: AtrousKind
    /// Whether layers may have long skips.
    public let longSkips: Bool
    /// What all of them begin on.
    public let stem: StemKind
    /// The number of paths from a node to the last layer, with their skips, by the layers that are left, the level of the
    /// layer before, and the node's.
    private let completions: [[[UInt128]]]

    /// The most layers of a sampler; a search has no more.
    public static let maximumLayers = 64
    /// The most blocks of a sampler; a search has no more.
    public static let maximumBlocks = 16

    /// A sampler of genotypes of one size.
    ///
    /// - Throws: `SearchSpaceError` where layers or blocks are out of range.
    public init(
        layers: Int = 12, blocks: Int = 5, atrous: AtrousKind = .dense, longSkips: Bool = false, stem: StemKind = .paper
    ) throws {
        try Genotype.check(count: layers, of: "layers", upTo: GenotypeSampler.maximumLayers)
        try Genotype.check(count: blocks, of: "blocks", upTo: GenotypeSampler.maximumBlocks)
        self.layers = layers
        self.blocks = blocks
        self.atrous = atrous
        self.longSkips = longSkips
        self.stem = stem
        var completions = [Stride.allCases.map { _ in Stride.allCases.map { _ in UInt128(1) } }]
        for _ in 0..<layers {
            let next = completions[completions.count - 1]
            completions.append(
                Stride.allCases.map { before in
                    Stride.allCases.map { last in
                        last.neighbours.reduce(0) { sum, stride in
                            let isChoice = longSkips && LongSkips.isPossible(at: stride, after: last, before)
                            return sum + (isChoice ? 2 : 1) * next[last.level][stride.level]
                        }
                    }
                })
        }
        self.completions = completions
    }

    /// The number of paths, each as often as it has choices of long skips where there are such.
    public var paths: UInt128 { completions[layers][0][0] }

    /// The number of choices for a block, counted from 1: two different inputs, and an operator for each.
    public func choices(forBlock block: Int) -> Int {
        (block + 1) * block / 2 * GenotypeSampler.operators.count * GenotypeSampler.operators.count
    }

    /// The path with a number below ``paths``, in the order of the strides.
    public func path(_ number: UInt128) -> [Stride] { pathWithSkips(number).path }

    /// The path with a number below ``paths`` and its long skips, in the order of the strides, without a skip first.
    public func pathWithSkips(_ number: UInt128) -> (path: [Stride], skips: [Int?]) {
        precondition(number < paths, "path \(number) of \(paths)")
        var rest = number
        // From the stem on, which stands for the layer before it too.
        var strides = [Stride.s4, .s4]
        var isSkipping: [Bool] = []
        for left in (0..<layers).reversed() {
            let (before, last) = (strides[strides.count - 2], strides[strides.count - 1])
            search: for stride in last.neighbours {
                let count = completions[left][last.level][stride.level]
                let isChoice = longSkips && LongSkips.isPossible(at: stride, after: last, before)
                for skip in isChoice ? [false, true] : [false] {
                    if rest < count {
                        strides.append(stride)
                        isSkipping.append(skip)
                        break search
                    }
                    rest -= count
                }
            }
        }
        let path = Array(strides.dropFirst(2))
        return (path, zip(LongSkips.sources(along: path), isSkipping).map { $1 ? $0 : nil })
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
        let (path, skips) = pathWithSkips(uniform(below: paths, bits))
        return Genotype(path: path, skips: skips, cell: Cell(blocks: blocks), atrous: atrous, stem: stem)
    }

    private static let operators = Operator.allCases.filter { $0 != .none }
}
