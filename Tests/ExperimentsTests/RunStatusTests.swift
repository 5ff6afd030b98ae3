import Experiments
import Foundation
import Runs
import SearchSpace
import TestSupport
import Testing

@Suite("The live line")
struct RunStatusTests {
    @Test("A path is a small curve, low where the resolution is fine")
    func curve() {
        #expect(sparkline([.s4, .s8, .s16, .s32, .s16]) == "▁▃▅▇▅")
        #expect(sparkline([]).isEmpty)
    }

    @Test("The line has epoch, step, path, values, rate, time left and memory, and comes back from its file")
    func line() throws {
        var meter = RateMeter()
        meter.record(completed: 0, seconds: 0)
        meter.record(completed: 10, seconds: 5)
        let advance = Advance(
            completed: 10, position: "epoch 1/4", values: [.init("loss", 1.25), .init("mIOU", 0.5)],
            path: [.s4, .s8])
        var status = RunStatus(stage: "search", unit: "step", total: 40, advance: advance, meter: meter)
        status.memory = 3 << 29
        #expect(
            status.line
                == "search 25%  epoch 1/4  10/40 step  ▁▃  loss 1.25  mIOU 0.5  2.0/s  15 s left  1.5 GiB")
        #expect(try JSONDecoder().decode(RunStatus.self, from: JSONEncoder().encode(status)) == status)
    }

    @Test(
        "Durations for people", arguments: [(42.4, "42 s"), (187, "3:07 min"), (8_100, "2:15 h"), (270_000, "3 d 3 h")])
    func durations(seconds: Double, text: String) {
        #expect(duration(seconds) == text)
    }

    @Test("A folder without a run is named")
    func noRun() throws {
        let folder = try TemporaryFolder()
        #expect(throws: RunError.self) { try LiveRun(folder: folder.path) }
        #expect(throws: RunError.self) { try writeReport(ofRun: folder.path) }
    }
}
