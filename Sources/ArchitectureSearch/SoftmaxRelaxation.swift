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

    /// Makes alpha, beta and gamma of a supernet, normal with deviation 1e-3.
    public init(_ path: Path, _ configuration: SupernetConfiguration) {
        let initializer = Initializer.normal(1e-3)
        alpha = path.parameter(
            "alpha", shape: configuration.operatorShape, initializer: initializer, kind: .architecture)
        beta = path.parameter("beta", shape: configuration.arrowShape, initializer: initializer, kind: .architecture)
        gamma = configuration.gateShape.map {
            path.parameter("gamma", shape: $0, initializer: initializer, kind: .architecture)
        }
        softmax = ArchitectureSoftmax(configuration, device: beta.device)
    }

    /// The probabilities, which don't depend on the step.
    public func weights(at step: SearchStep) -> ArchitectureWeights { weights }

    /// The probabilities of each edge's operators, of the arrows that leave each node, and of open gates.
    public var weights: ArchitectureWeights { softmax(operators: alpha, arrows: beta, gates: gamma) }
}
