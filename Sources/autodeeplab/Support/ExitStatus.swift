import ArgumentParser
import Configurations
import Experiments
import Export
import Foundation
import Images
import Reporting
import Runs
import SearchSpace
import Torch

/// How the program ends, as sysexits.h and shells have it.
enum ExitStatus: Int32 {
    case done = 0
    case usage = 64
    case badData = 65
    case missingInput = 66
    case internalFault = 70
    case cannotWrite = 73
    case groupLost = 75
    case hungUp = 129
    case interrupted = 130
    case terminated = 143

    /// The status for an error of any part of the package: the one place where they are told apart.
    init(for error: any Error) {
        self =
            switch error {
            case let error as ConfigurationError:
                error.isUsage ? .usage : error.reason == .unreadable ? .missingInput : .badData
            case let error as RunError: ExitStatus(for: error.reason)
            case let error as DataError: ExitStatus(for: error.kind)
            case let error as Interrupted: ExitStatus(rawValue: 128 + error.signal) ?? .interrupted
            case is UsageError: .usage
            case is GroupError: .groupLost
            case let error as FileError: ExitStatus(for: error.kind)
            case is EventFileError: .cannotWrite
            case is SearchSpaceError, is SafetensorsError, is TorchError, is ExportError: .badData
            default: .internalFault
            }
    }

    private init(for reason: RunError.Reason) {
        self =
            switch reason {
            case .notEmpty, .changed, .overwrites: .usage
            case .missing: .missingInput
            case .damaged, .diverged: .badData
            case .locked, .cannotWrite: .cannotWrite
            }
    }

    private init(for kind: FileError.Kind) {
        self =
            switch kind {
            case .missing: .missingInput
            case .damaged: .badData
            case .unwritable: .cannotWrite
            }
    }

    private init(for kind: DataError.Kind) {
        self =
            switch kind {
            case .missing: .missingInput
            case .invalid: .badData
            case .unwritable: .cannotWrite
            }
    }
}

/// Options that do not go together, found after parsing.
struct UsageError: Error, CustomStringConvertible {
    let description: String
}

/// Ends the program: help and versions go to standard output, an error is one line on standard error.
func leave(because error: any Error) -> Never {
    if let code = error as? ExitCode { StandardStreams.exit(code.rawValue) }
    if AutoDeepLab.exitCode(for: error) == .success {
        let text = AutoDeepLab.fullMessage(for: error)
        if !text.isEmpty { print(text) }
        StandardStreams.exit(ExitStatus.done.rawValue)
    }
    // What the argument parser throws knows its own words and is always about usage.
    let isUsage = AutoDeepLab.exitCode(for: error) == .validationFailure
    let message = isUsage ? AutoDeepLab.message(for: error) : message(of: error)
    let isQuiet = (error as? GroupError)?.isToldByOther ?? false
    if error is Interrupted || isQuiet {
        // All processes of a group stop at one step, each for itself.
        let isLeader = ProcessGroup.isLeader
        ProcessGroup.leave()
        if isLeader && !isQuiet { writeError(message) }
    } else if ProcessGroup.fail(message) {
        writeError(message)
    }
    RunFolder.removeScratch()
    exit(isUsage ? ExitStatus.usage.rawValue : ExitStatus(for: error).rawValue)
}

/// Lets a failure inside the engine end the program as any other error does.
///
/// - Parameter command: The command that runs, whose own options a message about memory names.
func reportEngineFailures(of command: (any ParsableCommand)? = nil) {
    let remedy = command.map { memoryRemedy(for: $0) } ?? "close other programs"
    Engine.onFailure { failure in
        if failure.isPeerLost {
            let line = "\(failure.reason); the others have stopped: go on with --resume"
            if ProcessGroup.fail(line), !isToldByFirstRank { writeError(line) }
            RunFolder.removeScratch()
            _exit(ExitStatus.groupLost.rawValue)
        }
        let advice = "memory ran out; \(remedy)"
        let what = "\(failure.operation): \(failure.reason)"
        let line = failure.isOutOfMemory ? "\(advice) (\(what))" : what
        if ProcessGroup.fail(line) { writeError(line) }
        _exit(ExitStatus.internalFault.rawValue)
    }
}

/// Whether rank 0 tells of a failure too: with the starter the store is gone, in which ranks agree on who tells.
private var isToldByFirstRank: Bool {
    Launcher.startedThis && !ProcessGroup.isLeader && StarterWatch.isStarterGone
}

/// What a user can change where memory runs out while a command works.
private func memoryRemedy(for command: any ParsableCommand) -> String {
    switch command {
    case is SearchCommand: "lower search.batch, search.crop or search.filters, or set search.recompute=cells"
    case is TrainCommand, is CompareCommand: "lower train.batch, train.crop or train.filters"
    case is DemoCommand: "lower --threads, or close other programs"
    case is PredictCommand: "go through images by smaller windows (--window 513), or give fewer --scales"
    case is EvaluateCommand:
        "go through images by smaller windows (--window 513, evaluate.window), or give fewer --scales"
    case is BenchCommand, is ExportCommand: "give a smaller --size"
    default: "close other programs"
    }
}
