/// What is wrong with a file of a data set: one line that names the file, the fault and the remedy.
public struct DataError: Error, CustomStringConvertible, Hashable, Sendable {
    /// Which kind of failure it is, for exit statuses and for deciding what can be done about it.
    public enum Kind: String, Hashable, Sendable {
        /// Something that was asked for does not exist or cannot be opened.
        case missing
        /// It was read, and its content cannot be used.
        case invalid
        /// Writing failed.
        case unwritable
    }

    /// Which kind of failure it is.
    public let kind: Kind
    /// The file or folder at fault, as it was named to the reader.
    public let file: String
    /// The fault and what to do about it, without the file's name.
    public let problem: String

    /// Describes a fault of one file or folder.
    public init(_ kind: Kind = .invalid, file: String, problem: String) {
        self.kind = kind
        self.file = file
        self.problem = problem
    }

    /// The file's name, a colon, and the fault, on one line.
    public var description: String {
        String("\(file): \(problem)".map { $0.isNewline ? " " : $0 })
    }
}
