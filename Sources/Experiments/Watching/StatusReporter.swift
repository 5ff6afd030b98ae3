import Foundation
import Runs
import Synchronization
import Torch

/// Hands events on, and keeps status.json of a run's folder no older than about a second.
///
/// The file is for those who watch; a run does not need it, so that it cannot be written stops nothing.
final class StatusReporter: ProgressReporter {
    private struct State {
        var stage = ""
        var unit = ""
        var total = 0
        var meter = RateMeter()
        var lastWritten = -Double.infinity
    }

    private let next: any ProgressReporter
    private let paths: RunPaths
    private let state = Mutex(State())

    init(_ next: any ProgressReporter, folder: RunFolder) {
        self.next = next
        paths = folder.paths
    }

    func report(_ event: ProgressEvent) {
        next.report(event)
        state.withLock { state in
            switch event {
            case .began(let stage, let unit, let total): state = State(stage: stage, unit: unit, total: total)
            case .advanced(let advance):
                let seconds = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
                state.meter.record(completed: advance.completed, seconds: seconds)
                guard seconds - state.lastWritten >= 1 || advance.completed >= state.total else { return }
                state.lastWritten = seconds
                let status = RunStatus(
                    stage: state.stage, unit: state.unit, total: state.total, advance: advance, meter: state.meter)
                // Renamed, but not waited for: after a crash an old status or none is as good.
                guard let text = try? JSONEncoder().encode(status) else { return }
                try? AtomicFile.write(text, to: paths.status, below: paths.folder, waitsForDisk: false)
            case .ended, .note, .warning: break
            }
        }
    }
}
