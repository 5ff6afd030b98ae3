import Dispatch
import Experiments
import Foundation
import Torch

/// Connects the system's signals to a run: the first SIGINT or SIGTERM asks it to stop, a second ends it at once.
///
/// SIGUSR1 asks for a checkpoint. Holds for as long as the object lives.
final class SignalHandlers {
    private var sources: [any DispatchSourceSignal] = []

    init(_ interruption: Interruption) {
        let queue = DispatchQueue(label: "signals")
        for number in [SIGINT, SIGTERM] {
            handle(number, on: queue) {
                guard interruption.requestStop(signal: number) else { _exit(128 + number) }
                guard ProcessGroup.isLeader else { return }
                standardError("\nstopping after this step; once more to stop at once\n")
            }
        }
        handle(SIGUSR1, on: queue) { interruption.requestCheckpoint() }
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
