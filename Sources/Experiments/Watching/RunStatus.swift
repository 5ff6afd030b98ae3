import Foundation
import Runs
import SearchSpace

/// How far a stage is, as one line shows it: a run's status.json, and the live line on a terminal.
package struct RunStatus: Codable, Equatable, Sendable {
    /// The stage: "search".
    package var stage: String
    /// What is counted: "step".
    package var unit: String
    /// Units in all.
    package var total: Int
    /// Units done.
    package var completed: Int
    /// Where in the stage this is: "epoch 3/40".
    package var position: String
    /// What was measured last.
    package var values: [Advance.Measurement]
    /// The strides of a search's current path.
    package var path: [Stride]
    /// Units a second; nil until it is known.
    package var rate: Double?
    /// Seconds to the end of the stage; nil until they are known.
    package var secondsLeft: Double?
    /// Bytes of main memory that the process takes.
    package var memory: Int

    /// The status after an event.
    package init(stage: String, unit: String, total: Int, advance: Advance, meter: RateMeter) {
        self.stage = stage
        self.unit = unit
        self.total = total
        completed = advance.completed
        position = advance.position
        values = advance.values
        path = advance.path
        rate = meter.rate
        secondsLeft = meter.secondsLeft(total: total)
        memory = ProcessMemory.resident
    }

    /// The line: what was done and measured, how fast, how long still.
    package var line: String {
        // The file may be anybody's: its numbers need not go together.
        let percent = total > 0 ? Int(clamping: min(max(100 * Double(completed) / Double(total), 0), 100)) : 100
        var parts = ["\(stage) \(percent)%"]
        if !position.isEmpty { parts.append(position) }
        parts.append("\(completed)/\(total) \(unit)")
        if !path.isEmpty { parts.append(sparkline(path)) }
        parts += values.map { "\($0.name) \(String(format: "%.4g", $0.value))" }
        if let rate {
            parts.append(rate >= 1 ? String(format: "%.1f/s", rate) : String(format: "%.1f s each", 1 / rate))
        }
        if let secondsLeft { parts.append("\(duration(secondsLeft)) left") }
        parts.append(byteCount(memory))
        return parts.joined(separator: "  ")
    }
}

/// A path as a small curve, low where the resolution is fine: ▁▃▅▇ for strides 4, 8, 16, 32.
package func sparkline(_ path: [Stride]) -> String {
    String(path.map { Array("▁▃▅▇")[$0.level] })
}

/// A duration for people: 42 s, 3:07 min, 2:15 h, 3 d 4 h.
package func duration(_ seconds: Double) -> String {
    let whole = Int(clamping: min(max(0, seconds.rounded()), 1e12))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    switch whole {
    case ..<60: return "\(whole) s"
    case ..<3_600: return "\(whole / 60):\(two(whole % 60)) min"
    case ..<86_400: return "\(whole / 3_600):\(two(whole / 60 % 60)) h"
    default: return "\(whole / 86_400) d \(whole / 3_600 % 24) h"
    }
}

/// A number of bytes in binary units: 22.4 GiB.
package func byteCount(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1_024 && unit < units.count - 1 {
        value /= 1_024
        unit += 1
    }
    return unit == 0 ? "\(count) B" : String(format: "%.1f ", value) + units[unit]
}
