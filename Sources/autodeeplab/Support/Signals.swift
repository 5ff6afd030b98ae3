import Dispatch
import Foundation
import Runs
import Torch

/// Connects the system's signals to a run: the first SIGINT, SIGTERM or SIGHUP asks it to stop, a second ends it at once.
///
/// SIGUSR1 asks for a checkpoint. Holds for as long as the object lives.
final class SignalHandlers {
    private var sources: [any DispatchSourceSignal] = []
    private var starter: StarterWatch?

    /// Connects them to work that goes on from one unit to the next, as steps or images.
    init(_ interruption: Interruption, unit: String = "step") {
        let queue = DispatchQueue(label: "signals")
        for number in stopSignals {
            handle(number, on: queue) {
                guard interruption.requestStop(signal: number) else {
                    discardUnfinished()
                    _exit(128 + number)
                }
                guard ProcessGroup.isLeader else { return }
                standardError("\nstopping after this \(unit); once more to stop at once\n")
            }
        }
        handle(SIGUSR1, on: queue) { interruption.requestCheckpoint() }
        // A group notices by itself that its starter is gone.
        if Launcher.startedThis { return }
        starter = StarterWatch(on: queue) { _ = interruption.requestStop(signal: SIGTERM) }
    }

    /// Ends the program at the first signal, and leaves nothing half written: for what has no steps.
    init() {
        let queue = DispatchQueue(label: "signals")
        for number in stopSignals {
            handle(number, on: queue) {
                discardUnfinished()
                writeError("stopped; nothing half written is left")
                _exit(128 + number)
            }
        }
    }

    /// A hang-up that is ignored, as by `nohup`, stays so.
    private var stopSignals: [Int32] {
        var former = sigaction()
        sigaction(SIGHUP, nil, &former)
        #if canImport(Darwin)
            let handler = former.__sigaction_u.__sa_handler
        #else
            let handler = former.__sigaction_handler.sa_handler
        #endif
        let isIgnored = unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        return [SIGINT, SIGTERM] + (isIgnored ? [] : [SIGHUP])
    }

    deinit {
        for source in sources { source.cancel() }
    }

    private func handle(_ number: Int32, on queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
        // The default action would end the process before the source sees the signal.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: body)
        source.resume()
        sources.append(source)
    }
}
