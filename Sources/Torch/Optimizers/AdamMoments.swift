import CTorch

/// The moments that Adam and AdamW keep of their parameters' gradients, and the step that both make by them.
final class AdamMoments {
    /// How the weight decay acts.
    enum Decay {
        /// L2, added to the gradient: Adam.
        case added
        /// Taken off the parameters, beside the moments: AdamW.
        case decoupled
    }

    private let variables: [Variable]
    private let first: [Tensor]
    private let second: [Tensor]
    private let steps: [Tensor]

    init(of variables: [Variable]) {
        self.variables = variables
        first = variables.map { zeros(laidAs: $0.tensor) }
        second = variables.map { zeros(laidAs: $0.tensor) }
        steps = variables.map { .zeros([], device: $0.tensor.device) }
    }

    /// One step; a gradient for each variable, nil where the loss does not depend on it.
    func step(
        _ gradients: ArraySlice<Tensor?>, rate: Double, betas: (Double, Double), decay: (Decay, Double), eps: Double
    ) {
        let tensors = variables.map(\.tensor)
        let (kind, amount) = decay
        let step = kind == .added ? ct_adam_step : ct_adamw_step
        withHandles(tensors) { parameters in
            withHandles(filled(gradients, like: tensors)) { gradients in
                withHandles(first) { first in
                    withHandles(second) { second in
                        withHandles(steps) { steps in
                            Engine.run(
                                kind == .added ? "Adam" : "AdamW",
                                step(
                                    parameters, gradients, first, second, steps, Int64(parameters.count), rate, betas.0,
                                    betas.1, amount, eps))
                        }
                    }
                }
            }
        }
    }

    /// Moments and counts of steps by the parameters' names.
    var state: [String: Tensor] {
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
    func load(_ saved: [String: Tensor]) throws {
        try restore(first, of: variables, prefix: "first.", from: saved)
        try restore(second, of: variables, prefix: "second.", from: saved)
        try restore(steps, of: variables, prefix: "step.", from: saved)
    }
}
