import SearchSpace
import Torch

/// The stem to stride 4, which gives the maps at strides 2 and 4, of B * F / 2 and B * F channels.
enum SupernetStem {
    /// 3x3/2 and 3x3, then 3x3/2, each conv-BN-ReLU.
    case paper(half: [ConvBNReLU], quarter: ConvBNReLU)
    /// An encoder's blocks, with conv-BN-ReLU behind its maps.
    case encoder(EncoderStem)

    /// Makes the stem's variables in their places below `root`.
    init(_ root: Path, configuration: SupernetConfiguration) {
        let (early, late) = (configuration.mapChannels(stride: 2), configuration.mapChannels(stride: 4))
        if let kind = configuration.stem.encoder {
            precondition(
                configuration.imageChannels == 3, "\(kind.rawValue) on \(configuration.imageChannels) channels")
            let layout = EncoderLayout(kind, upTo: StemKind.stride.rawValue)
            self = .encoder(
                EncoderStem(
                    root, layout, adapters: layout.adapters(to: [early, late]),
                    normalization: configuration.normalization, activation: .relu))
            return
        }
        func unit(_ name: String, from: Int, to: Int, stride: Int) -> ConvBNReLU {
            ConvBNReLU(
                root / "stem" / name, inputChannels: from, outputChannels: to, kernelSize: 3, stride: stride,
                normalization: configuration.normalization)
        }
        let half = [
            unit("1", from: configuration.imageChannels, to: early, stride: 2),
            unit("2", from: early, to: early, stride: 1),
        ]
        self = .paper(half: half, quarter: unit("3", from: early, to: late, stride: 2))
    }

    /// The maps at strides 2 and 4.
    ///
    /// - Parameters:
    ///   - images: `[N, channels, H, W]`, channels last in memory.
    ///   - mode: How to normalise.
    ///   - training: What the pass does with an encoder.
    /// - Returns: The maps, after their ReLU.
    func callAsFunction(
        _ images: Tensor, mode: NormalizationMode, training: EncoderTraining
    ) -> (half: Tensor, quarter: Tensor) {
        switch self {
        case .paper(let half, let quarter):
            let map = half.reduce(images) { $1($0, mode: mode) }
            return (map, quarter(map, mode: mode))
        case .encoder(let stem):
            return stem.maps(
                of: stem.encoder.features(of: images, mode: mode, training: training),
                on: TensorBackend(image: MapSize(of: images), mode: mode))
        }
    }
}
