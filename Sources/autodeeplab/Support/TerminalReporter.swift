import Experiments
import Foundation
import Runs
import Synchronization

/// Shows a run's progress on standard error: one live line on a terminal, plain lines elsewhere.
final class TerminalReporter: ProgressReporter {
    private struct State {
        var stage = ""
        var unit = ""
        var total = 0
        var meter = RateMeter()
        var lastShown = -Double.infinity
        var isLineOpen = false
    }

    private let isTerminal: Bool
    private let isQuiet: Bool
    private let isVerbose: Bool
    private let state = Mutex(State())

    /// A reporter that shows warnings only where it is to be quiet, and every step's line where it is to be verbose.
    init(isQuiet: Bool, isVerbose: Bool = false) {
        self.isQuiet = isQuiet
        self.isVerbose = isVerbose
        isTerminal = isatty(STDERR_FILENO) == 1 && !isVerbose
    }

    func report(_ event: ProgressEvent) {
        state.withLock { state in
            switch event {
            case .began(let stage, let unit, let total):
                state = State(stage: stage, unit: unit, total: total)
            case .advanced(let advance):
                show(advance, &state)
            case .ended:
                closeLine(&state)
            case .note(let line):
                guard !isQuiet else { return }
                closeLine(&state)
                standardError(oneLine(line) + "\n")
            case .warning(let line):
                closeLine(&state)
                standardError("warning: \(oneLine(line))\n")
            }
        }
    }

    private func show(_ advance: Advance, _ state: inout State) {
        let seconds = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        state.meter.record(completed: advance.completed, seconds: seconds)
        let isLast = advance.completed >= state.total
        guard !isQuiet, isLast || isVerbose || seconds - state.lastShown >= (isTerminal ? 0.1 : 10) else { return }
        state.lastShown = seconds
        let line = RunStatus(
            stage: state.stage, unit: state.unit, total: state.total, advance: advance, meter: state.meter
        ).line.replacing("\n", with: " ")
        if isTerminal {
            // The cursor goes back to the start of the line, which is cleared.
            _ = StandardStreams.write("\r\u{1B}[K", to: STDERR_FILENO)
            standardError(String(printable(line).prefix(terminalSize(of: STDERR_FILENO).columns - 1)))
        } else {
            standardError(line + "\n")
        }
        state.isLineOpen = isTerminal
    }

    private func closeLine(_ state: inout State) {
        if state.isLineOpen { standardError("\n") }
        state.isLineOpen = false
    }
}
