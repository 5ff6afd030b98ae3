/// Reads JSON from bytes one value at a time, so that files of hundreds of megabytes need no tree of objects.
///
/// The grammar is JSON's, in what is passed over too, and nesting is bounded. What does not belong is a ``JSONFault`` with
/// its place.
package struct JSONScanner {
    let bytes: [UInt8]
    /// Whether strings and words may be as some programs write them though JSON forbids it.
    let isTolerant: Bool
    private let maximumDepth: Int
    /// The byte that is read next.
    package internal(set) var position = 0
    private var steps: [JSONFault.Step] = []
    private var isInKey = false
    /// The closing signs of what `skip` is in.
    private var closing: [UInt8] = []

    /// A scanner of a text in UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: The text.
    ///   - isTolerant: Whether to accept a byte order mark; in strings control characters, unknown escapes, halves of
    ///     pairs and bytes that are not UTF-8; and, as a value that is passed over, any word, such as Python's `NaN`.
    ///   - maximumDepth: How many objects and lists may lie in one another.
    package init(_ bytes: [UInt8], isTolerant: Bool = false, maximumDepth: Int = 512) {
        self.bytes = bytes
        self.isTolerant = isTolerant
        self.maximumDepth = maximumDepth
        if isTolerant, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// Reads the object that is the whole text; no key may come twice.
    package mutating func document(_ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void) throws {
        var keys: Set<String> = []
        try object { key, scanner in
            guard keys.insert(key).inserted else { throw scanner.fault(.repeatedKey(key)) }
            try body(key, &scanner)
        }
        passSpace()
        guard position == bytes.count else { throw fault(.rest) }
    }

    /// Calls `body` for each key of an object, in front of its value, which `body` must read or skip.
    package mutating func object(_ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void) throws {
        try list(from: "{", to: "}") { scanner in
            let key = try scanner.key { try $0.string() }
            // Not taken back where `body` throws: an error that it wraps has its place all the same.
            scanner.steps.append(.key(key))
            try body(key, &scanner)
            scanner.steps.removeLast()
        }
    }

    /// Calls `body` for each element of an array, which `body` must read or skip.
    package mutating func array(_ body: (_ scanner: inout JSONScanner) throws -> Void) throws {
        var index = 0
        try list(from: "[", to: "]") { scanner in
            scanner.steps.append(.element(index))
            try body(&scanner)
            scanner.steps.removeLast()
            index += 1
        }
    }

    private mutating func list(
        from open: Unicode.Scalar, to close: Unicode.Scalar, _ body: (inout JSONScanner) throws -> Void
    ) throws {
        guard takes(open) else { throw fault(.sign(open)) }
        guard steps.count < maximumDepth else { throw fault(.depth(maximumDepth)) }
        if takes(close) { return }
        repeat { try body(&self) } while takes(",")
        guard takes(close) else { throw fault(.separator(close)) }
    }

    /// Reads a key and the colon behind it.
    private mutating func key<Text>(_ text: (inout JSONScanner) throws -> Text) throws -> Text {
        isInKey = true
        passSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw fault(.key) }
        let result = try text(&self)
        isInKey = false
        guard takes(":") else { throw fault(.sign(":")) }
        return result
    }

    /// The first byte of the next value, not yet taken.
    package mutating func next() throws -> UInt8 {
        passSpace()
        guard position < bytes.count else { throw fault(.value) }
        return bytes[position]
    }

    /// Passes over `null` where it comes next, and tells so.
    package mutating func takesNull() throws -> Bool {
        guard try next() == UInt8(ascii: "n") else { return false }
        guard takes(word: "null") else { throw fault(.value) }
        return true
    }

    /// Passes over a word where it comes next, and tells so.
    package mutating func takes(word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    /// Passes over a sign where it comes next, and tells so.
    mutating func takes(_ sign: Unicode.Scalar) -> Bool {
        passSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: sign) else { return false }
        position += 1
        return true
    }

    mutating func passSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// Passes over a value of any kind, without recursion.
    package mutating func skip() throws {
        closing.removeAll(keepingCapacity: true)
        repeat {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard steps.count + closing.count < maximumDepth else { throw fault(.depth(maximumDepth)) }
                position += 1
                // In ASCII the closing sign is the next but one.
                if try next() == byte + 2 {
                    position += 1
                } else {
                    closing.append(byte + 2)
                    if byte == UInt8(ascii: "{") { try key { try $0.skipString() } }
                    continue
                }
            default: try skipWord()
            }
            try skipEnds()
        } while !closing.isEmpty
    }

    /// Passes over what follows a value, up to the next one.
    private mutating func skipEnds() throws {
        while let close = closing.last {
            if takes(",") {
                if close == UInt8(ascii: "}") { try key { try $0.skipString() } }
                return
            }
            guard takes(Unicode.Scalar(close)) else { throw fault(.separator(Unicode.Scalar(close))) }
            closing.removeLast()
        }
    }

    private mutating func skipWord() throws {
        if isTolerant {
            let start = position
            while position < bytes.count, !Self.endsWord[Int(bytes[position])] { position += 1 }
            guard position > start else { throw fault(.value) }
            return
        }
        switch bytes[position] {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try numeral()
        default:
            guard ["true", "false", "null"].contains(where: { takes(word: $0) }) else { throw fault(.value) }
        }
    }

    private static let endsWord: [Bool] = (0..<256).map { " \n\r\t,:[]{}\"".utf8.contains(UInt8($0)) }

    /// An error that names this place.
    func fault(_ problem: JSONFault.Problem) -> JSONFault {
        JSONFault(
            problem: problem, steps: steps, isInKey: isInKey, byte: position, isAtEnd: position >= bytes.count)
    }

    /// An error about what a value means.
    ///
    /// - Parameters:
    ///   - meaning: What is wrong with it.
    ///   - position: The byte to name; nil for the one that is read next.
    /// - Returns: The error.
    package func fault(_ meaning: String, at position: Int? = nil) -> JSONFault {
        var scanner = self
        scanner.position = position ?? self.position
        return scanner.fault(.meaning(meaning))
    }

    /// The keys and positions in lists that lead to what is read, as `annotations[3].iscrowd`.
    package var place: String { steps.place }
}
