import Foundation
import Torch

/// The checkpoints of a run: writes the newest, keeps those before it, and finds the newest that is whole.
package struct CheckpointFolder {
    let paths: RunPaths
    /// How many are kept.
    let keep: Int

    package init(paths: RunPaths, keep: Int) {
        self.paths = paths
        self.keep = keep
    }

    /// Writes the newest; the one before becomes `last-1`, and so on.
    ///
    /// At no moment is there none.
    ///
    /// - Throws: `FileError` where it cannot be written; those before are then as they were.
    package func write(_ checkpoint: Checkpoint) throws {
        // Under a name of its own until it is on the disk: a full disk must not cost one of the old ones.
        try checkpoint.write(to: paths.nextCheckpoint, below: paths.folder)
        let folder = try folder()
        var isFinished = false
        defer { if !isFinished { folder.remove(RunPaths.nextCheckpointName) } }
        for age in stride(from: max(keep, 1) - 1, to: 0, by: -1) {
            if age > 1 {
                folder.rename(name(age: age - 1), to: name(age: age))
            } else {
                // The newest gets a second name, since without one it would have none for a moment.
                try keepLast(in: folder)
            }
        }
        guard folder.rename(RunPaths.nextCheckpointName, to: name(age: 0)) else {
            throw FileError(path: paths.lastCheckpoint, reason: "cannot finish the file: " + systemReason())
        }
        isFinished = true
        folder.synchronize()
    }

    /// Gives the newest checkpoint the name of the one before, which it keeps when the next one takes its own.
    private func keepLast(in folder: FolderBelow) throws {
        let (last, before) = (name(age: 0), name(age: 1))
        guard fileType(paths.lastCheckpoint) != nil else { return }
        folder.remove(before)
        if folder.link(last, as: before) { return }
        // Some file systems have no second names, and some give a file only so many.
        let file = folder.open(last)
        guard file >= 0 else { throw unreadable() }
        defer { close(file) }
        let copy = try AtomicFile(path: paths.checkpoint(age: 1), below: paths.folder)
        while true {
            guard let part = readFile(file, atMost: 1 << 20) else { throw unreadable() }
            if part.isEmpty { break }
            try copy.write(part)
        }
        try copy.commit()
    }

    private func unreadable() -> FileError {
        FileError(path: paths.lastCheckpoint, reason: "cannot be read: " + systemReason())
    }

    /// The folder, open: no link that is put in place of it meanwhile leads elsewhere.
    private func folder() throws(FileError) -> FolderBelow {
        try FolderBelow(of: paths.lastCheckpoint, root: paths.folder)
    }

    private func name(age: Int) -> String { RunPaths.checkpointName(age: age) }

    /// The newest checkpoint that is whole, and what is wrong with the newer ones.
    ///
    /// - Parameters:
    ///   - paths: The run's files.
    ///   - requiresDigest: Whether a checkpoint must be able to prove that it is whole.
    /// - Returns: The checkpoint; nil where there is none.
    /// - Throws: ``RunError`` where there are some, and none is whole.
    package static func newest(
        in paths: RunPaths, requiresDigest: Bool = true
    ) throws(RunError) -> (checkpoint: Checkpoint, path: String, damaged: [(path: String, fault: String)])? {
        var damaged: [(path: String, fault: String)] = []
        for path in paths.storedCheckpoints {
            do {
                return (try Checkpoint(at: path, requiresDigest: requiresDigest), path, damaged)
            } catch {
                damaged.append((path, "\(error)"))
            }
        }
        guard let first = damaged.first else { return nil }
        let others = damaged.count > 1 ? ", nor is any before it" : ""
        throw RunError(
            .damaged,
            line: "\(first.fault); it is not whole\(others): start anew in another folder, or put a copy back")
    }

    /// Takes the newest whole checkpoint as the last one; damaged ones are set aside and reported.
    package func restore(_ reporter: any ProgressReporter) throws -> Checkpoint? {
        guard let (checkpoint, path, damaged) = try CheckpointFolder.newest(in: paths) else { return nil }
        let folder = try folder()
        for (path, fault) in damaged {
            // Left in the row it would push a good one out of it.
            let name = URL(fileURLWithPath: path).lastPathComponent
            folder.rename(name, to: name + ".damaged")
            reporter.report(.warning("\(fault); set aside as \(path).damaged"))
        }
        if path != paths.lastCheckpoint {
            folder.rename(URL(fileURLWithPath: path).lastPathComponent, to: name(age: 0))
            folder.synchronize()
        }
        if isDoubled(in: folder) { folder.remove(name(age: 1)) }
        if !damaged.isEmpty {
            reporter.report(.warning("going on from the checkpoint before, \(path)"))
        }
        return checkpoint
    }

    /// Removes the newest checkpoint, for who has it from another process.
    package func removeLast() { try? folder().remove(name(age: 0)) }

    /// Whether the one before is the newest over again: a process was killed between giving it the second name and
    /// giving the first to the next one.
    private func isDoubled(in folder: FolderBelow) -> Bool {
        let files = [0, 1].map { folder.open(name(age: $0)) }
        defer { for file in files where file >= 0 { close(file) } }
        guard files.allSatisfy({ $0 >= 0 }) else { return false }
        var (one, other) = (stat(), stat())
        guard fstat(files[0], &one) == 0, fstat(files[1], &other) == 0, one.st_size == other.st_size else {
            return false
        }
        if one.st_ino == other.st_ino && one.st_dev == other.st_dev { return true }
        while true {
            guard let part = readFile(files[0], atMost: 1 << 16), part == readFile(files[1], atMost: 1 << 16) else {
                return false
            }
            if part.isEmpty { return true }
        }
    }
}
