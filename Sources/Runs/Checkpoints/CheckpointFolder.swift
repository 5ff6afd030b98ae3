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
        let next = paths.nextCheckpoint
        try checkpoint.write(to: next, below: paths.folder)
        for age in stride(from: max(keep, 1) - 1, to: 0, by: -1) {
            if age > 1 {
                rename(paths.checkpoint(age: age - 1), paths.checkpoint(age: age))
            } else {
                // The newest gets a second name, since without one it would have none for a moment.
                try keepLast()
            }
        }
        guard rename(next, paths.lastCheckpoint) == 0 else {
            throw FileError(path: paths.lastCheckpoint, reason: "cannot finish the file: " + systemError())
        }
        synchronizeFolder(paths.checkpoints)
    }

    /// Gives the newest checkpoint the name of the one before, which it keeps when the next one takes its own.
    private func keepLast() throws {
        let (last, before) = (paths.lastCheckpoint, paths.checkpoint(age: 1))
        guard fileType(last) != nil else { return }
        unlink(before)
        if link(last, before) == 0 { return }
        // Some file systems have no second names, and some give a file only so many.
        let file = openFile(last, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(path: last, reason: "cannot be read: " + systemError()) }
        defer { close(file) }
        let copy = try AtomicFile(path: before, below: paths.folder)
        while true {
            guard let part = readFile(file, atMost: 1 << 20) else {
                throw FileError(path: last, reason: "cannot be read: " + systemError())
            }
            if part.isEmpty { break }
            try copy.write(part)
        }
        try copy.commit()
    }

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
        for (path, fault) in damaged {
            // Left in the row it would push a good one out of it.
            rename(path, path + ".damaged")
            reporter.report(.warning("\(fault); set aside as \(path).damaged"))
        }
        if path != paths.lastCheckpoint {
            rename(path, paths.lastCheckpoint)
            synchronizeFolder(paths.checkpoints)
        }
        if !damaged.isEmpty {
            reporter.report(.warning("going on from the checkpoint before, \(path)"))
        }
        return checkpoint
    }
}

/// The text of the last failed system call.
private func systemError() -> String { String(cString: strerror(errno)) }
