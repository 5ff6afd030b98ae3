import Foundation
import Synchronization
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

    /// Opens a folder for writing, and makes it where it is not there.
    ///
    /// - Parameters:
    ///   - path: The folder.
    ///   - resume: Whether a run that is there already goes on; without it a folder with anything in it is refused.
    /// - Throws: ``RunError``: not empty, in use by another process, or not writable.
    public init(at path: String, resume: Bool) throws(RunError) {
        self.path = path
        if !ProcessGroup.isLeader {
            let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("adl-\(UUID().uuidString)").path
            storage = scratch
            RunFolder.scratch.withLock { $0 = scratch }
            try RunFolder.makeFolder(storage)
            self.lock = try FolderLock(folder: storage)
            try RunFolder.makeFolder(paths.checkpoints)
            try RunFolder.makeFolder(paths.genotypes)
            return
        }
        storage = path
        let files = FileManager.default
        var isFolder: ObjCBool = false
        if files.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
            throw RunError(.cannotWrite, path: path, "is a file, not a folder")
        }
        try RunFolder.makeFolder(path)
        self.lock = try FolderLock(folder: path)
        if !resume {
            let content = (try? files.contentsOfDirectory(atPath: path)) ?? []
            guard content.allSatisfy({ $0.hasPrefix(".") }) else {
                throw RunError(
                    .notEmpty, path: path, "is not empty: go on with the run in it by --resume, or name another folder")
            }
        }
        try RunFolder.makeFolder(paths.checkpoints)
        try RunFolder.makeFolder(paths.genotypes)
        removeLeftovers()
    }

    /// Where each file is.
    public var paths: RunPaths { RunPaths(folder: storage) }

    deinit {
        if storage != path { RunFolder.removeScratch() }
    }

    private static let scratch = Mutex<String?>(nil)

    /// Removes this process's scratch folder, where it has one; for a program that ends without ending its objects.
    public static func removeScratch() {
        guard let path = scratch.withLock({ $0.take() }) else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Whether a checkpoint is there to go on from.
    public var hasCheckpoint: Bool { !paths.storedCheckpoints.isEmpty }

    /// Writes the resolved configuration.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    public func write(_ configuration: Configuration) throws {
        try AtomicFile.write(Data(configuration.yaml().utf8), to: paths.configuration)
    }

    /// Writes what the run was made with.
    ///
    /// - Throws: `FileError` where the file cannot be written.
    public func write(_ environment: Environment) throws {
        try AtomicFile.write(environment.json(), to: paths.environment)
    }

    /// Brings log.jsonl and metrics.csv back to the checkpoint from which the run goes on.
    ///
    /// What was logged after it will be logged again; a line that a crash cut short goes too.
    ///
    /// - Parameters:
    ///   - step: The checkpoint's step.
    ///   - epochs: The epochs that were finished then: an epoch's last step may be saved before its end is.
    /// - Throws: ``RunError`` where a file cannot be written.
    public func truncateLog(after step: Int, finishedEpochs epochs: Int = .max) throws(RunError) {
        func isKept(_ place: (epoch: Int, step: Int)) -> Bool {
            place.step < step || place.step == step && place.epoch < epochs
        }
        try truncateLines(of: paths.log) { RunLog.place(ofLine: $0).map(isKept) ?? false }
        try truncateLines(of: paths.metrics) { MetricsTable.place(ofLine: $0).map(isKept) ?? true }
    }

    /// Removes what a killed process left half written; nobody else is at work here.
    private func removeLeftovers() {
        unlink(paths.nextCheckpoint)
        for folder in [path, paths.checkpoints, paths.genotypes, paths.validation, paths.validation + "/worst"] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where AtomicFile.isLeftover(name) { unlink(folder + "/" + name) }
        }
    }

    static func makeFolder(_ path: String) throws(RunError) {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if errno == ENOENT, parent != path {
            try makeFolder(parent)
            if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        }
        throw RunError.cannotWrite(path)
    }
}
