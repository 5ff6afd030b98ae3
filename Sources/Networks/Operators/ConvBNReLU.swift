import SearchSpace
import Torch

/// Convolution, batch normalisation, and ReLU or another activation or none: the order outside the cells.
///
/// Variables: `conv.weight`, `norm.*`.
final class ConvBNReLU {
    private let convolution: NormalizedConv
    private let activation: Activation?

    /// A convolution as the layout has it, with what follows.
    init(
        _ path: Path, _ layout: ConvolutionLayout, normalization: Normalization,
        initializer: Initializer = .uniformFanIn, activation: Activation? = .relu
    ) {
        convolution = NormalizedConv(
            Conv2d(path / "conv", layout, initializer: initializer),
            normalization(path / "norm", channels: layout.outputChannels))
        self.activation = activation
    }

    /// A dense convolution of these sizes, with ReLU.
    convenience init(
        _ path: Path, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, dilation: Int = 1,
        normalization: Normalization, initializer: Initializer = .uniformFanIn
    ) {
        self.init(
            path,
            ConvolutionLayout(
                kernelSize: kernelSize, stride: stride, dilation: dilation, inputChannels: inputChannels,
                outputChannels: outputChannels), normalization: normalization, initializer: initializer)
    }

    /// `[N, C, H, W]` to `[N, O, ceil(H / stride), ceil(W / stride)]`.
    func callAsFunction(_ x: Tensor, mode: NormalizationMode) -> Tensor {
        convolution(x, mode: mode, activation: activation)
    }

    /// The same on any backend.
    func callAsFunction<Backend: ForwardBackend>(_ x: Backend.Map, on backend: Backend) -> Backend.Map {
        backend.convolve(x, by: convolution, activation: activation)
    }

    /// See ``DiscreteNetwork/fold()``.
    func fold() { convolution.fold() }

    /// See ``ImageEncoder/movesStatistics(decay:)``.
    func moveStatistics(by momentum: Double) { convolution.norm.momentum = max(momentum, convolution.norm.momentum) }
}

extension ConvBNReLU {
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
