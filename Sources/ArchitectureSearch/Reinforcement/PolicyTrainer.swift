import SearchSpace
import Torch

/// Draws choices from a controller and teaches it what they came to (arXiv 1810.10804; ALGORITHM 15).
public final class PolicyTrainer {
    /// How it learns; the defaults are those of the paper's code.
    public struct Settings: Hashable, Sendable {
        /// The rule.
        public var rule = PolicyRule.ppo
        /// Adam's step size.
        public var learningRate = 1e-4
        /// How far a ratio of probabilities may lie from 1 before it gets no gradient, for PPO.
        public var clip = 0.1
        /// Weight of the policy's entropy, which the loss is lowered by.
        public var entropy = 0.0
        /// How many of the latest candidates PPO goes through after each.
        public var buffer = 100
        /// Share of the baseline that stays when a score moves it.
        public var baselineDecay = 0.95
        /// Largest norm of the gradient.
        public var gradientNorm = 2.0

        /// The defaults.
        public init() {}
    }

    /// Choices with the logarithm of the probability that they were drawn with.
    public struct Proposal: Codable, Hashable, Sendable {
        /// The choices.
        public let choices: [Int]
        /// Logarithm of their probability then.
        public let logProbability: Double

        /// Choices that were drawn.
        public init(choices: [Int], logProbability: Double) {
            self.choices = choices
            self.logProbability = logProbability
        }
    }

    /// A proposal that was scored.
    public struct Row: Codable, Hashable, Sendable {
        /// What was proposed.
        public let proposal: Proposal
        /// What it came to; higher is better.
        public let reward: Double

        /// A proposal with its reward.
        public init(proposal: Proposal, reward: Double) {
            self.proposal = proposal
            self.reward = reward
        }
    }

    /// What it remembers besides tensors.
    public struct Memory: Codable, Hashable, Sendable {
        /// The running mean of rewards; nil before the first.
        public fileprivate(set) var baseline: Double?
        /// The latest scored proposals, the oldest first.
        public fileprivate(set) var rows: [Row] = []

        /// Before the first reward.
        public init() {}
    }

    /// How it learns.
    public let settings: Settings
    /// The policy.
    public let controller: Controller
    /// What it remembers besides tensors.
    public private(set) var memory = Memory()
    private let store: VariableStore
    private let optimizer: Adam

    /// A controller with first parameters, and all that teaches it.
    ///
    /// - Parameters:
    ///   - sequence: The choices.
    ///   - feedback: What the controller is fed after a choice.
    ///   - settings: How it learns.
    ///   - hidden: Values of the recurrent network's inputs and outputs.
    ///   - seed: The seed of parameters, draws and orders.
    ///   - dtype: Kind of the parameters.
    public init(
        _ sequence: ChoiceSequence, feedback: ControllerFeedback = .published, settings: Settings = Settings(),
        hidden: Int = 100, seed: UInt64, dtype: DType = .float32
    ) {
        self.settings = settings
        store = VariableStore(generator: Generator(seed: seed), dtype: dtype)
        controller = Controller(sequence, feedback: feedback, hidden: hidden, at: store.root)
        optimizer = Adam(store.parameters, rate: settings.learningRate)
    }

    /// Number of trained values.
    public var parameterCount: Int { store.parameterCount }

    /// The controller's parameters by name; the tensors are its own.
    public var parameters: [Variable] { store.parameters }

    /// Draws choices from the policy, or from all legal ones alike.
    ///
    /// - Parameter uniformly: Whether all that is legal is equally likely.
    /// - Returns: The choices, with the policy's probability of them.
    public func propose(uniformly: Bool = false) -> Proposal {
        withoutGradients {
            let uniform = { self.uniforms(1)[0] }
            let drawn = uniformly ? controller.sampleUniformly(uniform) : controller.sample(uniform)
            return Proposal(choices: drawn.choices, logProbability: drawn.logProbability.item())
        }
    }

