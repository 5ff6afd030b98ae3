/// Little-endian numbers of a file's bytes, every one of them checked: files may be cut off or lie.
struct ByteReader {
    let bytes: [UInt8]
    let file: String
    let format: String
    var position = 0

    init(_ bytes: [UInt8], file: String, format: String) {
        self.bytes = bytes
        self.file = file
        self.format = format
    }

    /// The next bytes.
    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else { throw fault("the file is cut off") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// The next number of 1 to 4 bytes.
    mutating func number(_ count: Int) throws -> Int {
        try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The next number of 32 bits with sign.
    mutating func signed() throws -> Int { Int(Int32(truncatingIfNeeded: try number(4))) }

    func fault(_ reason: String) -> DataError {
        DataError(file: file, problem: "cannot be decoded as \(format): \(reason)")
    }
}
