import Foundation

/// Names under which files and folders are made before they get their own, and by which those of killed processes are
/// found.
///
/// Whoever makes one holds the system's lock on it for as long as it is needed; the system takes the lock off a process
/// that dies. So what can be locked is abandoned, whoever made it and on whatever machine.
package enum TemporaryName {
    /// What all of them begin with.
    package static let prefix = ".autodeeplab-"
    /// What all of them end with.
    package static let suffix = ".tmp"

    /// A name that nobody has.
    package static func new() -> String { prefix + String(UInt64.random(in: 0 ... .max), radix: 36) + suffix }

    /// Makes a file and holds it.
    ///
    /// - Parameters:
    ///   - name: Its name or path.
    ///   - folder: The folder's descriptor, or `AT_FDCWD`.
    ///   - mode: Its permissions.
    /// - Returns: Its descriptor; -1 with the system's error where it cannot be made.
    static func create(_ name: String, in folder: Int32, mode: mode_t) -> Int32 {
        while true {
            let descriptor = openFile(name, in: folder, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
            guard descriptor >= 0 else { return -1 }
            // File systems that lock nothing lose nothing either: nobody can find the file abandoned there.
            flock(descriptor, LOCK_EX)
            var status = stat()
            // Between the two calls it may have been taken for abandoned.
            if fstat(descriptor, &status) != 0 || status.st_nlink > 0 { return descriptor }
            close(descriptor)
        }
    }

    /// Removes the files of such names that nobody holds.
    package static func removeAbandoned(in path: String) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter {
            $0.hasPrefix(prefix) && $0.hasSuffix(suffix)
        }
        if names.isEmpty { return }
        let folder = openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        defer { close(folder) }
        for name in names {
            let descriptor = openFile(name, in: folder, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            unlinkat(folder, name, 0)
        }
    }
}
