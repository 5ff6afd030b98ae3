import Configurations
import Synchronization
import Torch

/// A wish from outside that a loop looks at after each step: stop, or write a checkpoint now.
///
/// The library installs no signal handlers: a program connects its signals to this.
public final class Interruption: Sendable {
    private let stopSignal = Atomic<Int32>(0)
    private let checkpoint = Atomic<Bool>(false)

    /// Nothing asked for yet.
    public init() {}

    /// The signal that asked the run to stop; nil while it may go on.
    public var signal: Int32? {
        let number = stopSignal.load(ordering: .acquiring)
        return number == 0 ? nil : number
    }

    /// Asks the run to finish its step, write a checkpoint and stop.
    ///
    /// - Parameter signal: The signal that asks.
    /// - Returns: False where it was asked before.
    @discardableResult
    public func requestStop(signal: Int32) -> Bool {
        stopSignal.compareExchange(expected: 0, desired: signal, ordering: .acquiringAndReleasing).exchanged
    }

    /// Asks for a checkpoint at the end of the step.
    public func requestCheckpoint() {
        checkpoint.store(true, ordering: .releasing)
    }

    /// Whether a checkpoint was asked for since the last call.
    public func takeCheckpointRequest() -> Bool {
        checkpoint.exchange(false, ordering: .acquiringAndReleasing)
    }
}

/// A run that stopped because it was asked to; what it did is in its last checkpoint.
public struct Interrupted: AdvisedError, Equatable {
    /// The signal that asked: SIGINT or SIGTERM.
    public let signal: Int32
    /// How to go on; nil where there is nothing to go on with, or the line says it.
    public let advice: Advice?
    private let place: String

    private init(signal: Int32, _ place: String, advice: Advice? = nil) {
        self.signal = signal
        self.place = place
        self.advice = advice
    }

    /// A run in a folder, stopped after a step.
    public init(signal: Int32, step: Int, run: String) {
        self.init(signal: signal, "stopped after step \(step)", advice: .resume(run: run))
    }

    /// Work on so many things, stopped between two of them.
    package init(signal: Int32, done: Int, of total: Int, units: String) {
        self.init(signal: signal, "stopped after \(done) of \(total) \(units)")
    }

    /// A demo, stopped after its training.
    package init(signal: Int32, demo: String) {
        self.init(signal: signal, "stopped", advice: .repeatDemo(output: demo))
    }

    /// A run of all stages, stopped in one of them.
    package init(signal: Int32, automaticRun folder: String) {
        self.init(signal: signal, "stopped", advice: .resumeAutomaticRun(output: folder))
    }

    /// A comparison, stopped within a run or after it.
    package init(signal: Int32, comparison: String) {
        self.init(
            signal: signal,
            "stopped; go on with the same command: what is finished in \(comparison) is not repeated")
    }

    /// A search by training candidates, stopped within a training or between two.
    package init(signal: Int32, candidatesOf search: String) {
        self.init(signal: signal, "stopped", advice: .resume(run: search))
    }

    /// The whole line, with the advice as it is to stand there.
    public func line(_ words: (Advice) -> String) -> String { place + (advice.map { "; " + words($0) } ?? "") }
}

/// Removes what is half written, before the process ends at once.
package func discardUnfinished() {
    AtomicFile.discardAll()
    ScratchFolder.removeAll()
}
