/// A text in quotes, escaped as JSON reads it.
///
/// - Parameters:
///   - text: The text.
///   - isPrintable: Whether the control characters and byte order marks that JSON lets stand are escaped as well, since
///     YAML does not let them stand and a terminal obeys them.
/// - Returns: The text with its quotes.
package func jsonText(_ text: String, isPrintable: Bool = true) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{08}": result += "\\b"
        case "\u{0C}": result += "\\f"
        case ..<" ": result += numericEscape(scalar)
        case "\u{7F}"..."\u{9F}" where isPrintable, "\u{FEFF}" where isPrintable: result += numericEscape(scalar)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// A character of the basic plane by its number, as `\u001b`.
package func numericEscape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
