/// One set of parameters that are trained alike.
public struct ParameterGroup {
    /// What is trained.
    public let parameters: [Variable]
    /// How strongly the parameters are drawn to zero; how, is the optimizer's.
    public let weightDecay: Double
    /// Factor of the learning rate.
    public let rateFactor: Double

    /// Parameters that share weight decay and learning rate.
    public init(parameters: [Variable], weightDecay: Double, rateFactor: Double = 1) {
        self.parameters = parameters
        self.weightDecay = weightDecay
        self.rateFactor = rateFactor
    }
}

/// What turns gradients into a step of the parameters, at a learning rate that a ``Schedule`` gives.
public protocol Optimizer: AnyObject {
    /// Parameters in the order in which ``step(_:rate:)`` takes their gradients.
    var parameters: [Tensor] { get }

    /// One step; gradients in the order of ``parameters``, nil where the loss does not depend on one.
    func step(_ gradients: [Tensor?], rate: Double)

    /// What must be kept for the next step to be the same, by the parameters' names.
    var state: [String: Tensor] { get }

    /// Goes on from a saved state.
    ///
    /// - Throws: ``TorchError`` if it belongs to other parameters or another optimizer.
    func load(_ saved: [String: Tensor]) throws
}
