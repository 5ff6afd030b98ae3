import CTorch

/// Stochastic gradient descent with momentum; weight decay is L2, added to the gradient.
///
///     g <- g + decay * w,   v <- momentum * v + g (v = g at first),   w <- w - rate * v
public final class SGD: Optimizer {
    /// The parameters, group by group.
    public let groups: [ParameterGroup]
    /// Factor of the last velocity.
    public let momentum: Double
    private var velocities: [[Tensor]]
    private var started = false

    /// Takes the parameters over; nothing is changed before the first step.
    public init(groups: [ParameterGroup], momentum: Double) {
        self.groups = groups.filter { !$0.parameters.isEmpty }
        self.momentum = momentum
        velocities = self.groups.map { group in
            group.parameters.map { zeros(laidAs: $0.tensor) }
        }
    }

    /// Parameters in the order in which ``step(_:rate:)`` takes their gradients.
    public var parameters: [Tensor] { groups.flatMap { $0.parameters.map(\.tensor) } }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    public func step(_ gradients: [Tensor?], rate: Double) {
        var rest = gradients[...]
        for (group, velocity) in zip(groups, velocities) {
            let tensors = group.parameters.map(\.tensor)
            let own = filled(rest.prefix(tensors.count), like: tensors)
            rest = rest.dropFirst(tensors.count)
            withHandles(tensors) { tensors in
                withHandles(own) { own in
                    withHandles(velocity) { velocity in
                        Engine.run(
                            "SGD",
                            ct_sgd_step(
                                tensors, own, velocity, Int64(tensors.count), rate * group.rateFactor, momentum,
                                group.weightDecay, !started))
                    }
                }
            }
        }
        started = true
    }

    /// What must be kept for the next step to be the same: velocities by the parameters' names.
    public var state: [String: Tensor] {
        var state = ["started": Tensor([UInt8(started ? 1 : 0)], shape: [1])]
        for (group, velocity) in zip(groups, velocities) {
            for (variable, tensor) in zip(group.parameters, velocity) { state["velocity." + variable.name] = tensor }
        }
        return state
    }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters.
    public func load(_ saved: [String: Tensor]) throws {
        guard let flag = saved["started"], flag.count == 1 else { throw TorchError("optimizer: no state of SGD") }
        for (group, velocity) in zip(groups, velocities) {
            try restore(velocity, of: group.parameters, prefix: "velocity.", from: saved)
        }
        started = flag.item() != 0
    }
}

/// Zeros of a parameter's shape, which lie in memory as it does.
func zeros(laidAs parameter: Tensor) -> Tensor {
    let result = parameter.detach().clone()
    result.fill(0)
    return result
}

/// Gradients with zeros for those that are missing.
func filled(_ gradients: ArraySlice<Tensor?>, like parameters: [Tensor]) -> [Tensor] {
    precondition(gradients.count == parameters.count, "\(gradients.count) gradients, \(parameters.count) parameters")
    return zip(gradients, parameters).map { gradient, parameter in
        gradient ?? zeros(laidAs: parameter)
    }
}

/// Overwrites an optimizer's tensors by saved ones.
package func restore(_ tensors: [Tensor], of variables: [Variable], prefix: String, from saved: [String: Tensor]) throws
{
    for (tensor, variable) in zip(tensors, variables) {
        guard let value = saved[prefix + variable.name], value.shape == tensor.shape else {
            throw TorchError("optimizer state of \(variable.name): missing or of another shape")
        }
        tensor.copy(from: value)
    }
}
