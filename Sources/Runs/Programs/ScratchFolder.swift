import Foundation
import Synchronization

/// A new folder for files that are needed for a moment, in the system's folder for such; it goes with the object.
///
/// It is held by the system's lock, which a process that dies loses: so each new one finds those that were left.
package final class ScratchFolder: Sendable {
    let path: String
    private let descriptor: Int32

    package init() throws(RunError) {
        let all = FileManager.default.temporaryDirectory
        ScratchFolder.removeAbandoned(in: all.path)
        while true {
            let path = all.appendingPathComponent(ScratchFolder.prefix + UUID().uuidString).path
            guard mkdir(path, 0o700) == 0 else {
                throw RunError(.cannotWrite, path: path, "cannot make a folder for temporary files")
            }
            let descriptor = openFile(path, ScratchFolder.flags)
            // Between the calls it may have been taken for abandoned.
            guard descriptor >= 0 else { continue }
            flock(descriptor, LOCK_EX)
            if fileType(path) != S_IFDIR {
                close(descriptor)
                continue
            }
            self.path = path
            self.descriptor = descriptor
            ScratchFolder.all.withLock { _ = $0.insert(path) }
            return
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        ScratchFolder.all.withLock { _ = $0.remove(path) }
        close(descriptor)
    }

    private static let prefix = "autodeeplab-scratch-"
    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    private static let all = Mutex<Set<String>>([])

    /// Removes every such folder of this process, before it ends at once.
    static func removeAll() {
        all.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } }
    }

    /// Removes the folders of such names that are this user's and that no process holds.
    private static func removeAbandoned(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let path = folder + "/" + name
            let descriptor = openFile(path, flags)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            // Links in it are removed, not followed.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    package func file(_ name: String) -> String { path + "/" + name }
}
