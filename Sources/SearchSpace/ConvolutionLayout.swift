/// How the atrous operators convolve.
public enum AtrousKind: String, CaseIterable, Encodable, Hashable, Sendable {
    /// One dense convolution, as in the paper (only this gives Table 2's parameter counts).
    case dense
    /// A depthwise convolution and a pointwise one, as the PyTorch ports have it.
    case separable
}

/// The zeros around a map that is convolved.
public enum ConvolutionPadding: Hashable, Sendable {
    /// As many on each side: dilation (kernel - 1) / 2.
    case symmetric
    /// TensorFlow's SAME: as many as the map's size needs; the odd one is behind it.
    case same
}

/// One convolution of a network, without its weights.
public struct ConvolutionLayout: Hashable, Sendable {
    /// The side of the kernel.
    public let kernelSize: Int
    /// The stride.
    public let stride: Int
    /// The rate.
    public let dilation: Int
    /// The channels that come in.
    public let inputChannels: Int
    /// The channels that go out.
    public let outputChannels: Int
    /// The groups: 1, or the channels for a depthwise convolution.
    public let groups: Int
    /// Whether there is a bias.
    public let bias: Bool
    /// Whether a batch norm with scale and offset follows.
    public let normalized: Bool
    /// The zeros around the map; by either kind the output has size ceil(input / stride).
    public let padding: ConvolutionPadding

    /// A convolution of these sizes.
    public init(
        kernelSize: Int, stride: Int = 1, dilation: Int = 1, inputChannels: Int, outputChannels: Int, groups: Int = 1,
        bias: Bool = false, normalized: Bool = true, padding: ConvolutionPadding = .symmetric
    ) {
        self.kernelSize = kernelSize
        self.stride = stride
        self.dilation = dilation
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.groups = groups
        self.bias = bias
        self.normalized = normalized
        self.padding = padding
    }

    /// The number of weights in the kernel.
    public var weights: Int { kernelSize * kernelSize * inputChannels / groups * outputChannels }

    /// All parameters: kernel, bias, and the batch norm's scale and offset.
    public var parameters: Int { weights + (bias ? outputChannels : 0) + (normalized ? 2 * outputChannels : 0) }

    /// Multiply-adds for an output of this many values per channel; those of bias and batch norm are not counted.
    public func multiplyAdds(outputSize: Int) -> Int { weights * outputSize }
}

extension Operator {
    /// The operator's convolutions in the discrete network, in order.
    ///
    /// A separable operator strides in its first depthwise convolution. A strided atrous operator resizes its input to
    /// half first and then convolves with stride 1 and rate 1. A strided skip is a 1x1 convolution, others are none.
    ///
    /// - Parameters:
    ///   - channels: the block's channels, which come in and go out.
    ///   - stride: 1, or 2 for an input from another layer in a cell that moves down.
    ///   - atrous: how atrous operators convolve.
    /// - Returns: the convolutions; none for pools, an identity and `none`.
    public func convolutions(channels: Int, stride: Int, atrous: AtrousKind = .dense) -> [ConvolutionLayout] {
        func depthwise(_ size: Int, stride: Int, dilation: Int = 1) -> ConvolutionLayout {
            ConvolutionLayout(
                kernelSize: size, stride: stride, dilation: dilation, inputChannels: channels,
                outputChannels: channels, groups: channels, normalized: false)
        }
        let pointwise = ConvolutionLayout(kernelSize: 1, inputChannels: channels, outputChannels: channels)
        switch form {
        case .separable(let kernel):
            return [depthwise(kernel, stride: stride), pointwise, depthwise(kernel, stride: 1), pointwise]
        case .atrous(let kernel, let full):
            let rate = stride > 1 ? 1 : full
            switch atrous {
            case .separable: return [depthwise(kernel, stride: 1, dilation: rate), pointwise]
            case .dense:
                return [
                    ConvolutionLayout(
                        kernelSize: kernel, dilation: rate, inputChannels: channels, outputChannels: channels)
                ]
            }
        case .skip where stride > 1:
            return [ConvolutionLayout(kernelSize: 1, stride: stride, inputChannels: channels, outputChannels: channels)]
        case .pool, .skip, .none: return []
        }
    }
}
