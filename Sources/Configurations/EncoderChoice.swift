import SearchSpace

/// An encoder, or none: then the network is a genotype's.
public struct EncoderChoice: RawRepresentable, CaseIterable, Encodable, Hashable, Sendable {
    /// The encoder.
    public let kind: EncoderKind?

    /// This encoder, or none.
    public init(_ kind: EncoderKind?) { self.kind = kind }

    /// The encoder of a name, or `none`.
    public init?(rawValue: String) {
        let kind = EncoderKind(rawValue: rawValue)
        guard kind != nil || rawValue == EncoderChoice.none.rawValue else { return nil }
        self.kind = kind
    }

    /// The encoder's name, or `none`.
    public var rawValue: String { kind?.rawValue ?? "none" }

    /// No encoder.
    public static let none = EncoderChoice(nil)

    /// None, and every encoder.
    public static var allCases: [EncoderChoice] { [none] + EncoderKind.allCases.map { EncoderChoice($0) } }
}