    /// Learns from a score.
    ///
    /// - Parameters:
    ///   - proposal: What was proposed.
    ///   - reward: What it came to, a finite number; higher is better.
    public func learn(from proposal: Proposal, reward: Double) {
        precondition(reward.isFinite, "a reward of \(reward)")
        let baseline = memory.baseline.map {
            settings.baselineDecay * $0 + (1 - settings.baselineDecay) * reward
        }
        memory.baseline = baseline ?? reward
        memory.rows.append(Row(proposal: proposal, reward: reward))
        memory.rows.removeFirst(max(0, memory.rows.count - (settings.rule == .ppo ? settings.buffer : 1)))
        let keys = uniforms(memory.rows.count)
        for index in keys.indices.sorted(by: { keys[$0] < keys[$1] }) { step(memory.rows[index]) }
    }

    /// The loss of one scored proposal.
    ///
    /// - Parameters:
    ///   - row: The proposal and its reward, from which the baseline is taken.
    ///   - judgement: What the policy says of its choices now.
    /// - Returns: A scalar with gradients.
    public func loss(of row: Row, _ judgement: Controller.Judgement) -> Tensor {
        let advantage = row.reward - (memory.baseline ?? 0)
        let gain: Tensor
        switch settings.rule {
        case .ppo:
            let ratio = (judgement.logProbability - row.proposal.logProbability).exp()
            let clipped = ratio.clamped(1 - settings.clip, 1 + settings.clip)
            gain = (ratio * advantage).minimum(clipped * advantage)
        case .reinforce:
            gain = judgement.logProbability * advantage
        }
        return settings.entropy == 0 ? -gain : -gain - judgement.entropy * settings.entropy
    }

    private func step(_ row: Row) {
        let tensors = store.parameters.map(\.tensor)
        let loss = loss(of: row, controller.judge(row.proposal.choices))
        let gradients = Torch.gradients(of: loss, withRespectTo: tensors)
        let norm = totalNorm(of: gradients).item()
        // A ratio to a probability near 0 can be too large for a number.
        guard norm.isFinite else { return }
        clipGradients(gradients, norm: norm, to: settings.gradientNorm)
        optimizer.step(gradients)
    }

    /// Numbers from 0 up to, not including, 1, from the same generator as all else that is drawn.
    public func uniforms(_ count: Int) -> [Double] {
        Tensor.uniform([count], generator: store.generator, dtype: .float64).doubles()
    }

    /// All tensors that the next step depends on, by section.
    public var state: [String: [String: Tensor]] {
        ["controller": store.state, "optimizer": optimizer.state, "generator": ["state": store.generator.state]]
    }

    /// Goes on from a saved state.
    ///
    /// - Parameters:
    ///   - state: The tensors.
    ///   - memory: The rest.
    /// - Throws: `TorchError` where it belongs to another controller.
    public func restore(_ state: [String: [String: Tensor]], memory: Memory) throws {
        guard let generator = state["generator"]?["state"],
            memory.rows.count <= settings.buffer, memory.baseline?.isFinite ?? memory.rows.isEmpty,
            memory.rows.allSatisfy({
                controller.sequence.accepts($0.proposal.choices) && $0.reward.isFinite
                    && $0.proposal.logProbability.isFinite
            })
        else { throw TorchError("its scores are not those of such a controller") }
        for (section, name) in [("controller", "parameter"), ("optimizer", "moment")] {
            if let bad = (state[section] ?? [:]).sorted(by: { $0.key < $1.key }).first(where: { !$1.isAllFinite }) {
                throw TorchError("\(bad.key): a \(name) is no finite number")
            }
        }
        try store.load(state["controller"] ?? [:])
        try optimizer.load(state["optimizer"] ?? [:])
        try store.generator.restore(state: generator)
        self.memory = memory
    }
}

extension Tensor {
    /// The smaller of two, element by element.
    fileprivate func minimum(_ other: Tensor) -> Tensor { -(-self).maximum(-other) }

    /// The nearest number within bounds, of a scalar.
    fileprivate func clamped(_ low: Double, _ high: Double) -> Tensor {
        maximum(.full(low, [], dtype: dtype)).minimum(.full(high, [], dtype: dtype))
    }
}
