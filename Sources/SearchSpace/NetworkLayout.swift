/// A layer's cell in the discrete network: what it reads and at which sizes it works.
public struct CellLayout: Hashable, Sendable {
    /// The layer, counted from 1.
    public let layer: Int
    /// The stride of the cell's output.
    public let stride: Stride
    /// How the layer is reached: `up` resizes H^{l-1} before the cell, `down` lets the operators stride.
    public let move: Move
    /// The channels of each block, F*s/4.
    public let blockChannels: Int
    /// The channels of the output, B*F*s/4.
    public let outputChannels: Int
    /// The channels of H^{l-1}.
    public let previousChannels: Int
    /// The stride of H^{l-1} as it arrives.
    public let previousStride: Stride
    /// The layer that the second input comes from: l-2, or the source of a long skip; the stem's maps are 0 and -1.
    public let previous2Layer: Int
    /// The channels of H^{l-2}, or of the map that a long skip brings in its place.
    public let previous2Channels: Int
    /// The stride of that map as it arrives: 2 for the stem's first map, else 4 to 32.
    public let previous2Stride: Int
    /// Whether H^{l-1} is added to the output: in a network with residual connections, from layer 2 on where the stride stays.
    public let isResidual: Bool
    /// The stride at which both inputs enter the cell: H^{l-1}'s after resizing; H^{l-2} is resized to it.
    public let inputStride: Stride

    /// The 1x1 convolution of H^{l-1}, which is always there.
    public var previousProjection: ConvolutionLayout {
        ConvolutionLayout(kernelSize: 1, inputChannels: previousChannels, outputChannels: blockChannels)
    }

    /// The 1x1 convolution of the second input, which is there only where the channels differ from the block's.
    public var previous2Projection: ConvolutionLayout? {
        guard previous2Channels != blockChannels else { return nil }
        return ConvolutionLayout(kernelSize: 1, inputChannels: previous2Channels, outputChannels: blockChannels)
    }

    /// Whether the second input is that of a long skip in place of H^{l-2}.
    public var hasLongSkip: Bool { previous2Layer != layer - 2 }

    /// Whether H^{l-1} has to be resized before the cell.
    public var resizesPrevious: Bool { previousStride != inputStride }

    /// Whether the second input has to be resized before the cell.
    public var resizesPrevious2: Bool { previous2Stride != inputStride.rawValue }

    /// The stride of an operator that reads `input`: 2 for other layers' maps in a cell that moves down, else 1.
    public func operatorStride(of input: CellInput) -> Int {
        move == .down && input.isFromOtherLayer ? 2 : 1
    }
}

/// The discrete network of a genotype (ALGORITHM 8) as plain values: the one place that says what it consists of.
///
/// `Cost` counts it and the module that builds tensors follows it.
public struct NetworkLayout: Hashable, Sendable {
    /// The genotype.
    public let genotype: Genotype
    /// The filter multiplier F: 20 (S), 32 (M), 48 (L).
    public let filters: Int
    /// The number of classes.
    public let classes: Int
    /// The channels that do not follow from the filters.
    public let widths: NetworkWidths
    /// The stem's three convolutions; the second's output (stride 2) is the first H^{l-2}, the third's the first H^{l-1}.
    ///
    /// On an encoder's blocks there are two, the adapters of its maps at strides 2 and 4, whose outputs are these.
    public let stem: [ConvolutionLayout]
    /// The encoder's blocks that the stem consists of besides; nil in the paper's.
    public let encoder: EncoderLayout?
    /// The layers' cells.
    public let cells: [CellLayout]
    /// Atrous spatial pyramid pooling behind the last cell; nil in a plain head.
    public let aspp: ASPPLayout?
    /// The decoder; nil in a plain head.
    public let decoder: DecoderLayout?
    /// The class layer, with a bias and without batch norm.
    public let logits: ConvolutionLayout
    /// The stride of the scores.
    public let scoreStride: Int

