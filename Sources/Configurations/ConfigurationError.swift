/// What is wrong with a configuration, in one line that names the place, the key, the value and what is allowed.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
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
    /// The whole line.
    public let description: String

    package init(_ reason: Reason, at origin: Origin, _ message: String) {
        self.reason = reason
        self.isUsage = origin.isCommandLine
        self.description = "\(origin): \(message)"
    }

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.isUsage = [.unknownPreset, .missingValue, .unavailable].contains(reason)
        self.description = message
    }
}

/// Where a value was written.
package struct Origin: CustomStringConvertible, Sendable {
    /// The file's name as given, `preset NAME`, or `--set key=value`.
    var source: String
    /// The line, counted from 1.
    var line: Int?
    /// Whether it was typed on the command line.
    var isCommandLine = false

    package var description: String {
        line.map { "\(source):\($0)" } ?? source
    }
}
