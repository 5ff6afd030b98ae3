/// A parsed JSON text that keeps the order of keys and the spelling of numbers.
///
/// Foundation's parser takes the last of two equal keys and lets `1.0` and `true` pass as 1; a strict reader needs to
/// see them.
enum JSONValue {
    case object([(key: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    case number(String)
    case bool(Bool)
    case null

    init(parsing bytes: [UInt8]) throws {
        var parser = JSONParser(bytes: bytes)
        self = try parser.parse()
    }

    private var kind: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .string(let text): "the text \(quoted(text))"
        case .number(let text): "the number \(text.prefix(40))"
        case .bool(let value): "\(value)"
        case .null: "null"
        }
    }

    private func mismatch(_ location: String, _ wanted: String) -> SearchSpaceError {
        SearchSpaceError(location: location, problem: "expected \(wanted), found \(kind)")
    }

    func object(_ location: String) throws -> [(key: String, value: JSONValue)] {
        guard case .object(let members) = self else { throw mismatch(location, "an object") }
        return members
    }

    func array(_ location: String) throws -> [JSONValue] {
        guard case .array(let elements) = self else { throw mismatch(location, "a list") }
        return elements
    }

    func string(_ location: String) throws -> String {
        guard case .string(let text) = self else { throw mismatch(location, "a text") }
        return text
    }

    func integer(_ location: String) throws -> Int {
        guard case .number(let text) = self, let value = Int(text) else { throw mismatch(location, "a whole number") }
        return value
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    /// Nesting is bounded so that a hostile file cannot exhaust the stack.
    let maximumDepth = 16

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw error("unexpected text after the end of the JSON value") }
        return value
    }

    private func error(_ problem: String) -> SearchSpaceError {
        let line = bytes.prefix(position).count { $0 == UInt8(ascii: "\n") } + 1
        return SearchSpaceError(location: "line \(line)", problem: "not valid JSON: " + problem)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        guard take(UInt8(ascii: character)) else { throw error("expected '\(character)'") }
    }

    private mutating func value(depth: Int) throws -> JSONValue {
        guard depth < maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        skipSpace()
        guard let byte = peek else { throw error("the text ends too early") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: return try word()
        }
    }

    private mutating func object(depth: Int) throws -> JSONValue {
        try expect("{")
        var members: [(key: String, value: JSONValue)] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let key = try string()
            guard !members.contains(where: { $0.key == key }) else { throw error("the key \(quoted(key)) is repeated") }
            try expect(":")
            members.append((key, try value(depth: depth + 1)))
            guard members.count <= 64 else { throw error("more than 64 keys in an object") }
        } while take(UInt8(ascii: ","))
        try expect("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> JSONValue {
        try expect("[")
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
        try expect("]")
        return .array(elements)
    }

    private mutating func word() throws -> JSONValue {
        for (word, value) in [("true", JSONValue.bool(true)), ("false", .bool(false)), ("null", .null)]
        where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return value
        }
        throw error("expected a value")
    }

    private mutating func digits() throws -> Int {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw error("expected a digit") }
        return position - start
    }

    private mutating func number() throws -> String {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let leading = peek
        let count = try digits()
        guard count == 1 || leading != UInt8(ascii: "0") else { throw error("a number starts with 0") }
        if peek == UInt8(ascii: ".") {
            position += 1
            _ = try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            _ = try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func string() throws -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error("a text is not UTF-8") }
                return string
            case UInt8(ascii: "\\"): text += try escape()
            case 0..<0x20: throw error("a text with a control character or a line break")
            default: text.append(byte)
            }
        }
        throw error("a text without its closing quote")
    }

    private mutating func escape() throws -> [UInt8] {
        guard let byte = peek else { throw error("a text without its closing quote") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var units = [try hexadecimal()]
            if (0xD800..<0xDC00).contains(units[0]), bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                units.append(try hexadecimal())
            }
            guard let string = String(validating: units, as: UTF16.self) else { throw error("a broken \\u escape") }
            return Array(string.utf8)
        default: throw error("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("a broken \\u escape") }
        position += 4
        return value
    }
}
