import ArchitectureSearch
import Foundation
import SearchSpace
import TestSupport
import Testing
import Torch

/// How a controller learns, against the formulas.
@Suite("Policy gradients")
struct PolicyTrainerTests {
    private static let sequence = ChoiceSequence(
        [.init(head: "a", count: 3), .init(head: "b", count: 2), .init(head: "a", count: 3)], warmUp: 1
    ) { $0.count == 2 ? (0..<3).map { [first = $0[0]] in $0 != first } : nil }

    private func trainer(_ settings: PolicyTrainer.Settings, feedback: ControllerFeedback = .autoregressive)
        -> PolicyTrainer
    {
        PolicyTrainer(Self.sequence, feedback: feedback, settings: settings, hidden: 4, seed: 11, dtype: .float64)
    }

    /// One row's loss by the formula, of the logarithm of the probability and the entropy as they are now.
    private func loss(
        _ settings: PolicyTrainer.Settings, _ logProbability: Double, _ entropy: Double, old: Double, advantage: Double
    ) -> Double {
        switch settings.rule {
        case .reinforce: return -logProbability * advantage - settings.entropy * entropy
        case .ppo:
            let q = exp(logProbability - old)
            let clipped = min(max(q, 1 - settings.clip), 1 + settings.clip)
            return -min(q * advantage, clipped * advantage) - settings.entropy * entropy
        }
    }

    @Test(
        "The loss and its gradients are those of the formula, inside the bounds and beyond on either side",
        arguments: PolicyRule.allCases, [0, 0.3])
    func lossAndGradients(rule: PolicyRule, entropy: Double) throws {
        var settings = PolicyTrainer.Settings()
        (settings.rule, settings.entropy, settings.buffer) = (rule, entropy, 4)
        let trainer = trainer(settings)
        // Gives a baseline.
        trainer.learn(from: trainer.propose(), reward: 0.5)
        let choices = [2, 0, 1]
        let now = trainer.controller.judge(choices).logProbability.item()
        let tensors = trainer.parameters.map(\.tensor)
        for (shift, reward) in [(0.0, 0.9), (0.05, 0.1), (0.3, 0.9), (0.3, 0.1), (-0.3, 0.9), (-0.3, 0.1)] {
            let row = PolicyTrainer.Row(
                proposal: .init(choices: choices, logProbability: now - shift), reward: reward)
            func value() -> Double {
                let judgement = trainer.controller.judge(choices)
                return loss(
                    settings, judgement.logProbability.item(), judgement.entropy.item(), old: now - shift,
                    advantage: reward - 0.5)
            }
            let found = trainer.loss(of: row, trainer.controller.judge(choices))
            #expect(abs(found.item() - value()) < 1e-12)
            let slopes = gradients(of: found, withRespectTo: tensors)
            for (tensor, slope) in zip(tensors, slopes) {
                let (before, gradient) = (tensor.doubles(), slope?.doubles())
                for place in stride(from: 0, to: before.count, by: 7) {
                    func moved(_ step: Double) -> Double {
                        withoutGradients {
                            var values = before
                            values[place] += step
                            tensor.copy(from: Tensor(values, shape: tensor.shape))
                            defer { tensor.copy(from: Tensor(before, shape: tensor.shape)) }
                            return value()
                        }
                    }
                    let wanted = (moved(1e-5) - moved(-1e-5)) / 2e-5
                    #expect(abs((gradient?[place] ?? 0) - wanted) < 1e-8)
                }
            }
        }
    }

    /// Adam, the clipped norm and the baseline in plain numbers; only the gradients of one row's logarithm are Torch's.
    private final class Plain {
        let settings: PolicyTrainer.Settings
        let policy: PolicyTrainer
        var rows: [(choices: [Int], old: Double, reward: Double)] = []
        var baseline: Double?
        var (first, second, steps): ([Double], [Double], Int) = ([], [], 0)

        init(_ settings: PolicyTrainer.Settings, _ policy: PolicyTrainer) {
            (self.settings, self.policy) = (settings, policy)
            let count = policy.parameterCount
            (first, second) = (Array(repeating: 0, count: count), Array(repeating: 0, count: count))
        }

        func learn(_ choices: [Int], _ old: Double, _ reward: Double, order: [Double]) {
            baseline = baseline.map { 0.95 * $0 + 0.05 * reward } ?? reward
            rows.append((choices, old, reward))
            if rows.count > settings.buffer { rows.removeFirst() }
            for (_, row) in zip(order, rows).sorted(by: { $0.0 < $1.0 }) { step(row, reward: row.reward) }
        }

