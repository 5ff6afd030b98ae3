import Experiments
import Foundation
import Runs

/// One of several runs in a folder, done by whichever process locks it first.
protocol SharedRun {
    /// The name of its folder.
    var name: String { get }
    /// Whether nothing is left to do.
    var isFinished: Bool { get }

    /// Does what is missing.
    ///
    /// - Throws: `RunError` with reason `locked` where another process is at work on it.
    func complete(reporter: any ProgressReporter, interruption: Interruption) throws
}

/// Does the runs that are not finished.
///
/// One that fails is reported, and the rest go on; one that another process works on
/// is left to it until nothing else is to be done.
///
/// - Parameters:
///   - runs: The runs.
///   - output: The folder that they lie in.
///   - reporter: Who shows the progress.
///   - interruption: Asks to stop.
///   - ended: Called after each run that was done here, with what made it fail.
/// - Throws: `Interrupted` after a checkpoint if asked to stop; what `ended` throws.
func complete<Run: SharedRun>(
    _ runs: [Run], in output: String, reporter: any ProgressReporter, interruption: Interruption,
    ended: (Run, (any Error)?) throws -> Void
) throws {
    var pending = runs
    var isWaiting = false
    while !pending.isEmpty {
        var held: [Run] = []
        for run in pending where !run.isFinished {
            if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: output) }
            var failure: (any Error)?
            do {
                try run.complete(reporter: reporter, interruption: interruption)
            } catch let error as RunError where error.reason == .locked {
                held.append(run)
                continue
            } catch let error as Interrupted {
                throw Interrupted(signal: error.signal, comparison: output)
            } catch {
                reporter.report(.warning("\(run.name): \(error)"))
                failure = error
            }
            try ended(run, failure)
        }
        if !held.isEmpty, held.count == pending.count {
            let names = held.map(\.name).joined(separator: ", ")
            if !isWaiting { reporter.report(.note("waiting for another process: \(names)")) }
            isWaiting = true
            Thread.sleep(forTimeInterval: 1)
        }
        pending = held
    }
}
