/// The channels of the discrete network that do not follow from the filters.
public struct NetworkWidths: Hashable, Sendable {
    /// The stem's three convolutions; the second's map is the first H^{l-2}, the third's the first H^{l-1}.
    public var stem: [Int]
    /// Each branch of the atrous spatial pyramid pooling, and its result.
    public var aspp: Int
    /// The decoder's two 3x3 convolutions.
    public var decoder: Int
    /// What the decoder's low-level feature is reduced to.
    public var lowLevel: Int

    /// Widths, by default those of the published network.
    public init(stem: [Int] = [64, 64, 128], aspp: Int = 256, decoder: Int = 256, lowLevel: Int = 48) {
        self.stem = stem
        self.aspp = aspp
        self.decoder = decoder
        self.lowLevel = lowLevel
    }

    /// Whether there are three convolutions in the stem and no width is below 1.
    public var areValid: Bool { stem.count == 3 && (stem + [aspp, decoder, lowLevel]).allSatisfy { $0 >= 1 } }
}
