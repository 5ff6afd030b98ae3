/// Atrous spatial pyramid pooling of the discrete network.
public struct ASPPLayout: Hashable, Sendable {
    /// The channels of the last cell.
    public let inputChannels: Int
    /// The stride of the last cell.
    public let stride: Stride
    /// The rates of the three 3x3 branches, 96/s times 1, 2, 3.
    public let rates: [Int]
    /// The channels of each branch and of the result.
    public let channels: Int
    /// Whether the 3x3 branches are depthwise separable.
    public let separable: Bool

    /// Pooling behind a map of these channels and stride.
    public init(
        inputChannels: Int, stride: Stride, channels: Int = NetworkWidths().aspp, separable: Bool = false
    ) {
        self.channels = channels
        self.inputChannels = inputChannels
        self.stride = stride
        self.separable = separable
        rates = [1, 2, 3].map { $0 * 96 / stride.rawValue }
    }

    /// The 1x1 branch; the image-pooling branch has the same convolution, on one value per channel.
    public var pointwise: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: inputChannels, outputChannels: channels)
    }

    /// The three 3x3 branches, each of one convolution or of two.
    public var atrous: [[ConvolutionLayout]] {
        rates.map {
            ConvolutionLayout.head3x3(from: inputChannels, to: channels, dilation: $0, separable: separable)
        }
    }

    /// The 1x1 convolution behind the concatenation of 1x1, 3x3s and image pooling.
    public var projection: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: (rates.count + 2) * channels, outputChannels: channels)
    }
}

/// The decoder of the discrete network (DeepLabv3+); it works at stride 4, and may go on at 2 and 1.
public struct DecoderLayout: Hashable, Sendable {
    /// The layer that gives the low-level feature: the last at s = 4 before the path first leaves it; 0 for the stem.
    public let lowLevelLayer: Int
    /// The channels of the low-level feature.
    public let lowLevelChannels: Int
    /// The channels of ASPP's result.
    public let asppChannels: Int
    /// The channels that the low-level feature is reduced to.
    public let reducedChannels: Int
    /// The channels of the two 3x3 convolutions.
    public let channels: Int
    /// Whether the 3x3 convolutions are depthwise separable.
    public let separable: Bool
    /// What follows at finer strides, the coarser first; none where the scores are at stride 4.
    public let finer: [FinerLayout]

    /// A decoder that reads the map of this layer.
    public init(lowLevelLayer: Int, lowLevelChannels: Int, widths: NetworkWidths = NetworkWidths()) {
        self.lowLevelLayer = lowLevelLayer
        self.lowLevelChannels = lowLevelChannels
        asppChannels = widths.aspp
        reducedChannels = widths.lowLevel
        channels = widths.decoder
        separable = widths.head == .separable
        var finer: [FinerLayout] = []
        if widths.decoderStride <= 2 {
            finer.append(
                FinerLayout(
                    stride: 2, inputChannels: widths.decoder, lowLevelChannels: widths.stem[1],
                    channels: widths.fine, separable: separable))
        }
        if widths.decoderStride == 1 {
            finer.append(
                FinerLayout(
                    stride: 1, inputChannels: widths.fine, lowLevelChannels: widths.image,
                    channels: max(1, widths.fine / 2), separable: separable))
        }
        self.finer = finer
    }

    /// The 1x1 convolution of the low-level feature.
    public var reduction: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: lowLevelChannels, outputChannels: reducedChannels)
    }

    /// The two 3x3 convolutions behind the concatenation of ASPP's result and the reduced low-level feature, each of one
    /// convolution or of two.
    public var refinement: [[ConvolutionLayout]] {
        [asppChannels + reducedChannels, channels].map {
            ConvolutionLayout.head3x3(from: $0, to: channels, separable: separable)
        }
    }
}

/// The decoder's part at a stride below 4, where thin things are seen that stride 4 has lost.
///
/// Its input is brought to `channels` by a 1x1 convolution and resized; a map of this stride, the stem's or the image,
/// is brought to as many by a convolution; both side by side go through a 3x3 convolution.
public struct FinerLayout: Hashable, Sendable {
    /// The stride: 2 or 1.
    public let stride: Int
    /// The channels that come from the coarser part.
    public let inputChannels: Int
    /// The channels of the map at this stride: the stem's second convolution, or the image.
    public let lowLevelChannels: Int
    /// The channels of the result.
    public let channels: Int
    /// Whether the last 3x3 convolution is depthwise separable.
    public let separable: Bool

    /// The 1x1 convolution of the input, at the input's stride.
    public var projection: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: inputChannels, outputChannels: channels)
    }

    /// The convolution of the map at this stride: 1x1 of the stem's map, 3x3 of the image.
    public var reduction: ConvolutionLayout {
        ConvolutionLayout(kernelSize: stride == 1 ? 3 : 1, inputChannels: lowLevelChannels, outputChannels: channels)
    }

    /// The 3x3 convolution of both, of one convolution or of two.
    public var refinement: [ConvolutionLayout] {
        ConvolutionLayout.head3x3(from: 2 * channels, to: channels, separable: separable)
    }
}

extension ConvolutionLayout {
    /// A 3x3 convolution of the head: dense, or depthwise and pointwise, each normalised.
    package static func head3x3(
        from input: Int, to output: Int, dilation: Int = 1, separable: Bool
    ) -> [ConvolutionLayout] {
        guard separable else {
            return [
                ConvolutionLayout(kernelSize: 3, dilation: dilation, inputChannels: input, outputChannels: output)
            ]
        }
        return [
            ConvolutionLayout(
                kernelSize: 3, dilation: dilation, inputChannels: input, outputChannels: input, groups: input),
            ConvolutionLayout(kernelSize: 1, inputChannels: input, outputChannels: output),
        ]
    }
}
