import JSON

/// What a safetensors file says about itself: its tensors, where their bytes are, and free text.
///
/// A file is 8 bytes with the header's length (little endian), the header (a JSON object), and the tensors' bytes.
public struct SafetensorsHeader: Hashable, Sendable {
    /// One tensor.
    public struct Entry: Hashable, Sendable {
        /// The tensor's name.
        public let name: String
        /// Its element type.
        public let dtype: SafetensorsDType
        /// Its extents, outermost first; none for a scalar.
        public let shape: [Int]
        /// Where its bytes are, counted from the end of the header.
        public let range: Range<Int>
    }

    /// The tensors in the order of their bytes.
    public let entries: [Entry]
    /// Free text by key.
    public let metadata: [String: String]

    /// Bytes of all tensors.
    public var dataSize: Int { entries.last?.range.upperBound ?? 0 }

    /// The longest header that is read if nothing else is said, as in the reference implementation.
    public static let defaultLimit = 100_000_000
    /// No operation works on more dimensions.
    static let maximumRank = 64
    static let metadataKey = "__metadata__"

    /// A header of tensors that are laid out already.
    init(entries: [Entry], metadata: [String: String]) {
        self.entries = entries
        self.metadata = metadata
    }

    /// Reads the header's length from a file's first bytes and checks that it can be true.
    ///
    /// - Parameters:
    ///   - prefix: The file's first bytes, 8 or all that there are.
    ///   - fileSize: The size of the whole file.
    ///   - limit: The longest header to accept.
    ///   - file: The file's name for messages.
    /// - Returns: The number of bytes of the header's JSON.
    /// - Throws: ``SafetensorsError`` if the file can't hold such a header.
    public static func length(prefix: [UInt8], fileSize: Int, limit: Int = defaultLimit, file: String) throws -> Int {
        guard prefix.count >= 8, fileSize >= 8 else {
            throw SafetensorsError(file: file, reason: "too short for a safetensors file: \(fileSize) bytes")
        }
        let length = prefix.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(fileSize - 8) else {
            let reason =
                "no safetensors file, or cut off: the header should have \(length) bytes, the file has \(fileSize)"
            throw SafetensorsError(file: file, reason: reason)
        }
        guard length <= UInt64(max(limit, 0)) else {
            let reason = "the header has \(length) bytes, more than the limit of \(limit)"
            throw SafetensorsError(file: file, reason: reason)
        }
        return Int(length)
    }

    /// Parses a header and checks it against the size of the data behind it.
    ///
    /// - Parameters:
    ///   - json: The header's bytes.
    ///   - dataSize: The number of bytes that follow the header.
    ///   - file: The file's name for messages.
    /// - Throws: ``SafetensorsError`` with the first thing that is wrong.
    public init(json: [UInt8], dataSize: Int, file: String) throws {
        guard json.first == UInt8(ascii: "{") else {
            throw SafetensorsError(file: file, reason: "the header does not begin with '{'")
        }
        var scanner = JSONScanner(json)
        do {
            (entries, metadata) = try SafetensorsHeader.members(&scanner)
        } catch let fault as JSONFault {
            throw SafetensorsError(fault, file: file)
        }
        guard json[scanner.position...].allSatisfy({ $0 == UInt8(ascii: " ") }) else {
            let reason = "something else than spaces follows the header's object, at byte \(scanner.position) of it"
            throw SafetensorsError(file: file, reason: reason)
        }
        try checkLayout(dataSize: dataSize, file: file)
    }

    /// The tensors must fill the data without gap and without overlap: no byte of a file has no or two meanings.
    private func checkLayout(dataSize: Int, file: String) throws {
        var end = 0
        for entry in entries {
            guard entry.range.upperBound <= dataSize else {
                let reason = "ends at byte \(entry.range.upperBound) of the data, which has \(dataSize)"
                throw SafetensorsError(file: file, tensor: entry.name, reason: reason)
            }
            guard entry.range.lowerBound == end else {
                let fault = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
                let reason = "\(fault): begins at byte \(entry.range.lowerBound) of the data, not at \(end)"
                throw SafetensorsError(file: file, tensor: entry.name, reason: reason)
            }
            end = entry.range.upperBound
        }
        guard end == dataSize else {
            throw SafetensorsError(file: file, reason: "\(dataSize - end) bytes after the last tensor belong to none")
        }
    }

    /// Order of the bytes; what holds no bytes comes before what begins at the same place.
    static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.range.lowerBound != right.range.lowerBound { return left.range.lowerBound < right.range.lowerBound }
        if left.range.upperBound != right.range.upperBound { return left.range.upperBound < right.range.upperBound }
        return left.name < right.name
    }

    /// Bytes of a tensor, or nothing if an extent is negative or an integer can't hold the number.
    static func byteCount(dtype: SafetensorsDType, shape: [Int]) -> Int? {
        var bytes = dtype.size
        for extent in shape where extent != 0 {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            if overflow || extent < 0 { return nil }
            bytes = product
        }
        return shape.contains(0) ? 0 : bytes
    }
}
