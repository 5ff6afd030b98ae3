import Images

/// Reads JSON from bytes one value at a time, so that files of hundreds of megabytes need no tree of objects.
///
/// Every read is checked against the end of the bytes; what does not belong is an error with its place: the keys and
/// the positions in lists that lead to it, as `annotations[3].iscrowd`, and the byte.
struct JSONScanner {
    private enum Step {
        case key(String)
        case element(Int)
    }

    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var steps: [Step] = []

    /// A text in UTF-8, with or without a byte order mark.
    init(_ bytes: [UInt8], file: String) throws {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw DataError(file: file, problem: "is UTF-16: save it as UTF-8")
        }
    }

    /// Calls `body` for each key of an object, in front of its value, which `body` must read or skip.
    mutating func object(_ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void) throws {
        try list(from: "{", to: "}") { scanner in
            let key = try scanner.string()
            try scanner.expect(":")
            // Not taken back where `body` throws: an error that it wraps has its place all the same.
            scanner.steps.append(.key(key))
            try body(key, &scanner)
            scanner.steps.removeLast()
        }
    }

    /// Calls `body` for each key of the object that is the whole file; no key may come twice.
    mutating func document(_ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void) throws {
        var keys: Set<String> = []
        try object { key, scanner in
            guard keys.insert(key).inserted else { throw scanner.fault("the key comes for the second time") }
            try body(key, &scanner)
        }
        while position < bytes.count {
            guard [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) else { throw fault("the end is expected") }
            position += 1
        }
    }

    /// Calls `body` for each element of an array, which `body` must read or skip.
    mutating func array(_ body: (_ scanner: inout JSONScanner) throws -> Void) throws {
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
        try expect(open)
        if try next() == UInt8(ascii: close) {
            position += 1
            return
        }
        while true {
            try body(&self)
            let sign = try next()
            position += 1
            if sign == UInt8(ascii: close) { return }
            guard sign == UInt8(ascii: ",") else { throw fault("a comma or \(close) is expected") }
        }
    }

    /// The first byte of the next value, not yet taken.
    mutating func next() throws -> UInt8 {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
        guard position < bytes.count else { throw fault("the file ends too early") }
        return bytes[position]
    }

    private mutating func expect(_ sign: Unicode.Scalar) throws {
        guard try next() == UInt8(ascii: sign) else { throw fault("\(sign) is expected") }
        position += 1
    }

    /// Passes over `null` where it comes next, and tells so.
    mutating func takesNull() throws -> Bool {
        guard try next() == UInt8(ascii: "n") else { return false }
        guard bytes[position...].starts(with: "null".utf8) else { throw fault("a value is expected") }
        position += 4
        return true
    }

    /// `true` or `false`, also as a number, a text of either, or null for false.
    mutating func flag() throws -> Bool {
        let start = position
        switch try next() {
        case UInt8(ascii: "t") where bytes[position...].starts(with: "true".utf8):
            position += 4
            return true
        case UInt8(ascii: "f") where bytes[position...].starts(with: "false".utf8):
            position += 5
            return false
        case UInt8(ascii: "n"): if try takesNull() { return false }
        case UInt8(ascii: "\""):
            switch try string().lowercased() {
            case "0", "false", "": return false
            case "1", "true": return true
            default: break
            }
        default:
            if let value = try? number(), value == 0 || value == 1 { return value == 1 }
        }
        position = start
        throw fault("0, 1, false or true is expected")
    }

    /// A whole number, also as a text; nil for null.
    mutating func optionalInteger() throws -> Int? {
        if try takesNull() { return nil }
        guard try next() == UInt8(ascii: "\"") else { return try integer() }
        let text = try string()
        guard let value = Double(text), let whole = Int(exactly: value) else {
            throw fault("a whole number is expected, not \"\(text.prefix(40))\",")
        }
        return whole
    }

    /// A string's bytes, escapes decoded to UTF-8.
    mutating func stringBytes() throws -> [UInt8] {
        try expect("\"")
        var result: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return result }
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard position < bytes.count else { break }
            let escaped = bytes[position]
            position += 1
            switch escaped {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "u"): result += Array(String(try escapedScalar()).utf8)
            default: result.append(escaped)
            }
        }
        throw fault("a string does not end")
    }

    /// The character behind `\\u`, of two such escapes where the first is half of a pair.
    private mutating func escapedScalar() throws -> Character {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard (0xD800..<0xDC00).contains(first), bytes[position...].starts(with: "\\u".utf8) else { return "\u{FFFD}" }
        position += 2
        let second = try codeUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + second - 0xDC00)
        else { return "\u{FFFD}" }
        return Character(scalar)
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw fault("a \\u needs four digits") }
        position += 4
        return code
    }

    /// A string.
    mutating func string() throws -> String { String(decoding: try stringBytes(), as: UTF8.self) }

    /// A number.
    mutating func number() throws -> Double {
        _ = try next()
        let start = position
        var digits = 0
        var whole = 0
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        while position < bytes.count, (0x30...0x39).contains(bytes[position]), digits < 18 {
            whole = whole * 10 + Int(bytes[position] - 0x30)
            digits += 1
            position += 1
        }
        let rest: [UInt8] = [0x2E, 0x65, 0x45, 0x2B, 0x2D]
        guard position < bytes.count, rest.contains(bytes[position]) || (0x30...0x39).contains(bytes[position]) else {
            guard digits > 0 else { throw fault("a number is expected") }
            return Double(isNegative ? -whole : whole)
        }
        while position < bytes.count, rest.contains(bytes[position]) || (0x30...0x39).contains(bytes[position]) {
            position += 1
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            position = start
            throw fault("a number is expected")
        }
        return value
    }

    /// A whole number of at most 2 to the 53rd, as identifiers and sizes are.
    mutating func integer() throws -> Int {
        let value = try number()
        guard let whole = Int(exactly: value), abs(value) <= 0x1p53 else { throw fault("a whole number is expected") }
        return whole
    }

    /// Passes over a value of any kind, without recursion.
    mutating func skip() throws {
        var depth = 0
        repeat {
            switch try next() {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { throw fault("a value is expected") }
                depth -= 1
                position += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw fault("a value is expected") }
                position += 1
            default:
                let start = position
                while position < bytes.count, !Self.endsWord[Int(bytes[position])] { position += 1 }
                guard position > start else { throw fault("a value is expected") }
            }
        } while depth > 0
    }

    private mutating func skipString() throws {
        try expect("\"")
        while position < bytes.count {
            let byte = bytes[position]
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
        position = bytes.count
        throw fault("a string does not end")
    }

    private static let endsWord: [Bool] = (0..<256).map { " \n\r\t,:[]{}\"".utf8.contains(UInt8($0)) }

    /// An error that names this place.
    func fault(_ problem: String) -> DataError {
        let place = place.isEmpty ? "" : "\(place): "
        return DataError(
            file: file, problem: "is not the JSON that belongs here: \(place)\(problem) at byte \(position)")
    }

    /// The keys and positions in lists that lead to what is read.
    var place: String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key.prefix(60)
            case .element(let index): text += "[\(index)]"
            }
        }
    }
}
