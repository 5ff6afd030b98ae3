import Foundation

/// The bytes of an ordinary file, which are not read where they are more than the limit.
///
/// Pipes and devices are refused before they are read, since that could never end.
///
/// - Throws: ``FileError`` that says what is there instead.
package func boundedContents(of path: String, limit: Int) throws(FileError) -> Data {
    // A pipe that nobody writes to would otherwise be waited for here.
    let descriptor = openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
        if errno == ENOENT { throw FileError(.missing, path: path, reason: "there is no such file") }
        throw FileError(.missing, path: path, reason: "cannot be read: \(systemReason())")
    }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
        throw FileError(.missing, path: path, reason: "cannot be read: \(systemReason())")
    }
    switch information.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw FileError(.missing, path: path, reason: "is a folder, not a file")
    default: throw FileError(.damaged, path: path, reason: "is not an ordinary file")
    }
    guard let bytes = readFile(descriptor, atMost: limit + 1) else {
        throw FileError(.missing, path: path, reason: "cannot be read: \(systemReason())")
    }
    guard bytes.count <= limit else { throw FileError(.damaged, path: path, reason: "larger than \(limit) bytes") }
    return bytes
}

/// The bytes of a file that a run can do without; nil where ``boundedContents(of:limit:)`` refuses it.
package func optionalContents(of path: String, limit: Int = 1 << 28) -> Data? {
    try? boundedContents(of: path, limit: limit)
}
