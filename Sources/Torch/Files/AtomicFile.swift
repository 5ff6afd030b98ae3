import Foundation
import Synchronization

/// A file that appears whole or not at all.
///
/// Bytes go to a temporary name in the same folder. ``commit(waitsForDisk:)`` brings them to the disk and renames, so a
/// reader sees the old file or the new one, also after a crash. A file that is dropped without a commit leaves nothing behind.
///
///     let file = try AtomicFile(path: "metrics.json")
///     try file.write(header)
///     try file.write(rows)
///     try file.commit()
public final class AtomicFile {
    /// Where the file will be.
    public let path: String

    /// The folder that names are taken in; nil for paths as they are.
    private let folder: FolderBelow?
    private let target: String
    private let temporary: String
    private let temporaryPath: String
    private var descriptor: Int32

    /// Starts a file that shall replace or become the one at `path`.
    ///
    /// A path that a user named may be a link, which stays one: what it points to is replaced. In a folder that may have
    /// come from somebody else no link is followed.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - root: A folder above, below which nothing is reached by way of a link; nil for a path that a user named.
    /// - Throws: ``FileError`` if the folder is missing or can't be written, or if something that is no ordinary file
    ///   has that name: renaming over a device or a folder would destroy it.
    public init(path: String, below root: String? = nil) throws {
        self.path = path
        var mode: mode_t = 0o666
        var status = stat()
        let folder = try root.map { try FolderBelow(of: path, root: $0) }
        var target = folder?.name ?? path
        if fstatat(folder.place, target, &status, folder == nil ? 0 : AT_SYMLINK_NOFOLLOW) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw FileError(path: path, reason: "cannot write: there is something else than a file of that name")
            }
            mode = status.st_mode & 0o777
            if folder == nil, let resolved = realpath(path, nil) {
                target = String(cString: resolved)
                free(resolved)
            }
        }
        self.folder = folder
        self.target = target
        let parent = AtomicFile.folder(of: folder == nil ? target : path)
        let name = TemporaryName.new()
        temporaryPath = parent + "/" + name
        temporary = folder == nil ? temporaryPath : name
        descriptor = TemporaryName.create(temporary, in: folder.place, mode: mode)
        if descriptor < 0 {
            throw FileError(path: path, "cannot create a file in \(parent)")
        }
        let own = temporaryPath
        AtomicFile.temporaries.withLock { _ = $0.insert(own) }
    }

    deinit {
        discard()
        AtomicFile.temporaries.withLock { _ = $0.remove(temporaryPath) }
    }

    /// The temporary names of all files that are being written.
    private static let temporaries = Mutex<Set<String>>([])

    /// Removes every file that is being written, before the process ends at once.
    public static func discardAll() {
        temporaries.withLock { for path in $0 { unlink(path) } }
    }

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard writeFile(descriptor, bytes) else { throw failure("cannot write") }
    }

    /// Appends bytes.
    public func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    /// Writes bytes at a place of their own, which may lie behind the end; appending goes on where it was.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        guard writeFile(descriptor, bytes, at: offset) else { throw failure("cannot write") }
    }

    /// Brings everything to the disk and gives the file its name.
    ///
    /// The last call on this object.
    ///
    /// - Parameter waitsForDisk: Whether a crash of the machine may cost nothing; a file that can be made again need not
    ///   wait.
    /// - Throws: ``FileError`` where the disk refuses; a file that was there is then as it was.
    public func commit(waitsForDisk: Bool = true) throws {
        if waitsForDisk, !synchronize(descriptor) { throw failure("cannot write to the disk") }
        // The lock is held until the file has its name: nobody takes the temporary one for abandoned before.
        let held = dup(descriptor)
        defer { if held >= 0 { close(held) } }
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0, renameat(folder.place, temporary, folder.place, target) == 0 else {
            let error = FileError(path: path, "cannot finish the file")
            unlinkat(folder.place, temporary, 0)
            throw error
        }
        guard waitsForDisk else { return }
        if let folder { folder.synchronize() } else { synchronizeFolder(AtomicFile.folder(of: target)) }
    }

    /// Writes a whole file at once.
    ///
    /// - Parameters:
    ///   - data: The bytes.
    ///   - path: The file.
    ///   - root: A folder above, below which nothing is reached by way of a link; nil for a path that a user named.
    ///   - waitsForDisk: Whether a crash of the machine may cost nothing.
    /// - Throws: ``FileError`` where it cannot be written; a file that was there is then as it was.
    public static func write(
        _ data: Data, to path: String, below root: String? = nil, waitsForDisk: Bool = true
    ) throws {
        let file = try AtomicFile(path: path, below: root)
        try file.write(data)
        try file.commit(waitsForDisk: waitsForDisk)
    }

    /// Removes files that killed processes left without a commit in a folder; those of living ones stay.
    ///
    /// - Parameter folder: The folder, which may be missing; what is in its folders is not looked at.
    public static func removeLeftovers(in folder: String) { TemporaryName.removeAbandoned(in: folder) }

    private func failure(_ action: String) -> FileError {
        let error = FileError(path: path, action)
        discard()
        return error
    }

    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlinkat(folder.place, temporary, 0)
        descriptor = -1
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension FolderBelow? {
    /// What the system's calls with a folder take.
    fileprivate var place: Int32 { self?.descriptor ?? AT_FDCWD }
}

/// Brings the names in a folder to the disk.
///
/// Some file systems can't synchronise a folder, and then do it anyway.
package func synchronizeFolder(_ path: String) {
    let folder = openFile(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = synchronize(folder)
    close(folder)
}

/// Waits until the disk has what was written.
///
/// On macOS `fsync` alone stops at the drive's cache.
func synchronize(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
    #endif
    return fsync(descriptor) == 0
}