        private func step(_ row: (choices: [Int], old: Double, reward: Double), reward: Double) {
            let judgement = policy.controller.judge(row.choices)
            let tensors = policy.parameters.map(\.tensor)
            let slopes = gradients(of: judgement.logProbability, withRespectTo: tensors)
            let q = exp(judgement.logProbability.item() - row.old)
            let advantage = reward - (baseline ?? 0)
            let isBeyond = advantage > 0 ? q > 1 + settings.clip : q < 1 - settings.clip
            let factor = isBeyond ? 0 : -q * advantage
            var gradient = zip(tensors, slopes).flatMap { tensor, slope in
                (slope?.doubles() ?? Array(repeating: 0, count: tensor.count)).map { $0 * factor }
            }
            let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if norm > settings.gradientNorm { gradient = gradient.map { $0 * settings.gradientNorm / norm } }
            steps += 1
            var values = tensors.flatMap { $0.doubles() }
            for index in values.indices {
                first[index] = 0.9 * first[index] + 0.1 * gradient[index]
                second[index] = 0.999 * second[index] + 0.001 * gradient[index] * gradient[index]
                let (m, v) = (
                    first[index] / (1 - pow(0.9, Double(steps))), second[index] / (1 - pow(0.999, Double(steps)))
                )
                values[index] -= settings.learningRate * m / (v.squareRoot() + 1e-8)
            }
            withoutGradients {
                var rest = values[...]
                for tensor in tensors {
                    tensor.copy(from: Tensor(Array(rest.prefix(tensor.count)), shape: tensor.shape))
                    rest = rest.dropFirst(tensor.count)
                }
            }
        }
    }

    @Test("After every candidate PPO goes once through the latest ones, filled rows alone, as plain numbers do")
    func update() throws {
        var settings = PolicyTrainer.Settings()
        // Large steps, so that ratios leave their bounds, and a norm that clips.
        (settings.learningRate, settings.buffer, settings.gradientNorm) = (0.02, 4, 0.3)
        let (trainer, policy) = (trainer(settings), trainer(settings))
        let plain = Plain(settings, policy)
        var random = SplitMix(state: 8)
        for number in 1...9 {
            let proposal = trainer.propose()
            let reward = Double(random.next() >> 11) * 0x1p-53
            let generator = Generator(seed: 0)
            try generator.restore(state: try #require(trainer.state["generator"]?["state"]))
            let order = Tensor.uniform([min(number, 4)], generator: generator, dtype: .float64).doubles()
            trainer.learn(from: proposal, reward: reward)
            plain.learn(proposal.choices, proposal.logProbability, reward, order: order)
            #expect(trainer.memory.rows.count == min(number, 4))
            #expect(abs(try #require(trainer.memory.baseline) - (plain.baseline ?? .nan)) < 1e-15)
            for (found, wanted) in zip(trainer.parameters, policy.parameters) {
                let worst = zip(found.tensor.doubles(), wanted.tensor.doubles()).map { abs($0 - $1) }.max() ?? .nan
                #expect(worst < 1e-10, "\(found.name) after \(number)")
            }
        }
        #expect(plain.steps == 1 + 2 + 3 + 4 * 6)
    }

    @Test("REINFORCE makes one step a candidate")
    func reinforce() throws {
        var settings = PolicyTrainer.Settings()
        settings.rule = .reinforce
        let trainer = trainer(settings)
        for number in 1...3 {
            trainer.learn(from: trainer.propose(), reward: Double(number))
            #expect(trainer.memory.rows.count == 1)
            #expect(trainer.state["optimizer"]?["step.first"]?.item() == Double(number))
        }
        // 1, then 0.95 * 1 + 0.05 * 2, then 0.95 * 1.05 + 0.05 * 3.
        #expect(abs(try #require(trainer.memory.baseline) - 1.1475) < 1e-12)
    }

    @Test("A controller that goes on from its saved state proposes and learns the same, to the bit")
    func resumed() throws {
        func bits(_ trainer: PolicyTrainer) -> [[Double]] { trainer.parameters.map { $0.tensor.doubles() } }
        let whole = trainer(.init())
        var parts = trainer(.init())
        for number in 0..<6 {
            let (a, b) = (whole.propose(), parts.propose())
            #expect(a == b)
            whole.learn(from: a, reward: sin(Double(number)))
            parts.learn(from: b, reward: sin(Double(number)))
            let memory = try JSONDecoder().decode(PolicyTrainer.Memory.self, from: JSONEncoder().encode(parts.memory))
            let state = parts.state.mapValues { $0.mapValues { $0.clone() } }
            parts = PolicyTrainer(Self.sequence, feedback: .autoregressive, hidden: 4, seed: 99, dtype: .float64)
            try parts.restore(state, memory: memory)
            #expect(bits(whole) == bits(parts) && whole.memory == parts.memory)
        }
    }

    @Test("The state of another controller is refused")
    func foreign() throws {
        let own = trainer(.init())
        own.learn(from: own.propose(), reward: 0.5)
        let other = PolicyTrainer(ChoiceSequence([.init(head: "a", count: 3)]), hidden: 4, seed: 1, dtype: .float64)
        #expect(failure { try other.restore(own.state, memory: own.memory) } != nil)
        #expect(failure { try other.restore([:], memory: .init()) } != nil)
    }
}
