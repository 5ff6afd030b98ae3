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
    private let moments: [AdamMoments]

    /// Takes the parameters over; nothing is changed before the first step.
    public init(groups: [ParameterGroup], betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8) {
        let groups = groups.filter { !$0.parameters.isEmpty }
        self.groups = groups
        self.betas = betas
        self.eps = eps
        moments = groups.map { AdamMoments(of: $0.parameters) }
    }

    /// Parameters in the order in which ``step(_:rate:)`` takes their gradients.
    public var parameters: [Tensor] { groups.flatMap { $0.parameters.map(\.tensor) } }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    public func step(_ gradients: [Tensor?], rate: Double) {
        var rest = gradients[...]
        for (group, moments) in zip(groups, moments) {
            moments.step(
                rest.prefix(group.parameters.count), rate: rate * group.rateFactor, betas: betas,
                decay: (.decoupled, group.weightDecay), eps: eps)
            rest = rest.dropFirst(group.parameters.count)
        }
    }

    /// What must be kept for the next step to be the same: moments and counts of steps by the parameters' names.
    public var state: [String: Tensor] {
        moments.reduce(into: [:]) { $0.merge($1.state) { own, _ in own } }
    }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters or another optimizer.
    public func load(_ saved: [String: Tensor]) throws {
        for part in moments { try part.load(saved) }
    }
}
