/// A network as the search finds it: the stride of each layer, its long skips, and the one cell that all layers use.
public struct Genotype: Hashable, Sendable {
    /// The stride of each layer, from layer 1 on; layer 1 is at 4 or 8 and each move is one level at most.
    public var path: [Stride]
    /// For each layer the layer whose map its cell reads in place of H^{l-2}, 0 for the stem; nil for no long skip.
    public var skips: [Int?]
    /// The cell.
    public var cell: Cell
    /// How the atrous operators convolve: as they did in the search.
    public var atrous: AtrousKind
    /// What the cells begin on.
    public var stem: StemKind

    /// The number of layers, L.
    public var layers: Int { path.count }
    /// The number of blocks in the cell, B.
    public var blocks: Int { cell.blocks.count }

    /// A genotype of a path and a cell; `validate()` says whether it is one that can be built.
    ///
    /// - Parameters:
    ///   - path: the stride of each layer.
    ///   - skips: the long skips, an entry for each layer; nil for none.
    ///   - cell: the cell.
    ///   - atrous: how the atrous operators convolve.
    ///   - stem: what the cells begin on.
    public init(
        path: [Stride], skips: [Int?]? = nil, cell: Cell, atrous: AtrousKind = .dense, stem: StemKind = .paper
    ) {
        self.path = path
        self.skips = skips ?? Array(repeating: nil, count: path.count)
        self.cell = cell
        self.atrous = atrous
        self.stem = stem
    }

    /// The most layers that a genotype may have: a bound on what a file can ask for.
    public static let maximumLayers = 256
    /// The most blocks that a cell may have.
    public static let maximumBlocks = 32

    /// How each layer is reached from the one before; layer 1 is reached from the stem at stride 4.
    public var moves: [Move] {
        zip([Stride.s4] + path, path).map { Move(from: $0, to: $1) ?? .keep }
    }

    /// Checks the path, the long skips and the cell.
    ///
    /// - Throws: `SearchSpaceError` naming the first layer, skip or block that is wrong.
    public func validate() throws {
        try Genotype.check(count: layers, of: "layers", upTo: Genotype.maximumLayers)
        try Genotype.check(count: blocks, of: "blocks", upTo: Genotype.maximumBlocks)
        var before = Stride.s4
        for (index, stride) in path.enumerated() {
            guard Move(from: before, to: stride) != nil else {
                let allowed = enumeration(before.neighbours.map { String($0.rawValue) })
                let from = index == 0 ? "the stem, which is at 4," : "\(before.rawValue)"
                throw SearchSpaceError(
                    location: "path[\(index)]",
                    problem: "\(stride.rawValue) after \(from) moves more than one level; use \(allowed)")
            }
            before = stride
        }
        try validateSkips()
        for (number, block) in cell.blocks.enumerated() {
            for (side, branch) in block.branches.enumerated() {
                let allowed = 0..<(number + 2)
                guard allowed.contains(branch.input.index) else {
                    let names = enumeration(allowed.map { CellInput(index: $0).name })
                    throw SearchSpaceError(
                        location: "cell[\(number)][\(side)]",
                        problem: "block \(number + 1) cannot read \(branch.input.name); use \(names)")
                }
            }
        }
    }

    static func check(count: Int, of key: String, upTo maximum: Int) throws {
        guard (1...maximum).contains(count) else {
            throw SearchSpaceError(location: key, problem: "\(count) is not between 1 and \(maximum)")
        }
    }
}

/// "a", "a or b", "a, b or c".
func enumeration(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
}
