/// Reads the few kinds of JSON that a safetensors header consists of, and refuses everything else.
///
/// A general parser would accept duplicate keys (the last one wins), fractions, and nesting as deep as the file likes.
/// Here the grammar is fixed: nothing recurses.
struct SafetensorsScanner {
    private let bytes: [UInt8]
    private let file: String
    private(set) var position = 0
    /// The tensor whose description is being read, for messages.
    var tensor: String?

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    func failure(_ reason: String) -> SafetensorsError {
        SafetensorsError(file: file, tensor: tensor, reason: reason)
    }

    /// Reads `{"key": value, ...}`; `member` reads a value.
    mutating func object(_ what: String, _ member: (inout SafetensorsScanner, String) throws -> Void) throws {
        try expect("{", what)
        if takes("}") { return }
        repeat {
            let key = try string("a key of \(what)")
            try expect(":", what)
            try member(&self, key)
        } while takes(",")
        try expect("}", what)
    }

    /// Reads `[1, 2, ...]` of at most `limit` numbers that are not negative.
    mutating func naturals(_ what: String, limit: Int) throws -> [Int] {
        try expect("[", what)
        var values: [Int] = []
        if takes("]") { return values }
        repeat {
            if values.count == limit { throw failure("\(what) has more than \(limit) numbers") }
            values.append(try natural(what))
        } while takes(",")
        try expect("]", what)
        return values
    }

    mutating func string(_ what: String) throws -> String {
        try expect("\"", what)
        var text: [UInt8] = []
        while true {
            guard position < bytes.count else { throw failure("the header ends inside \(what)") }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw failure("\(what) is not valid UTF-8")
                }
                return valid
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape(what)).utf8)
            case 0..<0x20: throw failure("\(what) holds an unescaped control character")
            default: text.append(byte)
            }
        }
    }

    /// Nothing but spaces may follow the header's object.
    func expectPaddingOnly() throws {
        guard bytes[position...].allSatisfy({ $0 == UInt8(ascii: " ") }) else {
            throw failure("something else than spaces follows the header's object, at byte \(position) of it")
        }
    }

    private mutating func natural(_ what: String) throws -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, stillTooLarge) = tens.addingReportingOverflow(Int(digit))
            if tooLarge || stillTooLarge { throw failure("a number in \(what) is too large") }
            value = sum
            position += 1
        }
        let digits = position - start
        let next = position < bytes.count ? bytes[position] : 0
        let isFraction = [".", "e", "E"].contains(Character(Unicode.Scalar(next)))
        if digits == 0 || isFraction || (digits > 1 && bytes[start] == UInt8(ascii: "0")) {
            throw failure("\(what) must hold integers that are not negative")
        }
        return value
    }

    private mutating func escape(_ what: String) throws -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("the header ends inside \(what)") }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(what)
        default: throw failure("\(what) holds an unknown escape")
        }
    }

    /// Reads what follows `\u`: four digits, or a pair of surrogates.
    private mutating func unicodeEscape(_ what: String) throws -> Unicode.Scalar {
        let first = try codeUnit(what)
        if let scalar = Unicode.Scalar(first) { return scalar }
        let isPair =
            first < 0xDC00 && position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
            && bytes[position + 1] == UInt8(ascii: "u")
        if isPair {
            position += 2
            let second = try codeUnit(what)
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw failure("\(what) holds half a surrogate pair")
    }

    private mutating func codeUnit(_ what: String) throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
                throw failure("\(what) holds an incomplete \\u escape")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private mutating func expect(_ symbol: Character, _ what: String) throws {
        guard !takes(symbol) else { return }
        guard position < bytes.count else { throw failure("the header ends inside \(what)") }
        throw failure("\(what) must have '\(symbol)' at byte \(position) of the header")
    }

    private mutating func takes(_ symbol: Character) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == symbol.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}
