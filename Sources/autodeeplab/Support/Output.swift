import Foundation

/// A verb's result as JSON on standard output: stable keys, one final newline.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// A number with its thousands apart: 10,147,427.
func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var result = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { result += "," }
        result.append(digit)
    }
    return result
}

/// A number with so many decimals, whatever the locale.
func fixed(_ value: Double, digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

/// A text whose line breaks, which may come from a file's content, stand as `\n`.
func onOneLine(_ text: String) -> String {
    text.contains(where: \.isNewline)
        ? text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\\n") : text
}
