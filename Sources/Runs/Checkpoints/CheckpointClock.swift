import Configurations
import Foundation

/// Says when the next checkpoint is due between the ends of epochs, after which there is always one.
package struct CheckpointClock {
    let interval: CheckpointInterval
    private var lastTime = ProcessInfo.processInfo.systemUptime

    package init(_ interval: CheckpointInterval) {
        self.interval = interval
    }

    /// Whether a checkpoint is due after so many steps; if so, the time to the next one starts.
    package mutating func isDue(after step: Int) -> Bool {
        switch interval {
        case .epoch: return false
        case .steps(let steps): return step % steps == 0
        case .minutes(let minutes):
            let now = ProcessInfo.processInfo.systemUptime
            guard now - lastTime >= minutes * 60 else { return false }
            lastTime = now
            return true
        }
    }
}
