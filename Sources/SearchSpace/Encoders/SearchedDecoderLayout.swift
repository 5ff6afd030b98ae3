/// The decoder of a genotype as plain values.
public struct SearchedDecoderLayout: Hashable, Sendable {
    /// What it is built from.
    public let genotype: DecoderGenotype
    /// The channels of all maps (A).
    public let channels: Int
    /// The pairs of convolutions in separable operations (R).
    public let repeats: Int
    /// The 1x1 convolutions that bring the encoder's maps at strides 4, 8, 16 and 32 to so many channels, those that no
    /// block reads too.
    public let adapters: [ConvolutionLayout]
    /// The 1x1 unit behind the maps that tell the classes.
    public let output: ConvolutionLayout
    /// The class layer, 3x3.
    public let logits: ConvolutionLayout

    /// The strides of the encoder's maps.
    public static let strides = [4, 8, 16, 32]

    /// A decoder of these widths.
    public init(_ genotype: DecoderGenotype, _ encoder: EncoderLayout, widths: DecoderWidths, classes: Int) {
        self.genotype = genotype
        channels = widths.cell
        repeats = widths.cellRepeats
        adapters = SearchedDecoderLayout.strides.map {
            ConvolutionLayout(
                kernelSize: 1, inputChannels: encoder.feature(atStride: $0).channels, outputChannels: widths.cell)
        }
        output = ConvolutionLayout(
            kernelSize: 1, inputChannels: genotype.looseMaps.count * widths.cell, outputChannels: widths.cell)
        logits = SearchedDecoderLayout.classLayer(channels: widths.cell, classes: classes)
    }

    /// The 3x3 class layer of the decoder and of its auxiliary cells.
    public static func classLayer(channels: Int, classes: Int) -> ConvolutionLayout {
        ConvolutionLayout(
            kernelSize: 3, inputChannels: channels, outputChannels: classes, bias: true, normalized: false)
    }

    /// The 1x1 unit behind each of a block's two cells.
    public var projection: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: channels, outputChannels: channels)
    }

    /// The convolutions of one cell, and whether each sees a single pixel.
    var cell: [(layout: ConvolutionLayout, isPixel: Bool)] {
        let operations = [genotype.cell.first] + genotype.cell.nodes.flatMap { $0.branches.map(\.operation) }
        return operations.flatMap { operation in
            operation.convolutions(channels: channels, repeats: repeats).map { ($0, operation.form == .globalPool) }
        }
    }

    /// Every convolution but the class layer, with the stride of its maps; without one it computes `pixels` values a
    /// channel: a single one, or none where nothing reads it.
    var convolutions: [(layout: ConvolutionLayout, stride: Int?, pixels: Int)] {
        let read = Set(genotype.blocks.flatMap(\.maps))
        let strides = genotype.strides
        let entries = adapters.enumerated().map { ($1, read.contains($0) ? strides[$0] : nil, 0) }
        let blocks = genotype.blocks.flatMap(\.maps).flatMap { map in
            cell.map { ($0.layout, $0.isPixel ? nil : strides[map], 1) } + [(projection, strides[map], 1)]
        }
        return entries + blocks + [(output, genotype.stride, 1)]
    }
}

extension DecoderOperation {
    /// The operation's convolutions, in order; none for an identity and for zeros.
    ///
    /// - Parameters:
    ///   - channels: The channels, which come in and go out.
    ///   - repeats: The pairs of convolutions in a separable operation.
    /// - Returns: The convolutions; those that are normalised have a ReLU behind them.
    public func convolutions(channels: Int, repeats: Int) -> [ConvolutionLayout] {
        func convolution(_ kernel: Int, rate: Int = 1) -> ConvolutionLayout {
            ConvolutionLayout(kernelSize: kernel, dilation: rate, inputChannels: channels, outputChannels: channels)
        }
        switch form {
        case .conv(let kernel, let rate): return [convolution(kernel, rate: rate)]
        case .separable(let kernel, let rate):
            let depthwise = ConvolutionLayout(
                kernelSize: kernel, dilation: rate, inputChannels: channels, outputChannels: channels,
                groups: channels, normalized: false)
            return (0..<repeats).flatMap { _ in [depthwise, convolution(1)] }
        case .globalPool: return [convolution(1)]
        case .skip, .none: return []
        }
    }
}
