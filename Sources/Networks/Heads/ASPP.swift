import SearchSpace
import Torch

/// Atrous spatial pyramid pooling: the one head of search (paper 4.1.2) and of retraining (paper 5.2).
///
/// Branches: 1x1, one 3x3 for every rate, the image's mean; joined in this order and projected by a 1x1.
final class ASPP {
    /// What differs between search and retraining.
    struct Settings {
        var inputChannels: Int
        /// Channels of each branch and of the result.
        var channels: Int
        /// The 3x3 branches, each of one convolution or of two.
        var atrous: [[ConvolutionLayout]]
        /// Whether the image's mean is normalised; in search it is not, since at a batch of 2 every value would
        /// become +1 or -1.
        var normalizesImagePooling: Bool
        var normalization: Normalization
        var initializer: Initializer
    }

    private let name: String
    private let point: ConvBNReLU
    private let atrous: [[ConvBNReLU]]
    private let imageConv: Conv2d
    private let normalizedImage: NormalizedConv?
    private let projection: NormalizedConv

    init(_ path: Path, _ settings: Settings) {
        name = path.name
        point = ConvBNReLU(
            path / "point", inputChannels: settings.inputChannels, outputChannels: settings.channels, kernelSize: 1,
            normalization: settings.normalization, initializer: settings.initializer)
        atrous = settings.atrous.enumerated().map { index, layouts in
            ConvBNReLU.head3x3(
                path / "atrous\(index + 1)", layouts, normalization: settings.normalization,
                initializer: settings.initializer)
        }
        imageConv = Conv2d(
            path / "image" / "conv", inputChannels: settings.inputChannels, outputChannels: settings.channels,
            kernelSize: 1, initializer: settings.initializer)
        normalizedImage =
            settings.normalizesImagePooling
            ? NormalizedConv(imageConv, settings.normalization(path / "image" / "norm", channels: settings.channels))
            : nil
        projection = NormalizedConv(
            Conv2d(
                path / "projection" / "conv", inputChannels: settings.channels * (settings.atrous.count + 2),
                outputChannels: settings.channels, kernelSize: 1, initializer: settings.initializer),
            settings.normalization(path / "projection" / "norm", channels: settings.channels))
    }

    /// `[N, C, h, w]` to `[N, channels, h, w]`.
    func callAsFunction<Backend: ForwardBackend>(_ x: Backend.Map, on backend: Backend) -> Backend.Map {
        backend.project(
            { [point(x, on: backend)] + atrous.map { $0(x, on: backend) } },
            besides: {
                let mean = backend.mean(x, named: name + ".image.mean")
                guard let normalizedImage else { return backend.rectify(backend.convolve(mean, by: imageConv)) }
                return backend.convolve(mean, by: normalizedImage, activation: .relu)
            }, by: projection, named: name)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() {
        for unit in [point] + atrous.flatMap({ $0 }) { unit.fold() }
        normalizedImage?.fold()
        projection.fold()
    }
}
