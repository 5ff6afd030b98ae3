import Networks
import SearchSpace
import Torch

/// Carries the weights of the first layer's arrows into the second layer, where they can be learnt.
///
/// A node that one arrow alone leads to gives its cell's output times that arrow's beta, and every way out of it normalises,
/// so that the factor is without effect and beta without a gradient. Both nodes of the first layer are such. Arrows of the
/// second layer meet in nodes that have others too: multiplied by the first layer's beta, as the chance of a path is, they
/// give way to one another by it.
public struct CarriedFirstLayer {
    /// For each arrow the place of its factor among the arrows and a 1 behind them.
    private let places: Tensor

    /// For a supernet whose weights are on a device.
    public init(_ configuration: SupernetConfiguration, device: Device) {
        let space = NetworkSpace(layers: configuration.layers)
        let places = space.arrows.map { arrow in
            let first = arrow.target.layer == 2 ? space.arrows(into: arrow.source).first : nil
            return Int64(first?.index ?? space.arrows.count)
        }
        self.places = Tensor(places, shape: [places.count], device: device)
    }

    /// The weights for a pass of the supernet; what is decoded are those before.
    public func callAsFunction(_ weights: ArchitectureWeights) -> ArchitectureWeights {
        let arrows = weights.arrows
        let one = Tensor.full(1, [1], dtype: arrows.dtype, device: arrows.device)
        return ArchitectureWeights(
            operators: weights.operators,
            arrows: arrows * concatenate([arrows, one], dim: 0).indexSelect(0, places), gates: weights.gates,
            probabilities: arrows)
    }
}
