import Networks
import SearchSpace
import Torch

/// Alpha and beta, and gamma of long skips, with their softmaxes (paper equations 2 to 4, 7 and 8).
public struct SoftmaxRelaxation: Relaxation {
    /// One row of operators for every edge of the one cell, `[edges, 8]`.
    public let alpha: Tensor
    /// One value for every arrow of the network, `[arrows]`.
    public let beta: Tensor
    /// A row for every gate of a long skip, shut and open, `[gates, 2]`; nil where there are none.
    public let gamma: Tensor?
    private let softmax: ArchitectureSoftmax
    private let temperature: Temperature
    /// The temperature of the last step, where it changes: what is decoded, and validated, is what was trained.
    private let current: Tensor?

    /// What the logits are divided by: it goes from one value to another in equal steps.
    public struct Temperature: Hashable, Sendable {
        /// At the first step of the architecture's training, and before.
        public var first: Double
        /// At the search's last step.
        public var last: Double
        /// The first step of the architecture's training.
        public var from: Int

        /// A temperature that goes from one value to another.
        public init(first: Double = 1, last: Double = 1, from: Int = 0) {
            self.first = first
            self.last = last
            self.from = from
        }

        /// The temperature in a step.
        public func callAsFunction(at step: SearchStep) -> Double {
            let progress = Double(step.index - from) / Double(max(1, step.total - 1 - from))
            return first + (last - first) * min(max(progress, 0), 1)
        }
    }

    /// Makes alpha, beta and gamma of a supernet, normal with deviation 1e-3.
    public init(_ path: Path, _ configuration: SupernetConfiguration, temperature: Temperature = Temperature()) {
        self.temperature = temperature
        current =
            temperature.first == temperature.last
            ? nil : path.buffer("temperature", shape: [1], value: temperature.first)
        let initializer = Initializer.normal(1e-3)
        alpha = path.parameter(
            "alpha", shape: configuration.operatorShape, initializer: initializer, kind: .architecture)
        beta = path.parameter("beta", shape: configuration.arrowShape, initializer: initializer, kind: .architecture)
        gamma = configuration.gateShape.map {
            path.parameter("gamma", shape: $0, initializer: initializer, kind: .architecture)
        }
        softmax = ArchitectureSoftmax(configuration, device: beta.device)
    }

    /// The probabilities, which depend on the step by the temperature alone.
    public func weights(at step: SearchStep) -> ArchitectureWeights {
        if let current { withoutGradients { current.fill(temperature(at: step)) } }
        return weights
    }

    /// The probabilities of each edge's operators, of the arrows that leave each node, and of open gates.
    public var weights: ArchitectureWeights {
        // A division by 1 would be one more operation.
        if current == nil, temperature.first == 1 { return softmax(operators: alpha, arrows: beta, gates: gamma) }
        func cooled(_ logits: Tensor) -> Tensor { current.map { logits / $0 } ?? logits / temperature.first }
        return softmax(operators: cooled(alpha), arrows: cooled(beta), gates: gamma.map(cooled))
    }
}
