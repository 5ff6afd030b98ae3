import Networks
import SearchSpace
import Torch

/// The mean entropy of the arrows' groups, of the edges' operators and of long skips' gates, whose weight grows from 0 to
/// 1 in the course of the search (DiNTS, arXiv 2103.15954): it lets the search try before it makes it decide.
public struct EntropyPenalty: ArchitecturePenalty {
    private let weight: Double
    private let first: Int
    private let groups: Int

    /// - Parameters:
    ///   - configuration: The supernet's.
    ///   - weight: The term's weight at the last step.
    ///   - first: The first step in which the architecture is trained; the weight is 0 there.
    public init(_ configuration: SupernetConfiguration, weight: Double, from first: Int) {
        self.weight = weight
        self.first = first
        groups = NetworkSpace(layers: configuration.layers).groups.count
    }

    /// The weighed entropies, in nats.
    public func callAsFunction(_ weights: ArchitectureWeights, at step: SearchStep) -> Tensor {
        let progress = Double(step.index - first) / Double(max(1, step.total - 1 - first))
        // A probability of 0 has no logarithm, and takes part with p log p = 0.
        func entropy(_ probabilities: Tensor) -> Tensor {
            (probabilities * (probabilities + 1e-12).log()).sum() * -1
        }
        let operators = entropy(weights.operators) * (1 / Double(weights.operators.size(0)))
        let arrows = entropy(weights.arrows) * (1 / Double(groups))
        let gates = weights.gates.map { (entropy($0) + entropy(1 - $0)) * (1 / Double($0.size(0))) }
        return (gates.map { operators + arrows + $0 } ?? operators + arrows) * (weight * min(max(progress, 0), 1))
    }
}
