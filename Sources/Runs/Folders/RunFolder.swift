import Configurations
import Foundation
import Torch

/// The folder in which a search or a training keeps all that it writes.
///
/// While the object lives, no other process can open the same folder for writing; a process that dies leaves no lock.
/// In a group of processes rank 0 has the folder, and each of the others a scratch folder that goes with the object.
public final class RunFolder: Sendable {
    /// The folder's path.
    public let path: String
    /// Where this process writes.
    private let storage: String
    private let lock: FolderLock
    private let scratch: ScratchFolder?
    /// The folders that were made for it, the innermost last.
    private let made: [String]

    /// Opens a folder for writing, and makes it where it is not there.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - resume: Whether a run that is there already goes on; without it a folder with anything in it is refused, with
    ///     it one that holds something else than a run.
    /// - Throws: ``RunError``: not empty, in use by another process, or not writable.
    public init(at path: String, resume: Bool) throws(RunError) {
        self.path = path
        if !ProcessGroup.isLeader {
            let scratch = try ScratchFolder()
            self.scratch = scratch
            storage = scratch.path
            made = []
            self.lock = try FolderLock(folder: storage)
            try RunFolder.makeFolder(paths.checkpoints)
            try RunFolder.makeFolder(paths.genotypes)
            return
        }
        storage = path
        scratch = nil
        let files = FileManager.default
        var isFolder: ObjCBool = false
        if files.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
            throw RunError(.cannotWrite, path: path, "is a file, not a folder")
        }
        try OutputPaths(in: path).refuseLinks(inRun: nil)
        try OutputPaths.refuseLinks(toOutput: path)
        let content = ((try? files.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }
        if resume, !RunFolder.isRun(content) {
            throw RunError(.notEmpty, path: path, "is not empty and holds no run to go on with: name another folder")
        }
        made = try RunFolder.makeFolder(path)
        self.lock = try FolderLock(folder: path)
        if !resume, !content.isEmpty {
            throw RunError(
                .notEmpty, path: path, "is not empty", advice: .resumeOrTakeOtherFolder(of: "run"))
        }
        try RunFolder.makeFolder(paths.checkpoints)
        try RunFolder.makeFolder(paths.genotypes)
        removeLeftovers()
    }

    /// Where each file is.
    public var paths: RunPaths { RunPaths(folder: storage) }

    deinit {
        if scratch != nil { return }
        // A start that failed leaves nothing; what holds a file is not empty and stays.
        rmdir(paths.checkpoints)
        rmdir(paths.genotypes)
        RunFolder.remove(made, with: ".lock")
    }

    /// Whether names are those of a run, or of one that was killed before it wrote its configuration.
    private static func isRun(_ names: [String]) -> Bool {
        let early = ["checkpoints", "genotypes", "log.jsonl", "metrics.csv", "status.json", "trials.json"]
        return names.contains("config.yaml")
            || names.allSatisfy { early.contains($0) || $0.hasPrefix("events.") || $0.hasPrefix("seed-") }
    }

    /// Removes folders that were made here, the innermost last, as far as nothing is in them but one file.
    package static func remove(_ made: [String], with file: String) {
        // Of a folder that cannot be read nobody knows what is in it: the lock may be needed.
        guard let inner = made.last, let names = try? FileManager.default.contentsOfDirectory(atPath: inner),
            names.allSatisfy({ $0 == file })
        else { return }
        unlink(inner + "/" + file)
        for folder in made.reversed() where rmdir(folder) != 0 { return }
    }

    /// Removes this process's scratch folders, where it has any; for a program that ends without ending its objects.
    package static func removeScratch() { ScratchFolder.removeAll() }

    /// Whether a checkpoint is there to go on from.
    package var hasCheckpoint: Bool { !paths.storedCheckpoints.isEmpty }

    /// Writes the resolved configuration.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    package func write(_ configuration: Configuration) throws {
        try AtomicFile.write(Data(configuration.yaml().utf8), to: paths.configuration, below: storage)
    }

    /// Writes what the run was made with.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    package func write(_ environment: Environment) throws {
        try AtomicFile.write(environment.json(), to: paths.environment, below: storage)
    }

    /// Brings log.jsonl and metrics.csv back to the checkpoint from which the run goes on.
    ///
    /// What was logged after it will be logged again; a line that a crash cut short goes too.
    ///
    /// - Parameters:
    ///   - step: The checkpoint's step.
    ///   - epochs: The epochs that were finished then: an epoch's last step may be saved before its end is.
    /// - Throws: ``RunError`` where a file cannot be written.
    package func truncateLog(after step: Int, finishedEpochs epochs: Int = .max) throws(RunError) {
        func isKept(_ place: (epoch: Int, step: Int)) -> Bool {
            place.step < step || place.step == step && place.epoch < epochs
        }
        try LineFile.truncate(paths.log) { RunLog.place(ofLine: $0).map(isKept) ?? false }
        try LineFile.truncate(paths.metrics) { MetricsTable.place(ofLine: $0).map(isKept) ?? true }
    }

    /// Removes what a killed process left half written; nobody else is at work here.
    private func removeLeftovers() {
        unlink(paths.nextCheckpoint)
        for folder in paths.folders { AtomicFile.removeLeftovers(in: folder) }
        // Earlier versions wrote status.json by way of these.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names where name.hasPrefix(".dat.nosync") && fileType(path + "/" + name) == S_IFREG {
            unlink(path + "/" + name)
        }
    }

    /// Makes a folder, and those above it.
    ///
    /// - Returns: The folders that were not there, the innermost last.
    @discardableResult
    package static func makeFolder(_ path: String) throws(RunError) -> [String] {
        if mkdir(path, 0o777) == 0 { return [path] }
        if errno == EEXIST { return [] }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if errno == ENOENT, parent != path {
            let made = try makeFolder(parent)
            if mkdir(path, 0o777) == 0 { return made + [path] }
            if errno == EEXIST { return made }
        }
        throw RunError.cannotWrite(path)
    }
}
