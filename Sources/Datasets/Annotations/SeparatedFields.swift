/// A field of a line of a table.
struct SeparatedField: Equatable {
    /// The field without the quotes and blanks around it.
    let text: String
    /// Whether it stood in quotes.
    let isQuoted: Bool
}

/// A line's fields, quoted ones as RFC 4180 has them: a separator in quotes belongs to its field, and two quotes there
/// are one.
///
/// - Parameters:
///   - line: the line.
///   - joins: whether several separators in a row are one.
///   - isSeparator: what stands between fields.
/// - Returns: the fields; nil where a quote is not closed, or where something follows it in its field.
func separatedFields(
    _ line: String, joins: Bool = false, by isSeparator: (Character) -> Bool
) -> [SeparatedField]? {
    var fields: [SeparatedField] = []
    var rest = line[...]
    while true {
        rest = rest.drop { $0.isWhitespace && !isSeparator($0) }
        var text = ""
        let isQuoted = rest.first == "\""
        if isQuoted {
            rest = rest.dropFirst()
            while true {
                guard let end = rest.firstIndex(of: "\"") else { return nil }
                text += rest[..<end]
                rest = rest[end...].dropFirst()
                guard rest.first == "\"" else { break }
                text += "\""
                rest = rest.dropFirst()
            }
            rest = rest.drop { $0.isWhitespace && !isSeparator($0) }
            if let next = rest.first, !isSeparator(next) { return nil }
        } else {
            text = String(rest.prefix { !isSeparator($0) })
            rest = rest.dropFirst(text.count)
        }
        text = trimmed(text)
        if isQuoted || !joins || !text.isEmpty { fields.append(SeparatedField(text: text, isQuoted: isQuoted)) }
        if rest.isEmpty { return fields }
        rest = rest.dropFirst()
    }
}
