extension JSONScanner {
    /// A string.
    package mutating func string() throws -> String {
        let text = try stringBytes()
        if isTolerant { return String(decoding: text, as: UTF8.self) }
        guard let valid = String(validating: text, as: UTF8.self) else { throw fault(.encoding) }
        return valid
    }

    /// A string's bytes, escapes decoded to UTF-8.
    package mutating func stringBytes() throws -> ArraySlice<UInt8> {
        guard takes("\"") else { throw fault(.sign("\"")) }
        let start = position
        var decoded: [UInt8]?
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return decoded?[...] ?? bytes[start..<position - 1]
            case UInt8(ascii: "\\"):
                var text = decoded ?? Array(bytes[start..<position])
                decoded = nil
                position += 1
                try escape(into: &text)
                decoded = text
            case 0..<0x20 where !isTolerant: throw fault(.controlCharacter)
            default:
                decoded?.append(byte)
                position += 1
            }
        }
        throw fault(.unclosedString)
    }

    mutating func skipString() throws {
        guard isTolerant else {
            _ = try string()
            return
        }
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        position = bytes.count
        throw fault(.unclosedString)
    }

    /// Reads what follows a backslash.
    private mutating func escape(into text: inout [UInt8]) throws {
        guard position < bytes.count else { throw fault(.unclosedString) }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try escapedScalar())).utf8)
        default:
            guard isTolerant else { throw fault(.unknownEscape) }
            text.append(byte)
        }
    }

    /// The character behind `\u`, of two such escapes where the first is half of a pair.
    private mutating func escapedScalar() throws -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if first < 0xDC00, takes(word: "\\u") {
            let second = try codeUnit()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + second - 0xDC00)
            {
                return scalar
            }
        }
        guard isTolerant else { throw fault(.halfPair) }
        return "\u{FFFD}"
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws -> UInt32 {
        var value: UInt32 = 0
        for offset in position..<position + 4 {
            guard offset < bytes.count, let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
                throw fault(.incompleteEscape)
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }
}
