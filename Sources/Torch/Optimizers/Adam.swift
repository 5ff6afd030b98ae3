import CTorch

/// Adam with bias correction; weight decay is L2, added to the gradient.
public final class Adam {
    /// What is trained.
    public let variables: [Variable]
    /// Step size.
    public let rate: Double
    /// Decay of the first and second moments.
    public let betas: (Double, Double)
    /// Factor of the parameters added to the gradient.
    public let weightDecay: Double
    /// Added to the root of the second moment.
    public let eps: Double
    private let first: [Tensor]
    private let second: [Tensor]
    private let steps: [Tensor]

    /// Takes the parameters over; nothing is changed before the first step.
    public init(
        _ variables: [Variable], rate: Double, betas: (Double, Double) = (0.9, 0.999), weightDecay: Double = 0,
        eps: Double = 1e-8
    ) {
        self.variables = variables
        self.rate = rate
        self.betas = betas
        self.weightDecay = weightDecay
        self.eps = eps
        func zeros() -> [Tensor] {
            variables.map { .zeros($0.tensor.shape, dtype: $0.tensor.dtype, device: $0.tensor.device) }
        }
        first = zeros()
        second = zeros()
        steps = variables.map { .zeros([], device: $0.tensor.device) }
    }

    /// Parameters in the order in which ``step(_:)`` takes their gradients.
    public var parameters: [Tensor] { variables.map(\.tensor) }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    public func step(_ gradients: [Tensor?]) {
        let own = filled(gradients[...], like: parameters)
        withHandles(parameters) { parameters in
            withHandles(own) { own in
                withHandles(first) { first in
                    withHandles(second) { second in
                        withHandles(steps) { steps in
                            Engine.run(
                                "Adam",
                                ct_adam_step(
                                    parameters, own, first, second, steps, Int64(parameters.count), rate, betas.0,
                                    betas.1, weightDecay, eps))
                        }
                    }
                }
            }
        }
    }

    /// What must be kept for the next step to be the same.
    public var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, variable) in variables.enumerated() {
            state["first." + variable.name] = first[index]
            state["second." + variable.name] = second[index]
            state["step." + variable.name] = steps[index]
        }
        return state
    }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters.
    public func load(_ saved: [String: Tensor]) throws {
        try restore(first, of: variables, prefix: "first.", from: saved)
        try restore(second, of: variables, prefix: "second.", from: saved)
        try restore(steps, of: variables, prefix: "step.", from: saved)
    }
}
