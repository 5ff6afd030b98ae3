import Torch

/// The stem to stride 4: 3x3/2 and 3x3 to B * F / 2 channels, 3x3/2 to B * F, each conv-BN-ReLU.
final class SupernetStem {
    private let half: [ConvBNReLU]
    private let quarter: ConvBNReLU

    init(_ path: Path, configuration: SupernetConfiguration) {
        let inner = configuration.mapChannels(stride: 2)
        func unit(_ name: String, from: Int, to: Int, stride: Int) -> ConvBNReLU {
            ConvBNReLU(
                path / name, inputChannels: from, outputChannels: to, kernelSize: 3, stride: stride,
                normalization: configuration.normalization)
        }
        half = [
            unit("1", from: configuration.imageChannels, to: inner, stride: 2),
            unit("2", from: inner, to: inner, stride: 1),
        ]
        quarter = unit("3", from: inner, to: configuration.mapChannels(stride: 4), stride: 2)
    }

    /// The maps at strides 2 and 4.
    func callAsFunction(_ images: Tensor, mode: NormalizationMode) -> (half: Tensor, quarter: Tensor) {
        let map = half.reduce(images) { $1($0, mode: mode) }
        return (map, quarter(map, mode: mode))
    }
}
