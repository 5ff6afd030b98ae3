/// A decoder over an encoder's maps as plain values.
public enum FeatureDecoderLayout: Hashable, Sendable {
    /// See ``DecoderKind/unet``.
    case unet(UNetLayout)
    /// See ``DecoderKind/deepLabV3Plus``.
    case deepLabV3Plus(DeepLabLayout)
    /// See ``DecoderKind/light``.
    case light(LightLayout)
    /// See ``DecoderKind/fine``.
    case fine(FineLayout)
    /// See ``DecoderKind/searched(_:)``.
    case searched(SearchedDecoderLayout)

    /// The stride at which classes are told apart.
    public var stride: Int {
        switch self {
        case .unet, .fine: 2
        case .deepLabV3Plus, .light: 4
        case .searched(let layout): layout.genotype.stride
        }
    }

    /// Whether the encoder's map at stride 2 is read.
    public var readsStride2: Bool {
        switch self {
        case .unet, .fine: true
        case .deepLabV3Plus, .light, .searched: false
        }
    }

    /// The class layer, with a bias and without batch norm.
    public var logits: ConvolutionLayout {
        switch self {
        case .unet(let layout): layout.logits
        case .deepLabV3Plus(let layout): layout.logits
        case .light(let layout): layout.logits
        case .fine(let layout): layout.logits
        case .searched(let layout): layout.logits
        }
    }
}

/// The class layer behind a map.
func classLayer(inputChannels: Int, classes: Int) -> ConvolutionLayout {
    ConvolutionLayout(
        kernelSize: 1, inputChannels: inputChannels, outputChannels: classes, bias: true, normalized: false)
}

/// U-Net's way up from the coarsest map.
public struct UNetLayout: Hashable, Sendable {
    /// What happens at one resolution.
    public struct Level: Hashable, Sendable {
        /// The stride.
        public let stride: Int
        /// Two 3x3 units behind the coarser map, resized, and the encoder's.
        public let refinement: [[ConvolutionLayout]]
    }

    /// Strides 16, 8, 4, 2.
    public let levels: [Level]
    /// The class layer at stride 2.
    public let logits: ConvolutionLayout

    /// A decoder of these widths.
    public init(_ encoder: EncoderLayout, widths: DecoderWidths, classes: Int) {
        precondition(widths.unet.count == 4, "four widths, not \(widths.unet)")
        var channels = encoder.feature(atStride: 32).channels
        levels = zip([16, 8, 4, 2], widths.unet).map { stride, width in
            let joined = channels + encoder.feature(atStride: stride).channels
            channels = width
            return Level(
                stride: stride,
                refinement: [joined, width].map {
                    ConvolutionLayout.head3x3(from: $0, to: width, separable: widths.separable)
                })
        }
        logits = classLayer(inputChannels: channels, classes: classes)
    }
}

/// DeepLabv3+ behind an encoder.
public struct DeepLabLayout: Hashable, Sendable {
    /// Atrous spatial pyramid pooling on the map at stride 32.
    public let aspp: ASPPLayout
    /// The 1x1 convolution of the map at stride 4.
    public let reduction: ConvolutionLayout
    /// Two 3x3 units at stride 4.
    public let refinement: [[ConvolutionLayout]]
    /// The class layer at stride 4.
    public let logits: ConvolutionLayout

    /// A decoder of these widths.
    public init(_ encoder: EncoderLayout, widths: DecoderWidths, classes: Int) {
        aspp = ASPPLayout(
            inputChannels: encoder.feature(atStride: 32).channels, stride: .s32, channels: widths.aspp,
            separable: true)
        reduction = ConvolutionLayout(
            kernelSize: 1, inputChannels: encoder.feature(atStride: 4).channels, outputChannels: widths.lowLevel)
        refinement = [widths.aspp + widths.lowLevel, widths.decoder].map {
            ConvolutionLayout.head3x3(from: $0, to: widths.decoder, separable: true)
        }
        logits = classLayer(inputChannels: widths.decoder, classes: classes)
    }
}

/// A feature pyramid summed up toward stride 4.
public struct LightLayout: Hashable, Sendable {
    /// The 1x1 convolutions of the maps at strides 4, 8, 16 and 32, without ReLU, since they are summed.
    public let laterals: [ConvolutionLayout]
    /// The 3x3 unit behind the sum.
    public let refinement: [ConvolutionLayout]
    /// The class layer at stride 4.
    public let logits: ConvolutionLayout

    /// The strides of the laterals.
    public static let strides = [4, 8, 16, 32]

    /// A decoder of these widths.
    public init(_ encoder: EncoderLayout, widths: DecoderWidths, classes: Int) {
        laterals = LightLayout.strides.map {
            ConvolutionLayout(
                kernelSize: 1, inputChannels: encoder.feature(atStride: $0).channels, outputChannels: widths.light)
        }
        refinement = ConvolutionLayout.head3x3(from: widths.light, to: widths.light, separable: widths.separable)
        logits = classLayer(inputChannels: widths.light, classes: classes)
    }
}

/// A light decoder without its class layer, and one level more at stride 2.
public struct FineLayout: Hashable, Sendable {
    /// What sums up the maps at strides 4 to 32; its class layer is left out.
    public let coarse: LightLayout
    /// The 1x1 convolutions of the map at stride 4 and of the encoder's at stride 2, without ReLU, since they are summed.
    public let laterals: [ConvolutionLayout]
    /// The 3x3 unit behind the sum.
    public let refinement: [ConvolutionLayout]
    /// The class layer at stride 2.
    public let logits: ConvolutionLayout

    /// A decoder of these widths.
    public init(_ encoder: EncoderLayout, widths: DecoderWidths, classes: Int) {
        coarse = LightLayout(encoder, widths: widths, classes: classes)
        let width = (widths.light + 1) / 2
        laterals = [widths.light, encoder.feature(atStride: 2).channels].map {
            ConvolutionLayout(kernelSize: 1, inputChannels: $0, outputChannels: width)
        }
        refinement = ConvolutionLayout.head3x3(from: width, to: width, separable: widths.separable)
        logits = classLayer(inputChannels: width, classes: classes)
    }
}
