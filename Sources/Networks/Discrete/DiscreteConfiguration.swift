import SearchSpace
import Torch

/// What a discrete network has besides its genotype; the defaults are the published network's, size S.
public struct DiscreteConfiguration: Codable, Hashable, Sendable {
    /// Filter multiplier F: a block at stride s has F s / 4 channels (20 is S, 32 M, 48 L).
    public var filters = 20
    /// Number of classes.
    public var classes = 19
    /// Channels of the stem's three convolutions.
    public var stemChannels = [64, 64, 128]
    /// Channels of each branch of the ASPP, and of its result.
    public var asppChannels = 256
    /// Channels of the decoder's two 3x3 convolutions.
    public var decoderChannels = 256
    /// Channels that the decoder's low-level feature is reduced to.
    public var lowLevelChannels = 48
    /// How atrous operators convolve.
    public var atrous = AtrousKind.dense
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

    /// The defaults with these filters and classes.
    public init(filters: Int = 20, classes: Int = 19) {
        self.filters = filters
        self.classes = classes
    }

    /// The network of a genotype as plain values.
    public func layout(of genotype: Genotype) -> NetworkLayout {
        NetworkLayout(
            genotype, filters: filters, classes: classes, atrous: atrous,
            widths: NetworkWidths(
                stem: stemChannels, aspp: asppChannels, decoder: decoderChannels, lowLevel: lowLevelChannels))
    }

    var backboneNormalization: Normalization {
        Normalization(affine: true, eps: backboneEpsilon, momentum: 1 - batchNormDecay)
    }

    var headNormalization: Normalization {
        Normalization(affine: true, eps: headEpsilon, momentum: 1 - batchNormDecay)
    }
}
