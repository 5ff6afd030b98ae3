import Foundation

/// A text file that grows by whole lines.
final class LineFile {
    private let path: String
    private let descriptor: Int32

    /// Opens a file behind what is in it; a last line that was cut short is taken off.
    init(_ path: String) throws(RunError) {
        self.path = path
        descriptor = try openGrowing(path)
        try LineFile.truncate(descriptor, path) { _ in true }
    }

    deinit {
        close(descriptor)
    }

    /// Adds a line in one call to the system.
    func append(_ line: String) throws(RunError) {
        try appendAll(Data((line + "\n").utf8), to: descriptor, path: path)
    }

    func synchronize() throws(RunError) {
        guard fsync(descriptor) == 0 else { throw RunError.cannotWrite(path) }
    }

    /// Cuts a file before its first line that is not to be kept; a last line without its end is never kept.
    static func truncate(_ path: String, keeping isKept: (Data) -> Bool) throws(RunError) {
        guard fileType(path) != nil else { return }
        let descriptor = try openGrowing(path)
        defer { close(descriptor) }
        try truncate(descriptor, path, keeping: isKept)
    }

    private static func truncate(
        _ descriptor: Int32, _ path: String, keeping isKept: (Data) -> Bool
    ) throws(RunError) {
        let limit = 1 << 30
        guard let data = readFile(descriptor, atMost: limit + 1) else {
            throw RunError(.missing, path: path, "cannot be read: \(systemReason())")
        }
        guard data.count <= limit else { throw RunError(.damaged, path: path, "larger than \(limit) bytes") }
        var end = data.startIndex
        while let newline = data[end...].firstIndex(of: UInt8(ascii: "\n")) {
            guard isKept(data[end..<newline]) else { break }
            end = newline + 1
        }
        if end == data.endIndex { return }
        guard truncateFile(descriptor, to: end - data.startIndex) else { throw RunError.cannotWrite(path) }
    }
}

/// Writes all bytes, however many calls that takes.
func appendAll(_ data: Data, to descriptor: Int32, path: String) throws(RunError) {
    guard data.withUnsafeBytes({ writeFile(descriptor, $0) }) else { throw RunError.cannotWrite(path) }
}
