import Foundation
import Yams

/// The largest configuration file, in bytes.
let largestConfigurationFile = 1_000_000

/// Reads a YAML text whose size, depth and expansion are bounded before the parser sees it; nil where it is empty.
func composeBounded(_ text: String, source: Origin) throws(ConfigurationError) -> Node? {
    guard text.utf8.count <= largestConfigurationFile else {
        throw ConfigurationError(.malformed, at: source, "larger than \(largestConfigurationFile) bytes")
    }
    try checkStructure(text, source: source)
    do {
        // Named, so that no variable of the environment (YAMS_DEFAULT_ENCODING) changes what is read.
        let node = try Yams.compose(yaml: text, .default, .default, .utf8)
        if case .scalar(let scalar) = node, scalar.string.isEmpty, scalar.style == .plain { return nil }
        return node
    } catch {
        throw syntaxError(error, in: text, source: source)
    }
}

/// Refuses texts that would nest or expand without bound: the parser recurses on depth and copies what aliases name.
///
/// Depth comes from brackets and from indentation, which counts the signs `-`, `?` and `:` that open blocks. The counts
/// are upper bounds that take no notice of quotes and comments, so that nothing can hide there; a real configuration
/// stays far below them.
private func checkStructure(_ text: String, source: Origin) throws(ConfigurationError) {
    var brackets = 0
    var aliases = 0
    var indentation = 0
    var line = 1
    var atLineStart = true
    var previous: UInt8 = UInt8(ascii: "\n")
    for byte in text.utf8 {
        if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
            if byte == UInt8(ascii: "\n") { line += 1 }
            atLineStart = true
            indentation = 0
        } else if atLineStart, " \t-?:".utf8.contains(byte) {
            indentation += 1
        } else {
            atLineStart = false
        }
        if "[{".utf8.contains(byte) { brackets += 1 }
        if previous == UInt8(ascii: "*"), byte > UInt8(ascii: " "), byte != UInt8(ascii: "*") { aliases += 1 }
        previous = byte
        guard brackets <= 200, indentation <= 100, aliases <= 16 else {
            let excess =
                brackets > 200 ? "more than 200 brackets" : aliases > 16 ? "more than 16 aliases" : "nested too deeply"
            var origin = source
            origin.line = source.isCommandLine ? nil : line
            throw ConfigurationError(.malformed, at: origin, "\(excess): not a configuration")
        }
    }
}

/// One line for the parser's error.
private func syntaxError(_ error: any Error, in text: String, source: Origin) -> ConfigurationError {
    var origin = source
    func located(_ mark: Mark, _ message: String) -> ConfigurationError {
        origin.line = source.isCommandLine ? nil : mark.line
        // libyaml says that some character cannot stand there.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let line = lines.indices.contains(mark.line - 1) ? lines[mark.line - 1] : ""
        let hint = line.prefix { $0.isWhitespace }.contains("\t") ? " (indent by spaces, not by tabs)" : ""
        return ConfigurationError(.malformed, at: origin, "not valid YAML: \(message)\(hint)")
    }
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        return located(mark, problem)
    case .duplicatedKeysInMapping(let names, let context):
        return located(context.mark, "the key '\(names.first ?? "")' stands there twice")
    case .reader(let problem, _, _, _):
        return ConfigurationError(.malformed, at: source, "not valid YAML: \(problem)")
    default:
        return ConfigurationError(.malformed, at: source, "not valid YAML")
    }
}
