/// What a branch of a block reads.
public enum CellInput: Hashable, Sendable {
    /// H^{l-1}, the output of the layer before.
    case previous
    /// H^{l-2}, the output of the layer before that.
    case previous2
    /// A block of the same cell, counted from 1.
    case block(Int)

    /// The input with this number: 0 is `previous`, 1 is `previous2`, 2 is block 1, and so on.
    public init(index: Int) {
        precondition(index >= 0, "a cell input's index is at least 0, not \(index)")
        switch index {
        case 0: self = .previous
        case 1: self = .previous2
        default: self = .block(index - 1)
        }
    }

    /// The input with this name, or nil where no input is called so.
    public init?(name: String) {
        switch name {
        case "previous": self = .previous
        case "previous2": self = .previous2
        default:
            guard name.hasPrefix("block"), let number = Int(name.dropFirst(5)), number >= 1,
                name == "block\(number)"
            else { return nil }
            self = .block(number)
        }
    }

    /// The input's number: 0 for `previous`, 1 for `previous2`, 2 for block 1, and so on.
    public var index: Int {
        switch self {
        case .previous: 0
        case .previous2: 1
        case .block(let number): number + 1
        }
    }

    /// The input's name in genotype files: `previous`, `previous2`, `block1`, ...
    public var name: String {
        switch self {
        case .previous: "previous"
        case .previous2: "previous2"
        case .block(let number): "block\(number)"
        }
    }

    /// Whether the input comes from another layer: such inputs are strided in a cell that moves down.
    public var isFromOtherLayer: Bool { index < 2 }
}

/// One of the two terms of a block: an operator and the input that it is applied to.
public struct Branch: Hashable, Sendable {
    /// What the operator reads.
    public var input: CellInput
    /// The operator, kept with its own input.
    public var op: Operator

    /// A branch that applies `op` to `input`.
    public init(input: CellInput, op: Operator) {
        self.input = input
        self.op = op
    }
}

/// A block (I1, I2, O1, O2): the sum of two branches.
public struct Block: Hashable, Sendable {
    /// The first term.
    public var first: Branch
    /// The second term.
    public var second: Branch

    /// A block that sums two branches.
    public init(first: Branch, second: Branch) {
        self.first = first
        self.second = second
    }

    /// Both branches, in order.
    public var branches: [Branch] { [first, second] }
}

/// A discrete cell: its output is the concatenation of its blocks, in order.
public struct Cell: Hashable, Sendable {
    /// The blocks; block i may read the blocks before it.
    public var blocks: [Block]

    /// A cell of these blocks.
    public init(blocks: [Block]) {
        self.blocks = blocks
    }
}
