import SearchSpace
import Torch

/// Classifiers on the outputs of layers within a network, for deep supervision while it is trained.
///
/// What is found in the middle must already tell the classes apart, as with the auxiliary cells of Nekrasov and others
/// (2018).
///
/// They have a store of their own, since a trained network is used without them. Variables: `auxiliary.L` +
/// `.conv.weight`, `.norm`, `.logits.weight`, `.logits.bias` for layer L.
public final class AuxiliaryHeads {
    /// The layers, counted from 1.
    public let layers: [Int]
    /// The heads' variables.
    public let store: VariableStore
    private let heads: [(unit: ConvBNReLU, logits: Conv2d)]

    /// Heads on some layers of a network.
    ///
    /// - Parameters:
    ///   - layers: Layers of the network, counted from 1, each once.
    ///   - network: The network.
    ///   - generator: Draws the heads' first values.
    public init(layers: [Int], of network: DiscreteNetwork, generator: Generator) {
        let (layout, configuration) = (network.layout, network.configuration)
        self.layers = layers
        let store = VariableStore(generator: generator, dtype: network.store.dtype, device: network.store.device)
        self.store = store
        heads = layers.map { layer in
            let path = store.root / "auxiliary" / layer
            let channels = configuration.decoderChannels
            return (
                ConvBNReLU(
                    path, inputChannels: layout.cells[layer - 1].outputChannels, outputChannels: channels,
                    kernelSize: 1, normalization: configuration.headNormalization, initializer: .glorotUniform),
                Conv2d(
                    path / "logits",
                    ConvolutionLayout(
                        kernelSize: 1, inputChannels: channels, outputChannels: configuration.classes, bias: true,
                        normalized: false), initializer: .truncatedNormal(0.01))
            )
        }
    }

    /// Class scores `[N, classes, H, W]` by each head at the images' size.
    ///
    /// - Parameters:
    ///   - maps: Outputs `[N, C, h, w]` of the network's layers, by layer.
    ///   - height: Rows of the images.
    ///   - width: Columns of the images.
    ///   - mode: How batch normalisation behaves.
    /// - Returns: The scores, in the order of ``layers``.
    public func callAsFunction(
        _ maps: [Int: Tensor], height: Int, width: Int, mode: NormalizationMode
    ) -> [Tensor] {
        zip(layers, heads).compactMap { layer, head in
            maps[layer].map {
                MapSize(height: height, width: width).resize(head.logits(head.unit($0.relu(), mode: mode)))
            }
        }
    }
}
