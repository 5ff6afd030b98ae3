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
    private let moments: AdamMoments

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
        moments = AdamMoments(of: variables)
    }

    /// Parameters in the order in which ``step(_:)`` takes their gradients.
    public var parameters: [Tensor] { variables.map(\.tensor) }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    public func step(_ gradients: [Tensor?]) {
        moments.step(gradients[...], rate: rate, betas: betas, decay: (.added, weightDecay), eps: eps)
    }

    /// What must be kept for the next step to be the same.
    public var state: [String: Tensor] { moments.state }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters.
    public func load(_ saved: [String: Tensor]) throws { try moments.load(saved) }
}
