import Foundation
import Torch

/// What was found on a device.
struct Findings: Codable {
    /// What a step did that found no room.
    struct Memory: Codable {
        var status: Int
        /// Lines of standard error: there is to be one.
        var lines: [String]
        var isRight: Bool
    }

    var device: String
    var libtorch = Engine.version
    var date = Date().formatted(.iso8601)
    var agreement: [Difference] = []
    var resuming: Resuming?
    var memory: Memory?
    var nccl: String?
    var timings: [Timing] = []

    init(device: Device) { self.device = device.description }

    /// Whether all that was checked is as it should be.
    var isRight: Bool {
        agreement.allSatisfy(\.isAllowed) && resuming?.isAllowed != false && memory?.isRight != false
            && nccl?.hasPrefix("error") != true
    }

    /// For people.
    var table: String {
        func verdict(_ isRight: Bool) -> String { isRight ? "ok" : "WRONG" }
        func padded(_ text: String, _ width: Int) -> String {
            text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        var lines = ["\(device), libtorch \(libtorch), against the processor in float32"]
        for row in agreement {
            lines.append(
                padded(row.name, 40)
                    + String(
                        format: "%@  scores %.1e (%.0e), loss %.1e (%.0e), gradients %.1e (%.0e), worst %.1e (%@)",
                        verdict(row.isAllowed) + (row.isTelling ? "" : " by its loss alone"), row.scores,
                        row.allowed[0], row.loss, row.allowed[1], row.gradients,
                        row.allowed[2], row.worst, row.worstName))
        }
        if let resuming {
            lines.append(
                padded("stopped and resumed", 40)
                    + String(
                        format: "%@  %d losses, %.1e apart", verdict(resuming.isAllowed), resuming.losses.count,
                        resuming.difference))
        }
        if let memory {
            lines.append(
                padded("out of memory", 40) + "\(verdict(memory.isRight))  \(memory.lines.first ?? "nothing said")")
        }
        if let nccl { lines.append(padded("NCCL", 40) + "\(verdict(!nccl.hasPrefix("error")))  \(nccl)") }
        for row in timings {
            lines.append(
                padded("\(row.name), \(row.precision)", 40)
                    + String(
                        format: "%4d x %-4d batch %-5d %9.4f s (%.4f to %.4f) %9.1f GMAC/s%@", row.size, row.size,
                        row.batch, row.median, row.least, row.most, row.rate, row.isLargest ? "  largest" : ""))
        }
        return lines.joined(separator: "\n")
    }
}
