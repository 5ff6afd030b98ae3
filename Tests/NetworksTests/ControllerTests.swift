import ArchitectureSearch
import Foundation
import SearchSpace
import TestSupport
import Testing
import Torch

/// The controller against loops over numbers.
@Suite("Controller of a search by reinforcement")
struct ControllerTests {
    /// The decoder's choices of arXiv 1810.10804: maps, then a cell whose nodes choose among so many positions.
    private func decoder(positions: [Int]) -> ChoiceSequence {
        typealias Choice = ChoiceSequence.Choice
        let maps = [4, 4, 5, 5, 6, 6].enumerated().map { Choice(head: "map.\($0)", count: $1) }
        let nodes = positions.enumerated().flatMap { node, count in
            (0..<2).map { Choice(head: "position.\(node).\($0)", count: count) }
                + Array(repeating: Choice(head: "operation", count: 11), count: 2)
        }
        return ChoiceSequence(maps + [Choice(head: "operation", count: 11)] + nodes, warmUp: 4)
    }

    /// The public code's controller has 169,365 parameters.
    ///
    /// They are those with 1, 4 and 7 positions, and an embedding of the 11 operations that it makes and never reads, 1,100
    /// values. Here is no such embedding, and there are 2, 5 and 8 positions.
    @Test("It has the public code's parameters, but for those that nothing reads")
    func parameters() {
        let published = PolicyTrainer(decoder(positions: [1, 4, 7]), seed: 1)
        #expect(published.parameterCount == 169_365 - 11 * 100)
        let correct = DecoderSpace.published.sequence
        let counts = decoder(positions: [2, 5, 8]).choices.map(\.count)
        #expect(correct.choices.count == 19 && correct.choices.map(\.count) == counts && correct.warmUp == 4)
        #expect(PolicyTrainer(correct, seed: 1).parameterCount == 168_871)
        // One embedding of each head: 30 maps, 11 operations, 30 positions.
        let autoregressive = PolicyTrainer(correct, feedback: .autoregressive, seed: 1)
        #expect(autoregressive.parameterCount == 168_871 + 71 * 100)
        let values = published.parameters.flatMap { $0.tensor.doubles() }
        #expect(
            values.allSatisfy { abs($0) <= 0.1 } && values.contains { $0 > 0.0999 } && values.contains { $0 < -0.0999 })
    }

    @Test("At the start the entropy is nearly that of equal chances, whatever was chosen")
    func entropy() {
        let sequence = DecoderSpace.published.sequence
        let trainer = PolicyTrainer(sequence, seed: 3)
        let most = sequence.choices.reduce(0) { $0 + log(Double($1.count)) }
        let entropies = (0..<4).map { _ in trainer.controller.judge(trainer.propose().choices).entropy.item() }
        #expect(abs(entropies[0] - most) < 0.05 && Set(entropies).count == 1)
    }

    private static let sequence = ChoiceSequence(
        [
            .init(head: "a", count: 3), .init(head: "b", count: 2), .init(head: "a", count: 3),
            .init(head: "c", count: 4),
        ],
        warmUp: 2
    ) { made in
        // The second choice of `a` is never the first one again.
        made.count == 2 ? (0..<3).map { $0 != made[0] } : nil
    }

    private func trainer(_ feedback: ControllerFeedback, seed: UInt64 = 5) -> PolicyTrainer {
        let trainer = PolicyTrainer(Self.sequence, feedback: feedback, hidden: 5, seed: seed, dtype: .float64)
        // Larger than at the start, where all choices are nearly equal.
        withoutGradients { for variable in trainer.parameters { variable.tensor.scale(by: 12) } }
        return trainer
    }

    private func all() -> [[Int]] {
        (0..<72).map { [$0 % 3, $0 / 3 % 2, $0 / 6 % 3, $0 / 18] }.filter { Self.sequence.accepts($0) }
    }

    /// The policy by the textbook: rows of numbers, a gate at a time.
    private struct Literal {
        let values: [String: [Double]]
        let hidden = 5

        init(_ trainer: PolicyTrainer) {
            values = Dictionary(uniqueKeysWithValues: trainer.parameters.map { ($0.name, $0.tensor.doubles()) })
        }

        private func row(_ name: String, _ index: Int) -> [Double] {
            Array((values[name] ?? []).dropFirst(index * hidden).prefix(hidden))
        }

        private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

        private func cell(_ layer: Int, _ x: [Double], _ h: [Double], _ c: [Double]) -> ([Double], [Double]) {
            func gate(_ number: Int, _ unit: Int) -> Double {
                let index = number * hidden + unit
                return dot(row("memory.weight_ih_l\(layer)", index), x)
                    + (values["memory.bias_ih_l\(layer)"]?[index] ?? .nan)
                    + dot(row("memory.weight_hh_l\(layer)", index), h)
                    + (values["memory.bias_hh_l\(layer)"]?[index] ?? .nan)
            }
            func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }
            let cells = (0..<hidden).map { sigmoid(gate(1, $0)) * c[$0] + sigmoid(gate(0, $0)) * tanh(gate(2, $0)) }
            return ((0..<hidden).map { sigmoid(gate(3, $0)) * tanh(cells[$0]) }, cells)
        }

        /// Probabilities of the alternatives of each choice, when these are made.
        func probabilities(_ choices: [Int], _ feedback: ControllerFeedback) -> [[Double]] {
            var input = row("first", 0)
            var states = Array(
                repeating: ([Double](repeating: 0, count: 5), [Double](repeating: 0, count: 5)), count: 2)
            func step() -> [Double] {
                states[0] = cell(0, input, states[0].0, states[0].1)
                states[1] = cell(1, states[0].0, states[1].0, states[1].1)
                return states[1].0
            }
            for _ in 0..<2 { input = step() }
            return choices.indices.map { place in
                let (head, count) = (sequence.choices[place].head, sequence.choices[place].count)
                let output = step()
                let weights = (0..<count).map { index -> Double in
                    if place == 2, index == choices[0] { return 0 }
                    return exp(
                        dot(row("head.\(head).weight", index), output) + (values["head.\(head).bias"]?[index] ?? .nan))
                }
                input = feedback == .published ? output : row("head.\(head).embedding", choices[place])
                return weights.map { $0 / weights.reduce(0, +) }
            }
        }
    }

    @Test(
        "Probabilities, entropies and gradients are those of the textbook's cells",
        arguments: ControllerFeedback.allCases)
    func literal(feedback: ControllerFeedback) throws {
        let trainer = trainer(feedback)
        let literal = Literal(trainer)
        var (total, expected, joint) = (0.0, 0.0, 0.0)
        for choices in all() {
            let wanted = literal.probabilities(choices, feedback)
            let found = trainer.controller.judge(choices)
            let logProbability = zip(wanted, choices).reduce(0) { $0 + log($1.0[$1.1]) }
            let entropy = wanted.joined().reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) }
            #expect(abs(found.logProbability.item() - logProbability) < 1e-11)
            #expect(abs(found.entropy.item() - entropy) < 1e-11)
            total += exp(logProbability)
            expected += exp(logProbability) * entropy
            joint -= exp(logProbability) * logProbability
        }
        #expect(abs(total - 1) < 1e-11)
        // The chain rule: entropies of the choices, in the mean, add up to that of sequences.
        #expect(abs(expected - joint) < 1e-11)
        let isFixed = Set(all().map { literal.probabilities($0, feedback)[1][0] }).count == 1
        #expect(isFixed == (feedback == .published))
    }

    @Test("Choices are drawn with their probabilities, and nothing illegal ever")
    func draws() {
        let trainer = trainer(.autoregressive)
        var counts: [[Int]: Int] = [:]
        let total = 4_000
        for _ in 0..<total { counts[trainer.propose().choices, default: 0] += 1 }
        #expect(counts.keys.allSatisfy(Self.sequence.accepts))
        for choices in all() {
            let wanted = exp(trainer.controller.judge(choices).logProbability.item())
            let deviation = (wanted * (1 - wanted) / Double(total)).squareRoot()
            #expect(abs(Double(counts[choices] ?? 0) / Double(total) - wanted) < 5 * deviation, "\(choices)")
        }
        var uniform: [[Int]: Int] = [:]
        for _ in 0..<total { uniform[trainer.propose(uniformly: true).choices, default: 0] += 1 }
        // 3 * 2 * 2 * 4 sequences, about 83 draws each.
        #expect(uniform.count == 48 && uniform.values.allSatisfy { (40...130).contains($0) })
        let proposal = trainer.propose(uniformly: true)
        #expect(proposal.logProbability == trainer.controller.judge(proposal.choices).logProbability.item())
    }
}
