import SearchSpace
import Torch

/// An encoder's blocks up to stride 4 in the place of the paper's stem (ALGORITHM 17): behind its last maps at strides 2 and 4
/// lies an adapter each, a 1x1 convolution with batch normalisation.
///
/// Variables: those of ``ImageEncoder`` below `encoder`; `stem.adapter2` and `stem.adapter4`, each `.conv.weight` and
/// `.norm`.
final class EncoderStem {
    /// The encoder.
    let encoder: ImageEncoder
    private let adapters: [ConvBNReLU]

    /// - Parameters:
    ///   - root: The place of the whole network's variables.
    ///   - layout: The encoder's blocks up to stride 4.
    ///   - adapters: The adapters at strides 2 and 4.
    ///   - normalization: That of the adapters.
    ///   - activation: What follows it; nil where cells read maps before their ReLU.
    init(
        _ root: Path, _ layout: EncoderLayout, adapters: [ConvolutionLayout], normalization: Normalization,
        activation: Activation?
    ) {
        precondition(
            layout.features.map(\.stride) == [2, 4] && adapters.count == 2, "a stem's maps at strides 2 and 4")
        encoder = ImageEncoder(root / "encoder", layout)
        self.adapters = zip(layout.features, adapters).map {
            ConvBNReLU(
                root / "stem" / "adapter\($0.stride)", $1, normalization: normalization, activation: activation)
        }
    }

    /// The stem's maps at strides 2 and 4 of what the encoder makes of images.
    func maps<Backend: ForwardBackend>(
        of features: [Backend.Map], on backend: Backend
    ) -> (half: Backend.Map, quarter: Backend.Map) {
        (adapters[0](features[0], on: backend), adapters[1](features[1], on: backend))
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        encoder.fold()
        for adapter in adapters { adapter.fold() }
    }
}
