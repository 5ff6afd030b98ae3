/// How an encoder's maps become classes.
public enum DecoderKind: RawRepresentable, CaseIterable, Codable, Hashable, Sendable {
    /// From the coarsest map down to stride 2: twice the size, beside the encoder's map, two convolutions.
    case unet
    /// DeepLabv3+: atrous spatial pyramid pooling at stride 32, joined with the map at stride 4.
    case deepLabV3Plus
    /// Maps at strides 4 to 32 brought to the same channels and summed up toward stride 4.
    case light
    /// As `light`, and once more at stride 2, in half of the channels, with the encoder's map there: for thin things.
    case fine
    /// The decoder of a genotype.
    case searched(DecoderGenotype)

    /// The decoder of a name: `unet`, `deeplabv3+`, `light`, `fine`, or what `DecoderGenotype.named(_:)` takes.
    public init?(rawValue: String) {
        switch rawValue {
        case "unet": self = .unet
        case "deeplabv3+": self = .deepLabV3Plus
        case "light": self = .light
        case "fine": self = .fine
        default:
            guard let genotype = try? DecoderGenotype.named(rawValue) else { return nil }
            self = .searched(genotype)
        }
    }

    /// The decoder's name; a genotype is whole in it.
    public var rawValue: String {
        switch self {
        case .unet: "unet"
        case .deepLabV3Plus: "deeplabv3+"
        case .light: "light"
        case .fine: "fine"
        case .searched(let genotype): genotype.name
        }
    }

    /// The decoders that have a name of their own.
    public static var allCases: [DecoderKind] {
        [.unet, .deepLabV3Plus, .light, .fine] + KnownDecoder.allCases.map { .searched($0.genotype) }
    }

    /// The genotype, where it is one's.
    public var genotype: DecoderGenotype? {
        guard case .searched(let genotype) = self else { return nil }
        return genotype
    }
}

extension EncoderKind {
    /// The encoder that a name means, and the decoder where one is named behind a plus sign, as
    /// `efficientnet-lite0+light`.
    public static func named(_ name: String) -> (encoder: EncoderKind, decoder: DecoderKind?)? {
        guard let (encoder, decoder) = split(name) else { return nil }
        guard let decoder else { return (encoder, nil) }
        return DecoderKind(rawValue: decoder).map { (encoder, $0) }
    }

    /// The encoder that a name begins with, and what stands behind a plus sign.
    package static func split(_ name: String) -> (encoder: EncoderKind, decoder: String?)? {
        let parts = name.split(separator: "+", maxSplits: 1).map(String.init)
        guard let encoder = parts.first.flatMap(EncoderKind.init) else { return nil }
        return (encoder, parts.count > 1 ? parts[1] : nil)
    }
}

/// What the decoders have besides an encoder's channels.
public struct DecoderWidths: Hashable, Sendable {
    /// `unet`: the convolutions at strides 16, 8, 4 and 2.
    public var unet: [Int]
    /// `light` and `fine`: every map at strides 4 to 32.
    public var light: Int
    /// `deeplabv3+`: each branch of the atrous spatial pyramid pooling, and its result.
    public var aspp: Int
    /// `deeplabv3+`: the two 3x3 convolutions.
    public var decoder: Int
    /// `deeplabv3+`: what the map at stride 4 is reduced to.
    public var lowLevel: Int
    /// A genotype's decoder: all maps (A).
    public var cell: Int
    /// A genotype's decoder: pairs of convolutions in its separable operations (R).
    public var cellRepeats: Int
    /// `unet`, `light` and `fine`: whether 3x3 convolutions are depthwise separable; those of `deeplabv3+` always are.
    public var separable: Bool

    /// Widths of these channels.
    public init(
        unet: [Int] = [128, 64, 32, 16], light: Int = 64, aspp: Int = 256, decoder: Int = 256, lowLevel: Int = 48,
        cell: Int = 64, cellRepeats: Int = 2, separable: Bool = false
    ) {
        self.unet = unet
        self.light = light
        self.aspp = aspp
        self.decoder = decoder
        self.lowLevel = lowLevel
        self.cell = cell
        self.cellRepeats = cellRepeats
        self.separable = separable
    }
}
