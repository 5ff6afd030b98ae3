import SearchSpace
import Torch

/// What a discrete network has besides its genotype; the defaults are the published network's, size S.
public struct DiscreteConfiguration: Codable, Hashable, Sendable {
    /// Filter multiplier F: a block at stride s has F s / 4 channels (20 is S, 32 M, 48 L).
    public var filters = 20
    /// Number of classes.
    public var classes = 19
    /// Channels of the images.
    public var imageChannels: Int {
        get { otherChannels ?? 3 }
        set { otherChannels = newValue == 3 ? nil : newValue }
    }
    /// Nil for 3, so that files of networks for colours say what they always said.
    private var otherChannels: Int?
    /// Whether cells that stay at a stride add H^{l-1} to their output, as the paper's do not.
    public var residual: Bool {
        get { residualCells ?? false }
        set { residualCells = newValue ? true : nil }
    }
    /// Nil for none, so that files of networks without say what they always said.
    private var residualCells: Bool?
    /// Channels of the stem's three convolutions.
    public var stemChannels = [64, 64, 128]
    /// Channels of each branch of the ASPP, and of its result.
    public var asppChannels = 256
    /// Channels of the decoder's two 3x3 convolutions.
    public var decoderChannels = 256
    /// Channels that the decoder's low-level feature is reduced to.
    public var lowLevelChannels = 48
    /// Form of ASPP and decoder.
    public var head = HeadKind.dense
    /// Stride of the decoder's scores: 4, 2 or 1.
    public var decoderStride = 4
    /// Channels of the decoder at stride 2; half as many at stride 1.
    public var fineChannels = 32
    /// Share of the old value in each move of the running statistics.
    public var batchNormDecay = 0.9997
    /// Added to the variance in stem and cells.
    public var backboneEpsilon = 1e-3
    /// Added to the variance in ASPP and decoder.
    public var headEpsilon = 1e-5
    /// Probability that dropout keeps a value after the ASPP.
    public var dropoutKeep = 0.9
    /// Probability p that the last cell keeps a branch at the end of training; 1 turns drop path off.
    public var dropPathKeep = 0.8

    private enum CodingKeys: String, CodingKey {
        case filters, classes, stemChannels, asppChannels, decoderChannels, lowLevelChannels, head, decoderStride
        case fineChannels, batchNormDecay, backboneEpsilon, headEpsilon, dropoutKeep, dropPathKeep
        case otherChannels = "imageChannels"
        case residualCells = "residual"
    }

    /// The defaults with these filters and classes.
    public init(filters: Int = 20, classes: Int = 19) {
        self.filters = filters
        self.classes = classes
    }

    /// Reads the keys that are there; an absent one keeps its default, so that older files stay readable.
    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try values.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.filters, &filters)
        try read(.classes, &classes)
        imageChannels = try values.decodeIfPresent(Int.self, forKey: .otherChannels) ?? 3
        residual = try values.decodeIfPresent(Bool.self, forKey: .residualCells) ?? false
        try read(.stemChannels, &stemChannels)
        try read(.asppChannels, &asppChannels)
        try read(.decoderChannels, &decoderChannels)
        try read(.lowLevelChannels, &lowLevelChannels)
        try read(.head, &head)
        try read(.decoderStride, &decoderStride)
        try read(.fineChannels, &fineChannels)
        try read(.batchNormDecay, &batchNormDecay)
        try read(.backboneEpsilon, &backboneEpsilon)
        try read(.headEpsilon, &headEpsilon)
        try read(.dropoutKeep, &dropoutKeep)
        try read(.dropPathKeep, &dropPathKeep)
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
        try check("filters", filters, 1...1_024)
        try check("classes", classes, 1...255)
        try check("imageChannels", imageChannels, 1...32)
        try check("number of stemChannels", stemChannels.count, 3...3)
        for channels in stemChannels { try check("stemChannels", channels, 1...4_096) }
        try check("asppChannels", asppChannels, 1...4_096)
        try check("decoderChannels", decoderChannels, 1...4_096)
        try check("lowLevelChannels", lowLevelChannels, 1...4_096)
        guard NetworkWidths.decoderStrides.contains(decoderStride) else {
            throw SearchSpaceError(location: "decoderStride", problem: "\(decoderStride) is none of 1, 2, 4")
        }
        try check("fineChannels", fineChannels, 1...4_096)
        try check("batchNormDecay", batchNormDecay, 0...1)
        try check("backboneEpsilon", backboneEpsilon, 1e-12...1)
        try check("headEpsilon", headEpsilon, 1e-12...1)
        try check("dropoutKeep", dropoutKeep, 0.01...1)
        try check("dropPathKeep", dropPathKeep, 0.01...1)
    }

    /// The network of a genotype as plain values.
    public func layout(of genotype: Genotype) -> NetworkLayout {
        NetworkLayout(
            genotype, filters: filters, classes: classes,
            widths: NetworkWidths(
                stem: stemChannels, aspp: asppChannels, decoder: decoderChannels, lowLevel: lowLevelChannels,
                head: head, decoderStride: decoderStride, fine: fineChannels, image: imageChannels),
            residual: residual)
    }

    var backboneNormalization: Normalization {
        Normalization(affine: true, eps: backboneEpsilon, momentum: 1 - batchNormDecay)
    }

    var headNormalization: Normalization {
        Normalization(affine: true, eps: headEpsilon, momentum: 1 - batchNormDecay)
    }
}
