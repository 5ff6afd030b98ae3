import Foundation
import JSON
import Synchronization

/// What the program says on standard output and standard error.
///
/// Texts come from file names, class names, configurations and other processes as well. What could steer a terminal is
/// therefore shown by its number, and output that fails is noted instead of ending a run that could go on.
enum StandardStreams {
    /// The first failure of standard output, by its `errno`.
    private static let failure = Mutex<Int32?>(nil)

    /// Makes sure that descriptors 0, 1 and 2 are taken, so that no file of a run gets one of them, and that a reader
    /// that went away and a file that would get too large are errors like any others.
    ///
    /// To be called before anything is opened.
    static func prepare() {
        // Opened for the opposite of their use: what nobody sees counts as not written.
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            _ = open("/dev/null", mode)
        }
        signal(SIGPIPE, SIG_IGN)
        // A limit of files' sizes is an error of the write, with a message and nothing half written.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Writes all of a text.
    ///
    /// - Returns: `errno` where that failed, otherwise nil.
    static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { writeFile(descriptor, UnsafeRawBufferPointer($0)) ? nil : errno }
    }

    /// Writes to standard output as it is; after a failure nothing more is written.
    static func output(_ text: String) {
        failure.withLock { failure in
            if failure == nil { failure = write(text, to: STDOUT_FILENO) }
        }
    }

    /// Ends the program with the status of what it did, or with 73 where standard output could not be written.
    static func exit(_ status: Int32) -> Never {
        guard status == 0, let number = failure.withLock({ $0 }) else { Foundation.exit(status) }
        // Whoever closes a pipe, as `head` does, has read enough.
        if number != EPIPE { writeError("standard output cannot be written: \(String(cString: strerror(number)))") }
        Foundation.exit(ExitStatus.cannotWrite.rawValue)
    }
}

/// A text without what steers a terminal: control characters and those that turn the direction of writing stand as
/// `\u001b`, as in JSON; line feeds and tabs stay.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isSteering) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isSteering(scalar) {
            result.append(contentsOf: numericEscape(scalar).unicodeScalars)
        } else {
            result.append(scalar)
        }
    }
    return String(result)
}

private func isSteering(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A: false
    case 0x00...0x1F, 0x7F...0x9F: true
    // Directional marks, embeddings, overrides and isolates, and the two separators of lines.
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
}

/// Writes a text to standard output, in place of Swift's function: see ``StandardStreams``.
func print(_ text: String, terminator: String = "\n") {
    StandardStreams.output(printable(text) + terminator)
}

/// Writes a text to standard error.
func standardError(_ text: String) {
    _ = StandardStreams.write(printable(text), to: STDERR_FILENO)
}

/// Writes one line that begins with `error: ` to standard error.
func writeError(_ message: String) {
    standardError("error: \(oneLine(message))\n")
}

/// A text's lines in one, so that none of them passes for something else that the program says.
func oneLine(_ text: String) -> String {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
    return lines.filter { !$0.isEmpty }.joined(separator: " ")
}
