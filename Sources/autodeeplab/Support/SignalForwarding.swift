import Dispatch
import Foundation
import Synchronization

/// Hands SIGINT, SIGTERM and SIGUSR1 on to processes that this one has started, for as long as the object lives.
///
/// `sources` change in `init` and `deinit` alone; the rest is behind a lock.
final class SignalForwarding: @unchecked Sendable {
    private struct State {
        var processes: Set<Int32> = []
        var stopSignal: Int32?
    }

    private let state = Mutex(State())
    private var sources: [any DispatchSourceSignal] = []
    private var starter: StarterWatch?

    init() {
        let queue = DispatchQueue(label: "signals")
        for number in [SIGINT, SIGTERM, SIGUSR1] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [weak self] in self?.handOn(number) }
            source.resume()
            sources.append(source)
        }
        starter = StarterWatch(on: queue) { [weak self] in self?.handOn(SIGTERM) }
    }

    deinit { for source in sources { source.cancel() } }

    /// The signal that asked this process to stop, if one did.
    var stopSignal: Int32? { state.withLock { $0.stopSignal } }

    /// Starts a process that signals are handed on to, from now on until it is waited for.
    func start(_ process: Process) throws {
        try process.run()
        let number = process.processIdentifier
        let missed = state.withLock { state in
            state.processes.insert(number)
            return state.stopSignal
        }
        if let missed { kill(number, missed) }
    }

    /// Waits for the process's end.
    func wait(for process: Process) {
        process.waitUntilExit()
        state.withLock { _ = $0.processes.remove(process.processIdentifier) }
    }

    private func handOn(_ number: Int32) {
        let processes = state.withLock { state in
            if number != SIGUSR1 { state.stopSignal = number }
            return state.processes
        }
        // A terminal tells those of its own process group by itself.
        for process in processes where number != SIGINT || getpgid(process) != getpgrp() { kill(process, number) }
    }
}
