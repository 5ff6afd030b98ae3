import Networks
import SearchSpace
import Torch

/// Reads the cell out of the supernet by what it loses without each of its parts, in place of alpha (DARTS-PT, arXiv
/// 2108.04392).
///
/// Edges are decided one after another: the operator stays without which the loss is largest. Then blocks are: the input
/// goes without which it is least, until two are left. The supernet is trained on between decisions. What is decided lies
/// in buffers at a place in the store, and so goes through checkpoints.
public struct PerturbationSelection {
    /// What is decided at once.
    public enum Decision: Equatable, Sendable {
        /// The one operator of an edge.
        case edge(CellEdge)
        /// The two inputs of a block, counted from 1.
        case inputs(block: Int)
    }

    /// What was decided.
    public struct Outcome: Equatable, Sendable, CustomStringConvertible {
        /// Of what.
        public let decision: Decision
        /// The operator that stays; nil for a block's inputs.
        public let op: SearchSpace.Operator?
        /// The inputs that a block has lost; none for an edge.
        public let removed: [CellInput]

        /// What was decided, in words.
        public var description: String {
            switch decision {
            case .edge(let edge): "\(op?.rawValue ?? "nothing") from \(edge.input.name) to block \(edge.block)"
            case .inputs(let block): "block \(block) without \(removed.map(\.name).joined(separator: ", "))"
            }
        }
    }

    /// All decisions, in their order.
    public let decisions: [Decision]
    private let space: CellSpace
    /// A one for each decided edge, `[edges, 1]`.
    private let decided: Tensor
    /// The weights of decided edges' operators, `[edges, 8]`, and zeros.
    private let chosen: Tensor
    /// How many decisions are taken, `[1]`.
    private let count: Tensor

    /// Nothing decided.
    ///
    /// - Parameters:
    ///   - path: Where the buffers lie.
    ///   - blocks: Blocks of the cell.
    ///   - shuffled: The numbers from 0 up to a count, in the order in which edges, then blocks, are decided.
    public init(_ path: Path, blocks: Int, shuffled: (Int) -> [Int]) {
        let space = CellSpace(blocks: blocks)
        self.space = space
        let crowded = space.crowdedBlocks
        decisions =
            shuffled(space.edges.count).map { .edge(space.edges[$0]) }
            + (crowded.isEmpty ? [] : shuffled(crowded.count).map { .inputs(block: crowded[$0]) })
        decided = path.buffer("decided", shape: [space.edges.count, 1], value: 0)
        chosen = path.buffer("chosen", shape: [space.edges.count, SearchSpace.Operator.allCases.count], value: 0)
        count = path.buffer("count", shape: [1], value: 0)
    }

    /// How many decisions are taken.
    public var taken: Int { Int(clamping: count.item()) }

    /// The weights with those of decided edges in place of alpha's.
    ///
    /// They are 1 for an operator that stays and 0 for an input that is gone. Gradients reach the others alone.
    public func callAsFunction(_ weights: ArchitectureWeights) -> ArchitectureWeights {
        weights.with(operators: weights.operators * (1 - decided) + chosen)
    }

    /// Takes the next decision.
    ///
    /// - Parameters:
    ///   - weights: Those of the relaxation, without what is decided.
    ///   - losses: The supernet's loss with each of some weights; nil gives up.
    /// - Returns: What was decided; nil where `losses` gave up, and then nothing has changed.
    /// - Throws: What `losses` throws.
    public func decide(
        _ weights: ArchitectureWeights, losses: ([ArchitectureWeights]) throws -> [Double]?
    ) rethrows -> Outcome? {
        try withoutGradients {
            let decision = decisions[taken]
            var current = self(weights)
            let outcome: Outcome
            switch decision {
            case .edge(let edge):
                // `none` is no candidate: a cell has no branch that is nothing.
                let candidates = SearchSpace.Operator.allCases.filter { $0 != .none }
                guard let found = try losses(candidates.map { current.without($0, on: edge) }) else { return nil }
                let op = candidates[place(of: >, in: found)]
                set(edge, to: SearchSpace.Operator.allCases.map { $0 == op ? 1 : 0 })
                outcome = Outcome(decision: decision, op: op, removed: [])
            case .inputs(let block):
                var left = space.edges(into: block)
                var removed: [CellEdge] = []
                while left.count > 2 {
                    guard let found = try losses(left.map { current.without(nil, on: $0) }) else { return nil }
                    let edge = left.remove(at: place(of: <, in: found))
                    current = current.without(nil, on: edge)
                    removed.append(edge)
                }
                for edge in removed { set(edge, to: SearchSpace.Operator.allCases.map { _ in 0 }) }
                outcome = Outcome(decision: decision, op: nil, removed: removed.map(\.input))
            }
            count.add(.full(1, [1], dtype: count.dtype, device: count.device))
            return outcome
        }
    }

    private func set(_ edge: CellEdge, to row: [Double]) {
        decided.narrow(0, start: edge.index, length: 1).fill(1)
        chosen.narrow(0, start: edge.index, length: 1).copy(from: Tensor(row, shape: [1, row.count]))
    }

    /// The first of the losses that come before all others; what is no number is larger than any.
    private func place(of comesBefore: (Double, Double) -> Bool, in losses: [Double]) -> Int {
        let losses = losses.map { $0.isNaN ? .infinity : $0 }
        return losses.indices.dropFirst().reduce(0) { comesBefore(losses[$1], losses[$0]) ? $1 : $0 }
    }
}

extension ArchitectureWeights {
    fileprivate func with(operators: Tensor) -> ArchitectureWeights {
        ArchitectureWeights(operators: operators, arrows: arrows, gates: gates, probabilities: probabilities)
    }

    /// Without an operator of an edge, or without the edge; what else is there weighs what it did.
    fileprivate func without(_ op: SearchSpace.Operator?, on edge: CellEdge) -> ArchitectureWeights {
        let operators = operators.clone()
        let row = operators.narrow(0, start: edge.index, length: 1)
        (op.map { row.narrow(1, start: $0.index, length: 1) } ?? row).fill(0)
        return with(operators: operators)
    }
}
