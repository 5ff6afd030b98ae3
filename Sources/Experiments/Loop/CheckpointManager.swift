import Configurations
import Foundation
import Images
import Reporting
import Runs
import Torch

/// A loop as its keeper sees it.
protocol CheckpointedLoop {
    /// Where it is.
    var position: LoopPosition { get }
    /// All that it needs to go on from here.
    func checkpoint() throws -> Checkpoint
}

/// What search and training do around their steps: save, stop when asked, and say how to go on when something fails.
final class CheckpointManager {
    /// The run's folder.
    let folder: RunFolder
    /// The step of the newest whole checkpoint; nil while there is none.
    private(set) var savedStep: Int?
    private let checkpoints: CheckpointFolder
    private let interruption: Interruption
    private var clock: CheckpointClock

    init(_ folder: RunFolder, _ configuration: CheckpointConfiguration, interruption: Interruption) {
        self.folder = folder
        self.interruption = interruption
        checkpoints = CheckpointFolder(paths: folder.paths, keep: configuration.keep)
        clock = CheckpointClock(configuration.every)
    }

    /// The checkpoint to go on from, with the position in it; nil for a new run.
    func restore(_ reporter: any ProgressReporter) throws -> (checkpoint: Checkpoint, position: LoopPosition)? {
        let own = ProcessGroup.isLeader ? try checkpoints.restore(reporter) : nil
        guard let checkpoint = try shared(own) else { return nil }
        let position = try checkpoint.value("position", as: LoopPosition.self, in: folder.paths.lastCheckpoint)
        if let fault = position.fault {
            throw RunError(
                .damaged, path: folder.paths.lastCheckpoint,
                "`position` says \(fault), which no run has: put a copy back, or start anew in another folder")
        }
        savedStep = position.step
        return (checkpoint, position)
    }

    /// Rank 0's checkpoint in all processes of a group, whether they see its folder or not.
    private func shared(_ own: Checkpoint?) throws -> Checkpoint? {
        guard let group = ProcessGroup.current else { return own }
        let path = folder.paths.lastCheckpoint
        if ProcessGroup.isLeader {
            let bytes = own == nil ? Data() : try boundedContents(of: path, limit: 1 << 34)
            _ = group.broadcast(bytes)
            return own
        }
        let bytes = group.broadcast(Data())
        guard !bytes.isEmpty else { return nil }
        try AtomicFile.write(bytes, to: path, below: folder.paths.folder)
        defer { checkpoints.removeLast() }
        return try Checkpoint(at: path)
    }

    /// Whether the loop is asked to stop, so that long work between steps need not be finished.
    var isStopping: Bool { interruption.signal != nil }

    /// Whether any rank is asked to stop: all ranks ask together, and get the same answer.
    var isAnyStopping: Bool { RankSync.wishes(signal: interruption.signal, wantsCheckpoint: false).signal != nil }

    /// Writes a checkpoint; in a group rank 0 does.
    ///
    /// - Parameters:
    ///   - loop: What is saved.
    ///   - isBest: Whether it is the best so far too.
    /// - Throws: `FileError` where it cannot be written.
    func save(_ loop: some CheckpointedLoop, isBest: Bool = false) throws {
        if ProcessGroup.isLeader {
            let checkpoint = try loop.checkpoint()
            // First: a run that is killed between the two goes on from the last one, and writes the best again.
            if isBest { try checkpoint.write(to: folder.paths.bestCheckpoint, below: folder.paths.folder) }
            try checkpoints.write(checkpoint)
        }
        savedStep = loop.position.step
    }

    /// After a step within an epoch: writes a checkpoint where one is due or asked for, and stops where that is asked.
    func afterStep(of loop: some CheckpointedLoop) throws {
        let isDue = clock.isDue(after: loop.position.step)
        let wishes = RankSync.wishes(
            signal: interruption.signal, wantsCheckpoint: interruption.takeCheckpointRequest() || isDue)
        if wishes.wantsCheckpoint || wishes.signal != nil { try save(loop) }
        try stop(loop, by: wishes.signal)
    }

    /// Stops where that is asked; everything is saved.
    func stopIfAsked(_ loop: some CheckpointedLoop) throws {
        try stop(loop, by: RankSync.wishes(signal: interruption.signal, wantsCheckpoint: false).signal)
    }

    private func stop(_ loop: some CheckpointedLoop, by signal: Int32?) throws {
        guard let signal else { return }
        throw Interrupted(signal: signal, step: loop.position.step, run: folder.path)
    }

    /// Runs a loop; what fails outside of it is told with the way to go on.
    ///
    /// Data that cannot be read stop a loop between two steps: what was done until then is saved.
    func run<Result>(_ loop: some CheckpointedLoop, _ body: () throws -> Result) throws -> Result {
        do {
            do {
                do {
                    return try body()
                } catch let failure as RankSync.Failure {
                    // All ranks are here: none may end the others before all is saved.
                    try save(loop)
                    RankSync.wait()
                    throw failure.error
                }
            } catch let error as DataError {
                try save(loop)
                throw RunError(
                    RunError.Reason(error.kind), path: error.file,
                    "\(error.problem); step \(loop.position.step) is saved", advice: .mendAndResume(run: folder.path))
            }
        } catch  where isUnwritable(error) {
            throw RunError(.cannotWrite, line: "\(error); \(standing)", advice: .mendAndResume(run: folder.path))
        }
    }

    private func isUnwritable(_ error: any Error) -> Bool {
        switch error {
        case let error as FileError: error.kind == .unwritable
        case let error as RunError: error.reason == .cannotWrite && error.advice == nil
        default: error is EventFileError
        }
    }

    /// What there is to go on from.
    var standing: String {
        savedStep.map { "the checkpoint of step \($0) is whole" } ?? "there is no checkpoint yet"
    }
}

extension RunError.Reason {
    /// The kind of a fault in the data.
    fileprivate init(_ kind: DataError.Kind) {
        self =
            switch kind {
            case .missing: .missing
            case .invalid: .damaged
            case .unwritable: .cannotWrite
            }
    }
}
