/// What the candidates of a search are.
public enum SearchedSpace: String, CaseIterable, Sendable, Encodable {
    /// Networks from scratch: paths and cells.
    case networks
    /// Decoders of one width on the encoder `train.encoder` (arXiv 1810.10804).
    case decoders
}

/// How decoders are searched on a trained encoder (arXiv 1810.10804; ALGORITHM 16).
public struct DecoderSearchConfiguration: Encodable, Equatable, Sendable {
    /// Epochs that every candidate's decoder is trained for on the encoder as it comes, before `train.epochs` of the whole
    /// network (arXiv 1810.10804: 5).
    public var epochs = 5
    /// Of how many training images such an epoch sees a crop, the same one in each, so that the encoder sees it once; 0 draws
    /// crops anew (arXiv 1810.10804: 4,000).
    public var images = 1_000
    /// Images of a step in these epochs; 0 takes `train.batch` (arXiv 1810.10804: 64, where 32 are taken afterwards).
    public var batch = 0
    /// Channels of all maps of a candidate, in place of `train.cellChannels` (arXiv 1810.10804: 48).
    public var channels = 48
    /// Pairs of convolutions in separable operations of a candidate, in place of `train.cellRepeats` (arXiv 1810.10804: 1).
    public var repeats = 1
    /// Whether candidates that do badly with the encoder as it comes, by a running mean of rewards, are not trained further.
    public var stopping = true

    /// The defaults.
    public init() {}
}
