import SearchSpace
import Torch

/// The stem of a discrete network: what gives its maps at strides 2 and 4.
enum DiscreteStem {
    /// Three convolutions; the second's and the third's maps are read before their ReLU too.
    case paper([ConvBNReLU])
    /// An encoder's blocks with two adapters, whose maps are read before their ReLU too.
    case encoder(EncoderStem)

    /// Makes the stem's variables in their places below `root`.
    init(_ root: Path, _ layout: NetworkLayout, normalization: Normalization) {
        if let encoder = layout.encoder {
            self = .encoder(
                EncoderStem(root, encoder, adapters: layout.stem, normalization: normalization, activation: nil))
        } else {
            self = .paper(
                layout.stem.enumerated().map { index, convolution in
                    ConvBNReLU(
                        root / "stem" / (index + 1), convolution, normalization: normalization,
                        activation: index == 0 ? .relu : nil)
                })
        }
    }

    /// The encoder, where there is one.
    var encoder: ImageEncoder? {
        guard case .encoder(let stem) = self else { return nil }
        return stem.encoder
    }

    /// The maps at strides 2 and 4, before their ReLU.
    ///
    /// - Parameters:
    ///   - images: What the network sees.
    ///   - backend: What computes.
    ///   - see: What an encoder makes of the images.
    /// - Returns: The first H^{l-2} and the first H^{l-1}.
    func maps<Backend: ForwardBackend>(
        of images: Backend.Map, on backend: Backend, see: (ImageEncoder) -> [Backend.Map]
    ) -> (half: CachedFeatureMap<Backend>, quarter: CachedFeatureMap<Backend>) {
        switch self {
        case .paper(let units):
            let half = CachedFeatureMap(units[1](units[0](images, on: backend), on: backend), on: backend)
            return (half, CachedFeatureMap(units[2](half.rectified, on: backend), on: backend))
        case .encoder(let stem):
            let maps = stem.maps(of: see(stem.encoder), on: backend)
            return (CachedFeatureMap(maps.half, on: backend), CachedFeatureMap(maps.quarter, on: backend))
        }
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        switch self {
        case .paper(let units): for unit in units { unit.fold() }
        case .encoder(let stem): stem.fold()
        }
    }
}
