import SearchSpace
import Torch

/// Convolution, batch normalisation, ReLU: the order outside the cells.
final class ConvBNReLU {
    private let convolution: NormalizedConv
    private let activates: Bool

    init(
        _ path: Path, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, dilation: Int = 1,
        groups: Int = 1, normalization: Normalization, initializer: Initializer = .uniformFanIn, activates: Bool = true
    ) {
        convolution = NormalizedConv(
            Conv2d(
                path / "conv", inputChannels: inputChannels, outputChannels: outputChannels, kernelSize: kernelSize,
                stride: stride, dilation: dilation, groups: groups, initializer: initializer),
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

extension ConvBNReLU {
    /// A convolution as the layout has it, with what follows.
    convenience init(
        _ path: Path, _ layout: ConvolutionLayout, normalization: Normalization,
        initializer: Initializer = .uniformFanIn, activates: Bool = true
    ) {
        self.init(
            path, inputChannels: layout.inputChannels, outputChannels: layout.outputChannels,
            kernelSize: layout.kernelSize, stride: layout.stride, dilation: layout.dilation, groups: layout.groups,
            normalization: normalization, initializer: initializer, activates: activates)
    }

    /// The convolutions of a 3x3 unit of the head: one at `path`, or a depthwise and a pointwise one below it.
    static func head3x3(
        _ path: Path, _ layouts: [ConvolutionLayout], normalization: Normalization, initializer: Initializer
    ) -> [ConvBNReLU] {
        layouts.map { layout in
            let isWhole = layouts.count == 1
            return ConvBNReLU(
                isWhole ? path : path / (layout.groups > 1 ? "depthwise" : "pointwise"), layout,
                normalization: normalization, initializer: initializer)
        }
    }
}

extension [ConvBNReLU] {
    /// One after another.
    func callAsFunction<Backend: ForwardBackend>(_ x: Backend.Map, on backend: Backend) -> Backend.Map {
        reduce(x) { $1($0, on: backend) }
    }
}
