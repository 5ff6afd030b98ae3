import Foundation

/// What went wrong with a file, in one line that names it.
public struct FileError: Error, CustomStringConvertible, Hashable, Sendable {
    /// Which kind of failure it is, for exit statuses.
    public enum Kind: Hashable, Sendable {
        /// It is not there, or cannot be opened.
        case missing
        /// It was read, and its content cannot be used.
        case damaged
        /// It cannot be written.
        case unwritable
    }

    /// Which kind of failure it is.
    public let kind: Kind
    /// The file, as the caller named it.
    public let path: String
    /// What could not be done, and why.
    public let reason: String

    /// An error about one file.
    public init(_ kind: Kind = .unwritable, path: String, reason: String) {
        self.kind = kind
        self.path = path
        self.reason = reason
    }

    /// The path and the reason.
    public var description: String { "\(path): \(reason)" }

    /// An error with the text of the system's error number, to be made before anything else can change it.
    package init(path: String, _ action: String, code: Int32 = errno) {
        self.init(path: path, reason: "\(action): \(systemReason(code))")
    }
}
