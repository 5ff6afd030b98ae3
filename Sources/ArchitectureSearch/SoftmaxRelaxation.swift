import Networks
import SearchSpace
import Torch

/// Alpha and beta with their softmaxes (paper equations 2 to 4, 7 and 8).
public struct SoftmaxRelaxation: Relaxation {
    /// One row of operators for every edge of the one cell, `[edges, 8]`.
    public let alpha: Tensor
    /// One value for every arrow of the network, `[arrows]`.
    public let beta: Tensor
    private let softmax: ArchitectureSoftmax

    /// Makes alpha and beta of a supernet, normal with deviation 1e-3.
    public init(_ path: Path, _ configuration: SupernetConfiguration) {
        let initializer = Initializer.normal(1e-3)
        alpha = path.parameter(
            "alpha", shape: configuration.operatorShape, initializer: initializer, kind: .architecture)
        beta = path.parameter("beta", shape: configuration.arrowShape, initializer: initializer, kind: .architecture)
        softmax = ArchitectureSoftmax(configuration, device: beta.device)
    }

    /// The probabilities, which don't depend on the step.
    public func weights(at step: SearchStep) -> ArchitectureWeights { weights }

    /// The probabilities of each edge's operators and of the arrows that leave each node.
    public var weights: ArchitectureWeights { softmax(operators: alpha, arrows: beta) }
}
