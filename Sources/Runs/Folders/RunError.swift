import Configurations
import Foundation

/// What is wrong with a run folder or a file in it, in one line.
public struct RunError: AdvisedError, Equatable {
    /// The kinds of fault.
    public enum Reason: Equatable, Sendable {
        /// The folder holds something, and nobody asked to resume.
        case notEmpty
        /// Another process is at work in the folder.
        case locked
        /// A file or folder is missing.
        case missing
        /// A file is there, but holds what it should not.
        case damaged
        /// A file or folder cannot be written.
        case cannotWrite
        /// A run cannot go on under another configuration, network or other data.
        case changed
        /// What is to be written is a file that is read, or one of somebody else.
        case overwrites
        /// The numbers of a run are no longer finite.
        case diverged
    }

    /// The kind of fault.
    public let reason: Reason
    /// What to do, where the problem does not say so.
    public let advice: Advice?
    package let problem: String

    /// A fault at a path.
    public init(_ reason: Reason, path: String, _ message: String, advice: Advice? = nil) {
        self.init(reason, line: "\(path): \(message)", advice: advice)
    }

    /// A fault with its whole line, but for the advice.
    package init(_ reason: Reason, line: String, advice: Advice? = nil) {
        self.reason = reason
        self.problem = line
        self.advice = advice
    }

    /// The whole line, with the advice as it is to stand there.
    public func line(_ words: (Advice) -> String) -> String { problem + (advice.map { ": " + words($0) } ?? "") }

    /// A file that could not be written, with the system's reason.
    package static func cannotWrite(_ path: String, errno code: Int32 = errno) -> RunError {
        RunError(.cannotWrite, path: path, "cannot be written: \(systemReason(code))")
    }
}
