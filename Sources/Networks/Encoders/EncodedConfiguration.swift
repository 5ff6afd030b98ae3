import SearchSpace

/// A segmentation network of an encoder and a decoder, as a model file describes it.
public struct EncodedConfiguration: Codable, Hashable, Sendable {
    /// The encoder.
    public var encoder: EncoderKind
    /// The decoder.
    public var decoder: DecoderKind
    /// Number of classes.
    public var classes: Int
    /// Channels of the images; an encoder that is trained on colours sees 3.
    public var imageChannels: Int {
        get { otherChannels ?? 3 }
        set { otherChannels = newValue == 3 ? nil : newValue }
    }
    /// Nil for 3, so that files of networks for colours say what they always said.
    private var otherChannels: Int?
    /// `unet`, `light` and `fine`: whether 3x3 convolutions are depthwise separable; those of `deeplabv3+` always are.
    public var separable = false
    /// `unet`: channels at strides 16, 8, 4 and 2.
    public var unetChannels = [128, 64, 32, 16]
    /// `light` and `fine`: channels of every map at strides 4 to 32.
    public var lightChannels = 64
    /// `deeplabv3+`: channels of each branch of the ASPP, and of its result.
    public var asppChannels = 256
    /// `deeplabv3+`: channels of the two 3x3 units.
    public var decoderChannels = 256
    /// `deeplabv3+`: channels that the map at stride 4 is reduced to.
    public var lowLevelChannels = 48
    /// A genotype's decoder: channels of all maps (A).
    public var cellChannels = 64
    /// A genotype's decoder: pairs of convolutions in its separable operations (R).
    public var cellRepeats = 2
    /// Share of the old value in each move of the decoder's running statistics.
    public var batchNormDecay = 0.9997
    /// Added to the variance in the decoder.
    public var epsilon = 1e-5
    /// `deeplabv3+`: probability that dropout keeps a value after the ASPP.
    public var dropoutKeep = 0.9

    private enum CodingKeys: String, CodingKey {
        case encoder, decoder, classes, separable, unetChannels, lightChannels, asppChannels, decoderChannels
        case lowLevelChannels, cellChannels, cellRepeats, batchNormDecay, epsilon, dropoutKeep
        case otherChannels = "imageChannels"
    }

    /// An encoder and a decoder with the defaults.
    public init(_ encoder: EncoderKind, _ decoder: DecoderKind = .unet, classes: Int) {
        self.encoder = encoder
        self.decoder = decoder
        self.classes = classes
    }

    /// Reads the keys that are there; an absent one keeps its default, so that older files stay readable.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try values.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        self.init(
            try values.decode(EncoderKind.self, forKey: .encoder),
            try values.decode(DecoderKind.self, forKey: .decoder),
            classes: try values.decode(Int.self, forKey: .classes))
        imageChannels = try values.decodeIfPresent(Int.self, forKey: .otherChannels) ?? 3
        try read(.separable, &separable)
        try read(.unetChannels, &unetChannels)
        try read(.lightChannels, &lightChannels)
        try read(.asppChannels, &asppChannels)
        try read(.decoderChannels, &decoderChannels)
        try read(.lowLevelChannels, &lowLevelChannels)
        try read(.cellChannels, &cellChannels)
        try read(.cellRepeats, &cellRepeats)
        try read(.batchNormDecay, &batchNormDecay)
        try read(.epsilon, &epsilon)
        try read(.dropoutKeep, &dropoutKeep)
    }

    /// Checks that every value is one that a network can be built with.
    ///
    /// - Throws: `SearchSpaceError` that names the first value which is not.
    public func validate() throws {
        func check<Value: Comparable>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) throws {
            guard range.contains(value) else {
                throw SearchSpaceError(
                    location: name, problem: "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
            }
        }
        try check("classes", classes, 1...255)
        try check("imageChannels", imageChannels, 1...32)
        try check("number of unetChannels", unetChannels.count, 4...4)
        for channels in unetChannels { try check("unetChannels", channels, 1...4_096) }
        try check("lightChannels", lightChannels, 1...4_096)
        try check("asppChannels", asppChannels, 1...4_096)
        try check("decoderChannels", decoderChannels, 1...4_096)
        try check("lowLevelChannels", lowLevelChannels, 1...4_096)
        try check("cellChannels", cellChannels, 1...4_096)
        try check("cellRepeats", cellRepeats, 1...8)
        try decoder.genotype?.validate()
        try check("batchNormDecay", batchNormDecay, 0...1)
        try check("epsilon", epsilon, 1e-12...1)
        try check("dropoutKeep", dropoutKeep, 0.01...1)
    }

    /// The decoder's batch normalisation.
    var normalization: Normalization { Normalization(affine: true, eps: epsilon, momentum: 1 - batchNormDecay) }

    /// The channels that the decoder has.
    public var channels: [Int] {
        switch decoder {
        case .unet: unetChannels
        case .deepLabV3Plus: [asppChannels, decoderChannels, lowLevelChannels]
        case .light, .fine: [lightChannels]
        case .searched: [cellChannels]
        }
    }

    /// The network as plain values.
    public var layout: EncodedLayout {
        EncodedLayout(
            encoder, decoder, classes: classes,
            widths: DecoderWidths(
                unet: unetChannels, light: lightChannels, aspp: asppChannels, decoder: decoderChannels,
                lowLevel: lowLevelChannels, cell: cellChannels, cellRepeats: cellRepeats, separable: separable),
            imageChannels: imageChannels)
    }
}
