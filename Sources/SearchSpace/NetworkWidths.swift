/// The form of what stands behind the cells.
public enum HeadKind: String, CaseIterable, Codable, Hashable, Sendable {
    /// ASPP and DeepLabv3+'s decoder with dense 3x3 convolutions, as in the paper.
    case dense
    /// The same with depthwise separable 3x3 convolutions, each part with its batch norm and ReLU, as in the official
    /// DeepLab for MobileNet.
    case separable
    /// The class layer alone, on the last cell.
    case plain
}

/// What the discrete network has besides its genotype and filters: form and channels of its stem and head.
public struct NetworkWidths: Hashable, Sendable {
    /// The stem's three convolutions; the second's map is the first H^{l-2}, the third's the first H^{l-1}.
    ///
    /// On an encoder's blocks its adapters have the channels of these two.
    public var stem: [Int]
    /// Each branch of the atrous spatial pyramid pooling, and its result.
    public var aspp: Int
    /// The decoder's two 3x3 convolutions.
    public var decoder: Int
    /// What the decoder's low-level feature is reduced to.
    public var lowLevel: Int
    /// The form of ASPP and decoder.
    public var head: HeadKind
    /// The stride of the decoder's scores: 4, as in the paper, or 2 or 1.
    public var decoderStride: Int
    /// The strides that the decoder's scores can have.
    public static let decoderStrides = [1, 2, 4]
    /// The decoder's channels at stride 2; half as many at stride 1.
    public var fine: Int
    /// Channels of the images.
    public var image: Int

    /// Widths, by default those of the published network.
    public init(
        stem: [Int] = [64, 64, 128], aspp: Int = 256, decoder: Int = 256, lowLevel: Int = 48,
        head: HeadKind = .dense, decoderStride: Int = 4, fine: Int = 32, image: Int = 3
    ) {
        self.stem = stem
        self.aspp = aspp
        self.decoder = decoder
        self.lowLevel = lowLevel
        self.head = head
        self.decoderStride = decoderStride
        self.fine = fine
        self.image = image
    }

    /// Whether there are three convolutions in the stem, no width is below 1, and the decoder's stride is one that it
    /// can have.
    public var areValid: Bool {
        stem.count == 3 && (stem + [aspp, decoder, lowLevel, fine, image]).allSatisfy { $0 >= 1 }
            && Self.decoderStrides.contains(decoderStride)
    }
}
