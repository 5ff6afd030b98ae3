/// The 64-bit xxHash, with seed 0, of bytes that come in parts.
///
/// It tells damage, not deceit: whoever changes a file on purpose can also change what it says about itself.
public struct XXHash64: Sendable {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
    private static let stripe = 32

    private var lanes: (UInt64, UInt64, UInt64, UInt64) = (prime1 &+ prime2, prime2, 0, 0 &- prime1)
    /// Bytes that do not fill a stripe yet.
    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    /// The hash of no bytes.
    public init() {}

    /// Takes the next bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count &+= UInt64(bytes.count)
        var next = bytes[...]
        if !rest.isEmpty {
            let missing = next.prefix(XXHash64.stripe - rest.count)
            rest.append(contentsOf: missing)
            next = next.dropFirst(missing.count)
            guard rest.count == XXHash64.stripe else { return }
            rest.withUnsafeBytes { consume($0) }
            rest = []
        }
        let whole = next.count / XXHash64.stripe * XXHash64.stripe
        consume(UnsafeRawBufferPointer(rebasing: next.prefix(whole)))
        rest = Array(next.dropFirst(whole))
    }

    /// Takes the next bytes.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The hash of all bytes so far.
    public var value: UInt64 {
        var hash = XXHash64.prime5
        if count >= UInt64(XXHash64.stripe) {
            let (a, b, c, d) = lanes
            hash = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
            for lane in [a, b, c, d] {
                hash = (hash ^ XXHash64.round(0, lane)) &* XXHash64.prime1 &+ XXHash64.prime4
            }
        }
        hash &+= count
        rest.withUnsafeBytes { tail in
            var offset = 0
            while offset + 8 <= tail.count {
                hash ^= XXHash64.round(0, word(tail, offset))
                hash = rotated(hash, 27) &* XXHash64.prime1 &+ XXHash64.prime4
                offset += 8
            }
            if offset + 4 <= tail.count {
                let half = UInt64(UInt32(littleEndian: tail.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                hash = rotated(hash ^ (half &* XXHash64.prime1), 23) &* XXHash64.prime2 &+ XXHash64.prime3
                offset += 4
            }
            for byte in tail[offset...] {
                hash = rotated(hash ^ (UInt64(byte) &* XXHash64.prime5), 11) &* XXHash64.prime1
            }
        }
        hash = (hash ^ (hash >> 33)) &* XXHash64.prime2
        hash = (hash ^ (hash >> 29)) &* XXHash64.prime3
        return hash ^ (hash >> 32)
    }

    /// The hash as 16 hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private mutating func consume(_ stripes: UnsafeRawBufferPointer) {
        var (a, b, c, d) = lanes
        for offset in stride(from: 0, to: stripes.count, by: XXHash64.stripe) {
            a = XXHash64.round(a, word(stripes, offset))
            b = XXHash64.round(b, word(stripes, offset + 8))
            c = XXHash64.round(c, word(stripes, offset + 16))
            d = XXHash64.round(d, word(stripes, offset + 24))
        }
        lanes = (a, b, c, d)
    }

    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }
}

private func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }

private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}
