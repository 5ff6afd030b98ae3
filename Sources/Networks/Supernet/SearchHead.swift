import SearchSpace
import Torch

/// ASPP and classes on one resolution of the last layer (paper 4.1.2).
final class SearchHead {
    private let aspp: ASPP
    private let classes: Conv2d

    init(_ path: Path, stride: Stride, configuration: SupernetConfiguration) {
        let channels = configuration.mapChannels(stride: stride.rawValue)
        aspp = ASPP(
            path / "aspp",
            ASPP.Settings(
                inputChannels: channels, channels: channels,
                atrous: [
                    ConvolutionLayout.head3x3(
                        from: channels, to: channels, dilation: 96 / stride.rawValue, separable: false)
                ], normalizesImagePooling: configuration.normalizesImagePooling,
                normalization: configuration.normalization, initializer: .uniformFanIn))
        classes = Conv2d(
            path / "classes", inputChannels: channels, outputChannels: configuration.classes, kernelSize: 1,
            bias: true)
    }

    /// Class maps at the image's size, `[N, classes, H, W]`.
    func callAsFunction(_ x: Tensor, height: Int, width: Int, mode: NormalizationMode) -> Tensor {
        let size = MapSize(height: height, width: width)
        return size.resize(classes(aspp(x, on: TensorBackend(image: size, mode: mode))))
    }
}
