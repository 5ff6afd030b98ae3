import ArchitectureSearch
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Selection by perturbation (ALGORITHM 12) against a plain implementation.
@Suite("Selection by perturbation")
struct PerturbationSelectionTests {
    private typealias Op = SearchSpace.Operator

    /// A loss in which what is lost on an edge matters for what is lost on others, so that the order counts.
    private struct Loss {
        let values: [[Double]]
        var count = 0

        init(edges: Int, seed: UInt64) {
            var random = SplitMix(state: seed)
            values = (0..<edges).map { _ in Op.allCases.map { _ in Double.random(in: 0..<1, using: &random) } }
        }

        mutating func callAsFunction(_ rows: [[Double]]) -> Double {
            count += 1
            let sums = zip(rows, values).map { row, own in zip(row, own).reduce(0) { $0 + $1.0 * $1.1 } }
            return sums.indices.reduce(0) { $0 - sums[$1] + 0.7 * sums[$1] * sums[($1 + 1) % sums.count] }
        }
    }

    private func table(edges: Int, seed: UInt64) -> [[Double]] {
        var random = SplitMix(state: seed)
        return (0..<edges).map { _ in
            let row = Op.allCases.map { _ in 0.1 + Double.random(in: 0..<1, using: &random) }
            return row.map { $0 / row.reduce(0, +) }
        }
    }

    private func weights(_ rows: [[Double]]) -> ArchitectureWeights {
        ArchitectureWeights(
            operators: Tensor(rows.flatMap { $0 }, shape: [rows.count, Op.allCases.count]).to(.float64),
            arrows: .zeros([1], dtype: .float64))
    }

    private func selection(_ blocks: Int, _ store: VariableStore, order: Int = 3) -> PerturbationSelection {
        // Steps of a size that no count here is a multiple of go through all numbers.
        PerturbationSelection(store.root / "selection", blocks: blocks) { count in
            (0..<count).map { ($0 * (count % order == 0 ? 1 : order) + 1) % count }
        }
    }

    private var store: VariableStore { VariableStore(generator: Generator(seed: 1), dtype: .float64) }

    /// The same by loops over plain numbers.
    private func reference(
        _ rows: [[Double]], _ decisions: [PerturbationSelection.Decision], blocks: Int, loss: inout Loss
    ) -> [[Double]] {
        var rows = rows
        let space = CellSpace(blocks: blocks)
        for decision in decisions {
            switch decision {
            case .edge(let edge):
                var best = (op: Op.none, loss: -Double.infinity)
                for op in Op.allCases where op != .none {
                    var without = rows
                    without[edge.index][op.index] = 0
                    let found = loss(without)
                    if found > best.loss { best = (op, found) }
                }
                rows[edge.index] = Op.allCases.map { $0 == best.op ? 1 : 0 }
            case .inputs(let block):
                var left = space.edges(into: block)
                while left.count > 2 {
                    var least = (place: 0, loss: Double.infinity)
                    for (place, edge) in left.enumerated() {
                        var without = rows
                        without[edge.index] = Op.allCases.map { _ in 0 }
                        let found = loss(without)
                        if found < least.loss { least = (place, found) }
                    }
                    rows[left.remove(at: least.place).index] = Op.allCases.map { _ in 0 }
                }
            }
        }
        return rows
    }

