import CTorch

/// Adam with bias correction and decoupled weight decay (arXiv 1711.05101).
///
///     w <- w - rate * decay * w - rate * m' / (sqrt(v') + eps)
///
/// The decay does not enter the moments, so that parameters with large gradients decay as much as others do.
public final class AdamW: Optimizer {
    /// The parameters, group by group.
    public let groups: [ParameterGroup]
    /// Decay of the first and second moments.
    public let betas: (Double, Double)
    /// Added to the root of the second moment.
    public let eps: Double
    private let first: [[Tensor]]
    private let second: [[Tensor]]
    private let steps: [[Tensor]]

    /// Takes the parameters over; nothing is changed before the first step.
    public init(groups: [ParameterGroup], betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8) {
        let groups = groups.filter { !$0.parameters.isEmpty }
        self.groups = groups
        self.betas = betas
        self.eps = eps
        func zeros() -> [[Tensor]] {
            groups.map { group in
                group.parameters.map { .zeros($0.tensor.shape, dtype: $0.tensor.dtype, device: $0.tensor.device) }
            }
        }
        first = zeros()
        second = zeros()
        steps = groups.map { $0.parameters.map { .zeros([], device: $0.tensor.device) } }
    }

    /// Parameters in the order in which ``step(_:rate:)`` takes their gradients.
    public var parameters: [Tensor] { groups.flatMap { $0.parameters.map(\.tensor) } }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    public func step(_ gradients: [Tensor?], rate: Double) {
        var rest = gradients[...]
        for (index, group) in groups.enumerated() {
            let tensors = group.parameters.map(\.tensor)
            let own = filled(rest.prefix(tensors.count), like: tensors)
            rest = rest.dropFirst(tensors.count)
            withHandles(tensors) { tensors in
                withHandles(own) { own in
                    withHandles(first[index]) { first in
                        withHandles(second[index]) { second in
                            withHandles(steps[index]) { steps in
                                Engine.run(
                                    "AdamW",
                                    ct_adamw_step(
                                        tensors, own, first, second, steps, Int64(tensors.count),
                                        rate * group.rateFactor, betas.0, betas.1, group.weightDecay, eps))
                            }
                        }
                    }
                }
            }
        }
    }

    /// What must be kept for the next step to be the same: moments and counts of steps by the parameters' names.
    public var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, group) in groups.enumerated() {
            for (position, variable) in group.parameters.enumerated() {
                state["first." + variable.name] = first[index][position]
                state["second." + variable.name] = second[index][position]
                state["step." + variable.name] = steps[index][position]
            }
        }
        return state
    }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters or another optimizer.
    public func load(_ saved: [String: Tensor]) throws {
        for (index, group) in groups.enumerated() {
            try restore(first[index], of: group.parameters, prefix: "first.", from: saved)
            try restore(second[index], of: group.parameters, prefix: "second.", from: saved)
            try restore(steps[index], of: group.parameters, prefix: "step.", from: saved)
        }
    }
}
