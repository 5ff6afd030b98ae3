/// What gives a network its maps at strides 2 and 4, on which the cells begin (ALGORITHM 17).
public enum StemKind: RawRepresentable, CaseIterable, Codable, Hashable, Sendable {
    /// The paper's three convolutions, trained with the rest.
    case paper
    /// The blocks of an encoder up to stride 4, which come trained.
    case encoder(EncoderKind)

    /// The stem of a name: `paper`, or an encoder's with the stride at which it ends, as `efficientnet-lite0@4`.
    public init?(rawValue: String) {
        guard let stem = StemKind.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = stem
    }

    /// The stem's name.
    public var rawValue: String {
        switch self {
        case .paper: "paper"
        case .encoder(let kind): "\(kind.rawValue)@\(StemKind.stride.rawValue)"
        }
    }

    /// The paper's, and one of every encoder.
    public static var allCases: [StemKind] { [.paper] + EncoderKind.allCases.map { .encoder($0) } }

    /// The stride at which every path begins, and so every stem ends.
    public static let stride = Stride.s4

    /// The encoder, where the stem is one's.
    public var encoder: EncoderKind? {
        guard case .encoder(let kind) = self else { return nil }
        return kind
    }

    /// The stem of a name, as `init(rawValue:)` takes it.
    ///
    /// - Parameters:
    ///   - name: What was written.
    ///   - location: Where, for the message.
    /// - Returns: The stem.
    /// - Throws: `SearchSpaceError` that lists the names there are.
    static func named(_ name: String, at location: String) throws -> StemKind {
        if let stem = StemKind(rawValue: name) { return stem }
        throw SearchSpaceError(
            location: location, problem: "\(quoted(name)) is not \(enumeration(allCases.map(\.rawValue)))")
    }

    /// The stem that an argument begins with, and the network behind the plus sign: `efficientnet-lite0@4+deeplabv3:8`.
    ///
    /// - Parameter argument: What was typed for a network.
    /// - Returns: nil where it does not begin with an encoder and an at sign.
    /// - Throws: `SearchSpaceError` where the encoder has no such stem.
    package static func split(_ argument: String) throws -> (stem: StemKind, network: String)? {
        let parts = argument.split(separator: "+", maxSplits: 1).map(String.init)
        guard parts.count == 2, let encoder = parts[0].split(separator: "@").first,
            EncoderKind(rawValue: String(encoder)) != nil, encoder.count < parts[0].count
        else { return nil }
        return (try named(parts[0], at: "stem"), parts[1])
    }
}

extension Genotype {
    /// The same network on another stem.
    package func on(_ stem: StemKind) -> Genotype {
        var result = self
        result.stem = stem
        return result
    }
}
