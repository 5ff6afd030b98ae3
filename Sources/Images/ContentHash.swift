/// A number that follows from bytes and differs, but for chances of about one to 10^19, where they differ.
///
/// Multiplication and rotation of 8 bytes at a time: fast enough to be free beside decoding. It does not withstand
/// anybody who looks for equal numbers.
package func contentHash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    var hash = seed ^ 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0xBF58_476D_1CE4_E5B9
        hash ^= hash >> 29
    }
    bytes.withUnsafeBytes { raw in
        let whole = raw.count / 8 * 8
        for offset in stride(from: 0, to: whole, by: 8) {
            mix(raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        var rest: UInt64 = 0
        for offset in whole..<raw.count { rest = rest << 8 | UInt64(raw[offset]) }
        mix(rest)
    }
    return hash ^ (hash >> 32)
}
