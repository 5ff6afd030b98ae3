import Images
import JSON

/// Reads the JSON object that an annotation file is: calls `body` for each key, in front of its value.
///
/// The programs that write such files are many, and not all of them keep to JSON in their strings.
func readAnnotations(
    _ file: String, limit: Int, _ body: (_ key: String, _ scanner: inout JSONScanner) throws -> Void
) throws {
    let bytes = try readFileBytes(file, limit: limit)
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
        throw DataError(file: file, problem: "is UTF-16: save it as UTF-8")
    }
    var scanner = JSONScanner(bytes, isTolerant: true)
    do {
        try scanner.document(body)
    } catch let fault as JSONFault {
        throw DataError(file: file, problem: fault.problemHere)
    }
}

extension JSONFault {
    /// What a `DataError` says of it.
    var problemHere: String {
        let place = place.isEmpty ? "" : "\(place): "
        return "is not the JSON that belongs here: \(place)\(self) at byte \(byte)"
    }
}

extension JSONScanner {
    /// `true` or `false`, also as a number, a text of either, or null for false.
    mutating func flag() throws -> Bool {
        let sign = try next()
        let start = position
        switch sign {
        case UInt8(ascii: "t"): if takes(word: "true") { return true }
        case UInt8(ascii: "f"): if takes(word: "false") { return false }
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
        throw fault("0, 1, false or true is expected", at: start)
    }

    /// A whole number of at most 2 to the 53rd, as identifiers and sizes are.
    mutating func integer() throws -> Int {
        let value = try number()
        guard let whole = Int(exactly: value), abs(value) <= 0x1p53 else { throw fault("a whole number is expected") }
        return whole
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
}
