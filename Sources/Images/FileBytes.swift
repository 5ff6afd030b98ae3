import Foundation

/// What a reader accepts before it allocates anything.
public struct ReadLimits: Hashable, Sendable {
    /// Pixels of one image or mask.
    public var pixels: Int
    /// Bytes of one file.
    public var fileBytes: Int

    /// Limits with the package's defaults: a hundred million pixels, half a gibibyte.
    public init(pixels: Int = 100_000_000, fileBytes: Int = 512 << 20) {
        self.pixels = pixels
        self.fileBytes = fileBytes
    }
}

/// Reads a file of bounded size, or its first bytes; pipes, devices and folders are refused, since reading them could
/// never end.
package func readFileBytes(_ path: String, limit: Int, prefix: Int = .max) throws -> [UInt8] {
    var information = stat()
    guard stat(path, &information) == 0 else {
        throw DataError(.missing, file: path, problem: "cannot be opened (\(lastSystemError()))")
    }
    guard information.st_mode & S_IFMT == S_IFREG else {
        throw DataError(file: path, problem: "is not an ordinary file")
    }
    guard information.st_size <= limit else {
        throw DataError(
            file: path, problem: "has \(information.st_size) bytes, more than the limit of \(limit)")
    }
    let size = min(Int(information.st_size), prefix)
    let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw DataError(.missing, file: path, problem: "cannot be opened (\(lastSystemError()))")
    }
    defer { close(descriptor) }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
        guard let read = readFile(descriptor, into: room) else {
            throw DataError(.missing, file: path, problem: "cannot be read (\(lastSystemError()))")
        }
        count = read
    }
}

/// Writes a file under a temporary name in the same folder and renames it: never half a file under its own name.
///
/// It is not synced to the disk: pictures can be made again, and syncing hundreds of small files takes seconds.
package func writeFileAtomically(_ bytes: some ContiguousBytes, to path: String) throws {
    let writer = try FileWriter(path)
    try bytes.withUnsafeBytes { try writer.write($0) }
    try writer.finish()
}

/// The folder in a path: `a/b` gives `a`, `/a` gives `/`, and `a` nothing.
///
/// `NSString.deletingLastPathComponent` traps on Linux where the path is a single letter.
package func folderPart(of path: String) -> String {
    let whole = path.utf8.reversed().drop { $0 == UInt8(ascii: "/") }
    let rest = whole.drop { $0 != UInt8(ascii: "/") }
    let folder = rest.drop { $0 == UInt8(ascii: "/") }
    if folder.isEmpty { return path.hasPrefix("/") ? "/" : "" }
    return String(decoding: folder.reversed(), as: UTF8.self)
}

/// A file that is written piece by piece under a temporary name; without `finish` nothing of it stays.
package final class FileWriter {
    private let path: String
    private let temporary: String
    private var descriptor: Int32

    package init(_ path: String) throws {
        self.path = path
        let folder = folderPart(of: path)
        // Not made of the file's own name, which may be as long as a name can be. By this one and by the lock those of
        // killed processes are found, as are `Torch`'s.
        var (temporary, descriptor) = ("", Int32(-1))
        while true {
            let name = ".autodeeplab-\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).tmp"
            temporary = (folder as NSString).appendingPathComponent(name)
            descriptor = openFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw DataError(.unwritable, file: path, problem: "cannot be created (\(lastSystemError()))")
            }
            flock(descriptor, LOCK_EX)
            var status = stat()
            // Between the two calls it may have been taken for abandoned.
            if fstat(descriptor, &status) != 0 || status.st_nlink > 0 { break }
            close(descriptor)
        }
        self.temporary = temporary
        self.descriptor = descriptor
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Appends bytes.
    package func write(_ buffer: UnsafeRawBufferPointer) throws {
        guard writeFile(descriptor, buffer) else { throw fault() }
    }

    /// Gives the file its name.
    package func finish() throws {
        let held = dup(descriptor)
        defer { if held >= 0 { close(held) } }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporary, path) == 0 else {
            let error = fault()
            unlink(temporary)
            throw error
        }
    }

    private func fault() -> DataError {
        DataError(.unwritable, file: path, problem: "cannot be written (\(lastSystemError()))")
    }
}

/// The text of the last failed system call.
private func lastSystemError() -> String { systemReason().lowercased() }
