import Foundation
import Runs
import Synchronization
import Torch

/// How long a run has taken, part by part, in all the processes that worked on it: times.json.
///
/// What a killed process did is counted up to a few seconds before its end.
package final class TimeAccount: Sendable {
    /// The parts of a run.
    package enum Part: String, CaseIterable, Sendable {
        case planning, folds, searching, choosing, training, measuring

        /// In words.
        var text: String {
            switch self {
            case .planning: "looking at the data and planning"
            case .folds: "cross-validation"
            case .searching: "gradient-based search"
            case .choosing: "choosing among networks"
            case .training: "training"
            case .measuring: "measuring, export, report"
            }
        }
    }

    private struct State {
        var seconds: [String: Double] = [:]
        var part = Part.planning
        var last = 0.0
        var lastWritten = 0.0
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double
    private let folder: String
    private var path: String { TimeAccount.file(in: folder) }

    static func file(in folder: String) -> String { folder + "/times.json" }

    /// Goes on with the account in a folder, or begins one.
    ///
    /// - Parameters:
    ///   - folder: The run's folder.
    ///   - clock: Seconds that go by steadily.
    package init(folder: String, clock: @escaping @Sendable () -> Double) {
        self.folder = folder
        self.clock = clock
        var state = State()
        state.last = clock()
        let stored = (try? boundedContents(of: TimeAccount.file(in: folder), limit: 1 << 16))
            .flatMap { try? JSONDecoder().decode([String: Double].self, from: $0) }
        for part in Part.allCases {
            if let seconds = stored?[part.rawValue], (0...1e9).contains(seconds) {
                state.seconds[part.rawValue] = seconds
            }
        }
        self.state = Mutex(state)
    }

    /// A steady clock: seconds since the machine began.
    static let uptime: @Sendable () -> Double = { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

    /// Counts what follows to a part.
    package func begin(_ part: Part) {
        update(isForced: true) { $0.part = part }
    }

    /// Writes what has gone by.
    package func save() {
        update(isForced: true) { _ in }
    }

    /// Seconds of a part so far.
    package func seconds(_ part: Part) -> Double {
        update(isForced: false) { _ in }
        return state.withLock { $0.seconds[part.rawValue] ?? 0 }
    }

    /// Seconds of all parts so far.
    package var total: Double { Part.allCases.reduce(0) { $0 + seconds($1) } }

    /// Notes the time; writes it every few seconds.
    private func update(isForced: Bool, _ change: (inout State) -> Void) {
        let text: Data? = state.withLock { state in
            let now = clock()
            state.seconds[state.part.rawValue, default: 0] += max(0, now - state.last)
            state.last = now
            change(&state)
            guard isForced || now - state.lastWritten > 5 else { return nil }
            state.lastWritten = now
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return try? encoder.encode(state.seconds)
        }
        // An account that cannot be written is no reason to end a run.
        if let text { try? AtomicFile.write(text, to: path, below: folder, waitsForDisk: false) }
    }

    /// A reporter that keeps the account up to date by what goes on.
    package func reporter(_ next: any ProgressReporter) -> any ProgressReporter { Reporter(account: self, next: next) }

    private struct Reporter: ProgressReporter {
        let account: TimeAccount
        let next: any ProgressReporter

        func report(_ event: ProgressEvent) {
            if case .advanced = event { account.update(isForced: false) { _ in } }
            next.report(event)
        }
    }
}
