/// Reads JSON from bytes one value at a time, so that files of hundreds of megabytes need no tree of objects.
///
/// Every read is checked against the end of the bytes; what does not belong is an error with its place.
struct JSONScanner {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    /// Calls `body` for each key of an object, in front of its value, which `body` must read or skip.
    mutating func object(_ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void) throws {
        try list(from: "{", to: "}") { scanner in
            let key = try scanner.string()
            try scanner.expect(":")
            try body(key, &scanner)
        }
    }

    /// Calls `body` for each element of an array, which `body` must read or skip.
    mutating func array(_ body: (_ scanner: inout JSONScanner) throws -> Void) throws {
        try list(from: "[", to: "]", body)
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

    /// A string's bytes; escapes of other than ASCII become question marks, for no name that is looked for has any.
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
            case UInt8(ascii: "u"):
                guard position + 4 <= bytes.count,
                    let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
                else { throw fault("a \\u needs four digits") }
                position += 4
                result.append(code < 128 ? UInt8(code) : UInt8(ascii: "?"))
            default: result.append(escaped)
            }
        }
        throw fault("a string does not end")
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
            case UInt8(ascii: "\""): _ = try stringBytes()
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

    private static let endsWord: [Bool] = (0..<256).map { " \n\r\t,:[]{}\"".utf8.contains(UInt8($0)) }

    private func fault(_ problem: String) -> DataError {
        DataError(file: file, problem: "is not the JSON that belongs here: \(problem) at byte \(position)")
    }
}
