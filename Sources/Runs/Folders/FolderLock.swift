import Foundation

/// Keeps other processes out of a folder for as long as it lives; the system takes it off a process that dies.
package final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of a folder that is there.
    ///
    /// - Throws: ``RunError`` with reason `locked` where another process has it.
    package init(folder: String) throws(RunError) {
        let path = RunPaths(folder: folder).lock
        descriptor = try openGrowing(path)
        var failure = FolderLock.tryLock(descriptor)
        // Who asks whether a run is at work holds the lock for a moment.
        for _ in 0..<20 where failure == EWOULDBLOCK {
            usleep(5_000)
            failure = FolderLock.tryLock(descriptor)
        }
        guard failure == 0 else {
            let isTaken = failure == EWOULDBLOCK
            let owner = isTaken ? FolderLock.owner(path) : ""
            close(descriptor)
            throw RunError(
                isTaken ? .locked : .cannotWrite, path: folder,
                isTaken ? "another process\(owner) is at work here" : "cannot be locked")
        }
        // The number is for people; what keeps others out is the lock itself.
        let number = Data("\(getpid())\n".utf8)
        _ = truncateFile(descriptor, to: 0)
        try? appendAll(number, to: descriptor, path: path)
    }

    /// Takes the lock of a folder as soon as no other process has it.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - check: Called while it waits; what it throws ends that.
    /// - Returns: The lock.
    /// - Throws: ``RunError`` where the folder cannot be locked.
    package static func waiting(for folder: String, check: () throws -> Void = {}) throws -> FolderLock {
        while true {
            do {
                return try FolderLock(folder: folder)
            } catch {
                guard error.reason == .locked else { throw error }
            }
            try check()
            usleep(50_000)
        }
    }

    deinit {
        close(descriptor)
    }

    /// Whether a process keeps others out of a folder.
    package static func isHeld(_ folder: String) -> Bool {
        let path = RunPaths(folder: folder).lock
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Asks for the lock; the system's error, 0 for none.
    private static func tryLock(_ descriptor: Int32) -> Int32 {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
    }

    private static func owner(_ path: String) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return "" }
        return " (\(number))"
    }
}