    /// The layout of a valid genotype.
    ///
    /// - Parameters:
    ///   - genotype: a genotype that passes `validate()`.
    ///   - filters: the filter multiplier F.
    ///   - classes: the number of classes.
    ///   - widths: the channels that do not follow from the filters.
    ///   - residual: whether cells that stay at a stride add H^{l-1} to their output, which the paper's do not.
    public init(
        _ genotype: Genotype, filters: Int, classes: Int, widths: NetworkWidths = NetworkWidths(),
        residual: Bool = false
    ) {
        precondition(widths.areValid, "three stem convolutions and widths of at least 1, not \(widths)")
        precondition(filters >= 1 && classes >= 1, "filters (\(filters)) and classes (\(classes)) are at least 1")
        precondition(!genotype.path.isEmpty && !genotype.cell.blocks.isEmpty, "a genotype has layers and blocks")
        precondition(genotype.skips.count == genotype.layers, "a genotype has an entry for long skips in each layer")
        self.genotype = genotype
        self.filters = filters
        self.classes = classes
        self.widths = widths
        let (early, late) = (widths.stem[1], widths.stem[2])
        let encoder = genotype.stem.encoder.map { EncoderLayout($0, upTo: StemKind.stride.rawValue) }
        self.encoder = encoder
        stem =
            encoder?.adapters(to: [early, late])
            ?? [
                ConvolutionLayout(
                    kernelSize: 3, stride: 2, inputChannels: widths.image, outputChannels: widths.stem[0]),
                ConvolutionLayout(kernelSize: 3, inputChannels: widths.stem[0], outputChannels: early),
                ConvolutionLayout(kernelSize: 3, stride: 2, inputChannels: early, outputChannels: late),
            ]
        var cells: [CellLayout] = []
        var maps = [(channels: early, stride: 2), (channels: late, stride: Stride.s4.rawValue)]
        var previous = (channels: late, stride: Stride.s4)
        for (index, (stride, move)) in zip(genotype.path, genotype.moves).enumerated() {
            let previous2Layer = genotype.skips[index] ?? index - 1
            let previous2 = maps[previous2Layer + 1]
            let blockChannels = filters * stride.rawValue / 4
            let outputChannels = blockChannels * genotype.blocks
            let cell = CellLayout(
                layer: index + 1, stride: stride, move: move, blockChannels: blockChannels,
                outputChannels: outputChannels, previousChannels: previous.channels,
                previousStride: previous.stride, previous2Layer: previous2Layer,
                previous2Channels: previous2.channels, previous2Stride: previous2.stride,
                isResidual: residual && index > 0 && move == .keep,
                inputStride: move == .down ? previous.stride : stride)
            cells.append(cell)
            maps.append((cell.outputChannels, stride.rawValue))
            previous = (cell.outputChannels, stride)
        }
        self.cells = cells
        func logits(from channels: Int) -> ConvolutionLayout {
            ConvolutionLayout(
                kernelSize: 1, inputChannels: channels, outputChannels: classes, bias: true, normalized: false)
        }
        if widths.head == .plain {
            aspp = nil
            decoder = nil
            self.logits = logits(from: previous.channels)
            scoreStride = previous.stride.rawValue
        } else {
            aspp = ASPPLayout(
                inputChannels: previous.channels, stride: previous.stride, channels: widths.aspp,
                separable: widths.head == .separable)
            let fine = cells.prefix { $0.stride == .s4 }.last
            let decoder = DecoderLayout(
                lowLevelLayer: fine?.layer ?? 0, lowLevelChannels: fine?.outputChannels ?? late, widths: widths)
            self.decoder = decoder
            self.logits = logits(from: decoder.finer.last?.channels ?? decoder.channels)
            scoreStride = widths.decoderStride
        }
    }

    /// Every convolution of the stem with the stride of its output, in order.
    public var stemConvolutions: [(layout: ConvolutionLayout, stride: Int)] {
        (encoder?.convolutions ?? []) + zip(stem, encoder == nil ? [2, 2, 4] : [2, 4]).map { ($0, $1) }
    }

    /// The convolutions of a branch of a cell.
    public func convolutions(of branch: Branch, in cell: CellLayout) -> [ConvolutionLayout] {
        branch.op.convolutions(
            channels: cell.blockChannels, stride: cell.operatorStride(of: branch.input), atrous: genotype.atrous)
    }
}
