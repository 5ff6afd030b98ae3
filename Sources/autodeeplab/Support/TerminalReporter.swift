import Experiments
import Foundation
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
    private let state = Mutex(State())

    /// A reporter that shows warnings only where it is to be quiet.
    init(isQuiet: Bool) {
        self.isQuiet = isQuiet
        isTerminal = isatty(STDERR_FILENO) == 1
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
                standardError(line + "\n")
            case .warning(let line):
                closeLine(&state)
                standardError("warning: \(line)\n")
            }
        }
    }

    private func show(_ advance: Advance, _ state: inout State) {
        let seconds = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        state.meter.record(completed: advance.completed, seconds: seconds)
        let isLast = advance.completed >= state.total
        guard !isQuiet, isLast || seconds - state.lastShown >= (isTerminal ? 0.1 : 10) else { return }
        state.lastShown = seconds
        let line = line(advance, state)
        standardError(isTerminal ? "\r\u{1B}[K\(line.prefix(terminalWidth() - 1))" : "\(line)\n")
        state.isLineOpen = isTerminal
    }

    private func line(_ advance: Advance, _ state: State) -> String {
        let percent = state.total > 0 ? 100 * advance.completed / state.total : 100
        var parts = ["\(state.stage) \(percent)%"]
        if !advance.position.isEmpty { parts.append(advance.position) }
        parts.append("\(advance.completed)/\(state.total) \(state.unit)")
        if let rate = state.meter.rate {
            parts.append(rate >= 1 ? "\(fixed(rate, digits: 1))/s" : "\(fixed(1 / rate, digits: 1)) s each")
        }
        if let left = state.meter.secondsLeft(total: state.total) { parts.append("\(duration(left)) left") }
        parts.append(bytes(ProcessMemory.resident))
        parts += advance.values.map { "\($0.name) \(String(format: "%.4g", $0.value))" }
        return parts.joined(separator: "  ")
    }

    private func closeLine(_ state: inout State) {
        if state.isLineOpen { standardError("\n") }
        state.isLineOpen = false
    }

    private func terminalWidth() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }
}

/// A duration for people: 42 s, 3:07 min, 2:15 h, 3 d 4 h.
func duration(_ seconds: Double) -> String {
    let whole = Int(min(max(0, seconds.rounded()), 1e12))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return "\(whole / 60):\(two(whole % 60)) min"
    case ..<86_400: return "\(whole / 3_600):\(two(whole / 60 % 60)) h"
    default: return "\(whole / 86_400) d \(whole / 3_600 % 24) h"
    }
}