    @Test("It takes the decisions that a plain implementation takes", arguments: 1...5)
    func decisions(blocks: Int) {
        let edges = CellSpace(blocks: blocks).edges.count
        for seed in 0..<5 as Range<UInt64> {
            let selection = selection(blocks, store)
            #expect(selection.decisions.count == CellSpace(blocks: blocks).decisions)
            let start = table(edges: edges, seed: seed)
            var loss = Loss(edges: edges, seed: seed + 100)
            while selection.taken < selection.decisions.count {
                let outcome = selection.decide(weights(start)) { $0.map { loss($0.table.operators) } }
                #expect(outcome?.decision == selection.decisions[selection.taken - 1])
            }
            var own = Loss(edges: edges, seed: seed + 100)
            let wanted = reference(start, selection.decisions, blocks: blocks, loss: &own)
            #expect(selection(weights(start)).table.operators == wanted)
            #expect(loss.count == own.count)
            // The cell that is read out of this is what was decided.
            let cell = decodeCell(alpha: wanted, space: CellSpace(blocks: blocks))
            for edge in CellSpace(blocks: blocks).edges {
                let branch = cell.blocks[edge.block - 1].branches.first { $0.input == edge.input }
                #expect(
                    branch.map { wanted[edge.index][$0.op.index] == 1 } ?? wanted[edge.index].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("Five blocks take 24 decisions and 180 losses: 20 edges of 7 operators, and 40 inputs")
    func counts() {
        let selection = selection(5, store)
        #expect(selection.decisions.count == 24)
        let start = table(edges: 20, seed: 1)
        var losses = 0
        for _ in selection.decisions {
            _ = selection.decide(weights(start)) {
                losses += $0.count
                return $0.map { _ in 0 }
            }
        }
        #expect(losses == 180)
    }

    @Test("Every edge and every crowded block is decided once, edges first")
    func order() {
        let decisions = selection(4, store).decisions
        let edges = decisions.prefix(14).map { if case .edge(let edge) = $0 { edge.index } else { -1 } }
        let blocks = decisions.dropFirst(14).map { if case .inputs(let block) = $0 { block } else { -1 } }
        #expect(edges.sorted() == Array(0..<14) && edges != edges.sorted())
        #expect(blocks.sorted() == [2, 3, 4])
    }

    @Test("Gradients reach what is not decided yet, and nothing else")
    func gradients() {
        let selection = selection(2, store)
        let start = table(edges: 5, seed: 3)
        let operators = weights(start).operators
        operators.requiresGrad = true
        for _ in 0..<2 { _ = selection.decide(weights(start)) { $0.map { _ in 0 } } }
        let decided = selection.decisions.prefix(2).map { if case .edge(let edge) = $0 { edge.index } else { -1 } }
        let found = selection(ArchitectureWeights(operators: operators, arrows: .zeros([1], dtype: .float64)))
        let gradient = Torch.gradients(of: found.operators.sum(), withRespectTo: [operators])[0]?.doubles() ?? []
        #expect(
            ArchitectureTable.rows(gradient).map { $0.allSatisfy { $0 == 1 } } == (0..<5).map { !decided.contains($0) })
        #expect(
            ArchitectureTable.rows(gradient).map { $0.allSatisfy { $0 == 0 } } == (0..<5).map { decided.contains($0) })
    }

    @Test("A decision that is given up changes nothing, and goes through a checkpoint where it is taken")
    func state() throws {
        let store = store
        let selection = selection(2, store)
        let start = weights(table(edges: 5, seed: 3))
        #expect(selection.decide(start) { _ in nil } == nil)
        #expect(selection.taken == 0 && selection(start).table == start.table)
        // Of the last block's inputs one round is enough to be given up in.
        for _ in 0..<5 { _ = selection.decide(start) { $0.map { _ in 1 } } }
        let before = selection(start).table
        #expect(selection.decide(start) { _ in nil } == nil)
        #expect(selection(start).table == before)
        let other = self.store
        let restored = self.selection(2, other)
        try other.load(store.state)
        #expect(restored.taken == 5 && restored(start).table == before)
    }

    @Test("A loss that is no number is the largest: the operator stays, and so does the input")
    func notANumber() {
        let selection = selection(2, store)
        let start = weights(table(edges: 5, seed: 3))
        for _ in 0..<5 {
            let outcome = selection.decide(start) { $0.indices.map { $0 == 4 ? .nan : 1 } }
            #expect(outcome?.op == Op.allCases.filter { $0 != .none }[4])
        }
        let outcome = selection.decide(start) { $0.indices.map { $0 == 0 ? .nan : 1 } }
        #expect(outcome?.removed == [CellInput(index: 1)])
    }
}
