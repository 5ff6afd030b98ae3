/// What is wrong with a configuration, in one line that names the place, the key, the value and what is allowed.
public struct ConfigurationError: AdvisedError, Equatable {
    /// The kinds of fault.
    public enum Reason: Equatable, Sendable {
        /// The file is not there or cannot be read.
        case unreadable
        /// The text is not YAML, or larger or deeper than any configuration.
        case malformed
        /// There is no such key.
        case unknownKey
        /// The value is of another kind: a word where a number belongs.
        case wrongType
        /// The value is of the right kind, but not allowed.
        case outOfRange
        /// Two values contradict each other.
        case contradiction
        /// There is no such preset.
        case unknownPreset
        /// A value that is needed is not given.
        case missingValue
        /// The device is not there.
        case unavailable
    }

    /// The kind of fault.
    public let reason: Reason
    /// Whether the fault is in what was typed on the command line, not in a file.
    public let isUsage: Bool
    /// What to do, where the problem does not say so.
    public let advice: Advice?
    private let problem: String

    package init(_ reason: Reason, at origin: Origin, _ message: String) {
        self.reason = reason
        self.isUsage = origin.isCommandLine
        self.problem = onOneLine("\(origin): \(message)")
        self.advice = nil
    }

    package init(_ reason: Reason, _ message: String, advice: Advice? = nil) {
        self.reason = reason
        self.isUsage = [.unknownPreset, .missingValue, .unavailable].contains(reason)
        self.problem = onOneLine(message)
        self.advice = advice
    }

    /// The whole line, with the advice as it is to stand there.
    public func line(_ words: (Advice) -> String) -> String { problem + (advice.map { ": " + words($0) } ?? "") }
}

/// A text without line breaks, which keys and values of a file may hold.
private func onOneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

/// Where a value was written.
package struct Origin: CustomStringConvertible, Sendable {
    /// The file's name as given, `preset NAME`, or `'key=value'`.
    var source: String
    /// The line, counted from 1.
    var line: Int?
    /// Whether it was typed on the command line.
    var isCommandLine = false

    package var description: String {
        line.map { "\(source):\($0)" } ?? source
    }
}
