import JSON

/// A text as a cell of a CSV file, as RFC 4180 has it.
///
/// Spreadsheets compute a text that begins with `=`, `+`, `-` or `@`, quoted or not: an apostrophe before it keeps it a
/// text. Numbers are left alone.
package func csvCell(_ text: String) -> String {
    let text = visible(text)
    // By scalars: a mark that combines with the first sign would hide it.
    let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
    let cell = isFormula && Double(text) == nil ? "'" + text : text
    guard cell != text || text.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) }) else {
        return text
    }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
}

/// Control characters other than line breaks and tabs as `\u001b`, since a table may be shown by a terminal.
private func visible(_ text: String) -> String {
    func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && !"\t\r\n".unicodeScalars.contains(scalar)
    }
    guard text.unicodeScalars.contains(where: isHidden) else { return text }
    return text.unicodeScalars.map { isHidden($0) ? numericEscape($0) : String($0) }.joined()
}
