/// The values of images with more than 8 bits that become black and white: what lies between them is spread over 8
/// bits, what lies outside is cut off.
///
/// One range serves all images of a data set, so that their brightnesses can be compared, and the network that was
/// trained on them ever after.
public struct ValueRange: Hashable, Codable, Sendable {
    /// What becomes black.
    public let low: Int
    /// What becomes white.
    public let high: Int

    /// A range of 16-bit values; nil where it holds none or reaches further.
    public init?(low: Int, high: Int) {
        guard 0 <= low, low < high, high <= 65_535 else { return nil }
        self.low = low
        self.high = high
    }

    /// Reads a range, which must be one.
    public init(from decoder: any Decoder) throws {
        let stored = try decoder.container(keyedBy: CodingKeys.self)
        let (low, high) = (try stored.decode(Int.self, forKey: .low), try stored.decode(Int.self, forKey: .high))
        guard let range = ValueRange(low: low, high: high) else {
            throw DecodingError.dataCorruptedError(
                forKey: .high, in: stored, debugDescription: "no values from 0 to 65535")
        }
        self = range
    }

    /// The range of the smallest usual depth (8, 10, 12, 14 or 16 bits) that holds a value.
    public init(holding value: Int) {
        low = 0
        high = [8, 10, 12, 14].map { 1 << $0 - 1 }.first { value <= $0 } ?? 65_535
    }
}

/// What becomes of the values of a file's samples: 8 bits for every one of them.
struct SampleScale {
    /// The byte of each value.
    private let table: [UInt8]

    /// A scale for samples of 1 to 16 bits; those of more than 8 keep their upper 8 where no range is given.
    init(depth: Int, range: ValueRange?) {
        let largest = 1 << depth - 1
        table = (0...largest).map { value in
            if depth <= 8 { return UInt8((value * 255 + largest / 2) / largest) }
            guard let range else { return UInt8(value >> (depth - 8)) }
            let span = range.high - range.low
            return UInt8((min(max(value - range.low, 0), span) * 255 + span / 2) / span)
        }
    }

    /// The byte of a value; values beyond the depth are its largest.
    subscript(value: UInt16) -> UInt8 { table[min(Int(value), table.count - 1)] }
}
