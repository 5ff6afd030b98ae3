import Foundation

/// Keeps other processes out of a folder for as long as it lives; the system takes it off a process that dies.
final class FolderLock: Sendable {
    private let descriptor: Int32

    init(folder: String) throws(RunError) {
        let path = URL(fileURLWithPath: folder).appendingPathComponent(".lock").path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw RunError.cannotWrite(folder) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isTaken = errno == EWOULDBLOCK
            let owner = isTaken ? FolderLock.owner(path) : ""
            close(descriptor)
            throw RunError(
                isTaken ? .locked : .cannotWrite, path: folder,
                isTaken ? "another process\(owner) is at work here" : "cannot be locked")
        }
        // The number is for people; what keeps others out is the lock itself.
        let number = Data("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        try? appendAll(number, to: descriptor, path: path)
    }

    deinit {
        close(descriptor)
    }

    private static func owner(_ path: String) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return "" }
        return " (\(number))"
    }
}
