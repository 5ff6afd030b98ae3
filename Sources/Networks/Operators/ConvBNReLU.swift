import Torch

/// Convolution, batch normalisation, ReLU: the order outside the cells.
final class ConvBNReLU {
    private let convolution: NormalizedConv
    private let activates: Bool

    init(
        _ path: Path, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, dilation: Int = 1,
        normalization: Normalization, initializer: Initializer = .uniformFanIn, activates: Bool = true
    ) {
        convolution = NormalizedConv(
            Conv2d(
                path / "conv", inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: kernelSize,
                stride: stride, dilation: dilation, initializer: initializer),
            normalization(path / "norm", channels: outputChannels))
        self.activates = activates
    }

    /// `[N, C, H, W]` to `[N, O, ceil(H / stride), ceil(W / stride)]`.
    func callAsFunction(_ x: Tensor, mode: NormalizationMode) -> Tensor {
        convolution(x, mode: mode, activates: activates)
    }

    /// The same on any backend.
    func callAsFunction<Backend: ForwardBackend>(_ x: Backend.Map, on backend: Backend) -> Backend.Map {
        backend.convolve(x, by: convolution, activates: activates)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() { convolution.fold() }
}
