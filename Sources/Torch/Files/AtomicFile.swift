import Foundation
import Synchronization

/// A file that appears whole or not at all.
///
/// Bytes go to a temporary name in the same folder. ``commit()`` brings them to the disk and renames, so a reader sees
/// the old file or the new one, also after a crash. A file that is dropped without a commit leaves nothing behind.
///
///     let file = try AtomicFile(path: "metrics.json")
///     try file.write(header)
///     try file.write(rows)
///     try file.commit()
public final class AtomicFile {
    /// Where the file will be.
    public let path: String

    private let target: String
    private let temporary: String
    private var descriptor: Int32

    /// Starts a file that shall replace or become the one at `path`.
    ///
    /// - Throws: ``FileError`` if the folder is missing or can't be written, or if something that is no ordinary file
    ///   has that name: renaming over a device or a folder would destroy it.
    public init(path: String) throws {
        self.path = path
        var mode: mode_t = 0o666
        var status = stat()
        var target = path
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw FileError(path: path, reason: "cannot write: there is something else than a file of that name")
            }
            mode = status.st_mode & 0o777
            // A link stays a link: what it points to is replaced.
            if let resolved = realpath(path, nil) {
                target = String(cString: resolved)
                free(resolved)
            }
        }
        self.target = target
        let folder = AtomicFile.folder(of: target)
        let name = String(UInt64.random(in: 0 ... .max), radix: 36)
        temporary = folder + "/" + AtomicFile.prefix + name + AtomicFile.suffix
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        if descriptor < 0 {
            throw FileError(path: path, "cannot create a file in \(folder)")
        }
        let own = temporary
        AtomicFile.temporaries.withLock { _ = $0.insert(own) }
    }

    deinit {
        discard()
        AtomicFile.temporaries.withLock { _ = $0.remove(temporary) }
    }

    /// The temporary names of all files that are being written.
    private static let temporaries = Mutex<Set<String>>([])

    /// Removes every file that is being written, before the process ends at once.
    public static func discardAll() {
        temporaries.withLock { for path in $0 { unlink(path) } }
    }

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Both systems refuse or shorten a single write of 2 GiB.
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            let count = systemWrite(descriptor, part)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("cannot write")
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Appends bytes.
    public func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    /// Writes bytes at a place of their own, which may lie behind the end; appending goes on where it was.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                descriptor, bytes.baseAddress.map { $0 + done }, min(bytes.count - done, 1 << 30),
                off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw failure("cannot write") }
            done += count
        }
    }

    /// Brings everything to the disk and gives the file its name.
    ///
    /// The last call on this object.
    public func commit() throws {
        guard synchronize(descriptor) else { throw failure("cannot write to the disk") }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, rename(temporary, target) == 0 else {
            let error = FileError(path: path, "cannot finish the file")
            unlink(temporary)
            throw error
        }
        synchronizeFolder(AtomicFile.folder(of: target))
    }

    /// Writes a whole file at once.
    public static func write(_ data: Data, to path: String) throws {
        let file = try AtomicFile(path: path)
        try file.write(data)
        try file.commit()
    }

    /// Whether a name is that of a file which a killed process left without a commit.
    public static func isLeftover(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(suffix) }

    private static let prefix = ".autodeeplab-"
    private static let suffix = ".tmp"

    private func failure(_ action: String) -> FileError {
        let error = FileError(path: path, action)
        discard()
        return error
    }

    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
        descriptor = -1
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// The system's `write`, which inside the class would name its own method.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// Brings the names in a folder to the disk.
///
/// Some file systems can't synchronise a folder, and then do it anyway.
package func synchronizeFolder(_ path: String) {
    let folder = open(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = synchronize(folder)
    close(folder)
}

/// Waits until the disk has what was written.
///
/// On macOS `fsync` alone stops at the drive's cache.
private func synchronize(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
    #endif
    return fsync(descriptor) == 0
}
