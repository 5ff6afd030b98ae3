import Foundation
import Runs
import TestSupport
import Testing
import Torch

/// Checkpoints with numbers that no run has, under a digest that is right.
@Suite("Forged checkpoints", .serialized)
struct ForgedCheckpointTests {
    /// A value of the checkpoint's metadata, a key in it, and what must be said of it.
    static let numbers: [(value: String, key: String, number: Int, line: String)] = [
        ("position", "epoch", 1 << 62, "`position` says epoch 4611686018427387904, which no run has"),
        ("position", "epoch", -1, "`position` says epoch -1, which no run has"),
        ("position", "step", .max, "`position` says step 9223372036854775807, which no run has"),
        ("position", "step", -1, "`position` says step -1, which no run has"),
        ("position", "step", 1 << 40, "`totalSteps` is "),
        ("position", "lossCount", .max, "`position` says 9223372036854775807 losses in 3 steps, which no run has"),
        ("position", "skipped", .max, "`position` says 9223372036854775807 skipped steps of 3, which no run has"),
        ("position", "skippedArchitecture", .max, "skipped steps of the architecture, which no run has"),
        ("loader", "epoch", 1 << 62, " of epoch 4611686018427387904, where an epoch has"),
        ("loader", "epoch", -1, " of epoch -1, where an epoch has"),
        ("loader", "batch", .max, "batch 9223372036854775807 of epoch 0"),
    ]

    @Test("Numbers out of range are refused in one line", arguments: InstantRun.Stage.allCases)
    func outOfRange(stage: InstantRun.Stage) throws {
        let instant = try InstantRun(stage)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 3)) } != nil)
        let path = instant.checkpoint("run")
        let whole = try Checkpoint(at: path)
        for forged in Self.numbers {
            var checkpoint = whole
            let name = forged.value == "loader" && stage == .search ? "loaderB" : forged.value
            let text = try #require(whole.metadata[name])
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
            var values = try #require(object as? [String: Any])
            #expect(values[forged.key] != nil, "\(name).\(forged.key)")
            values[forged.key] = forged.number
            checkpoint.metadata[name] = String(
                decoding: try JSONSerialization.data(withJSONObject: values), as: UTF8.self)
            try checkpoint.write(to: path)
            let line = failure { try instant.run("run", resume: true) } ?? "went on"
            #expect(line.contains(forged.line) && !line.contains("\n"), "\(name).\(forged.key): \(line)")
        }
        try whole.write(to: path)
        try instant.run("run", resume: true)
    }

    @Test("A range of values that is none is refused")
    func range() throws {
        let instant = try InstantRun(.train)
        #expect(failure { try instant.run("run", watcher: Watcher(stopAfter: 1)) } != nil)
        var checkpoint = try Checkpoint(at: instant.checkpoint("run"))
        checkpoint.metadata["range"] = "{\"low\": \(Int.min), \"high\": \(Int.max)}"
        try checkpoint.write(to: instant.checkpoint("run"))
        let line = failure { try instant.run("run", resume: true) }
        #expect(line?.contains("no usable `range` in the checkpoint") == true, "\(line ?? "went on")")
    }
}
