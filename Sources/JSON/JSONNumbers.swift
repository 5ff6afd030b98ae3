extension JSONScanner {
    /// A number as it is spelled.
    package mutating func numeral() throws -> String {
        String(decoding: bytes[try numeralRange()], as: UTF8.self)
    }

    /// A number; one that is beyond all finite ones is a fault.
    package mutating func number() throws -> Double {
        let range = try numeralRange()
        if let value = exactNumber(range) { return value }
        guard let value = Double(String(decoding: bytes[range], as: UTF8.self)), value.isFinite else {
            position = range.lowerBound
            throw fault(.number)
        }
        return value
    }

    /// The value of few digits without an exponent: the quotient of two numbers that are exact is the nearest to it.
    private func exactNumber(_ range: Range<Int>) -> Double? {
        guard range.count <= 16 else { return nil }
        var digits = 0
        var point: Int?
        for place in range {
            switch bytes[place] {
            case UInt8(ascii: "-"): break
            case UInt8(ascii: "."): point = place
            case let digit where digit <= UInt8(ascii: "9") && digit >= UInt8(ascii: "0"):
                digits = digits * 10 + Int(digit - UInt8(ascii: "0"))
            default: return nil
            }
        }
        let value = Double(digits) / (point.map { Self.powers[range.upperBound - $0 - 1] } ?? 1)
        return bytes[range.lowerBound] == UInt8(ascii: "-") ? -value : value
    }

    private static let powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

    private mutating func numeralRange() throws -> Range<Int> {
        passSpace()
        let start = position
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let first = position
        guard passDigits() else { throw fault(position == start ? .number : .digit) }
        guard position == first + 1 || bytes[first] != UInt8(ascii: "0") else { throw fault(.leadingZero) }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard passDigits() else { throw fault(.digit) }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, "+-".utf8.contains(bytes[position]) { position += 1 }
            guard passDigits() else { throw fault(.digit) }
        }
        return start..<position
    }

    /// Passes over digits, and tells whether there were any.
    private mutating func passDigits() -> Bool {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position > start
    }
}
