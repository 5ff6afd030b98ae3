import Foundation
import Runs
import Testing

@Suite("Progress")
struct ProgressTests {
    @Test("Rate and time left, by hand")
    func rate() {
        var meter = RateMeter(window: 10)
        #expect(meter.rate == nil && meter.secondsLeft(total: 10) == nil)
        meter.record(completed: 0, seconds: 100)
        #expect(meter.rate == nil)
        meter.record(completed: 4, seconds: 102)
        #expect(meter.rate == 2)
        #expect(meter.secondsLeft(total: 24) == 10)
        #expect(meter.secondsLeft(total: 3) == 0)
    }

    @Test("Only the last seconds count, and many quick units cost no memory")
    func window() {
        var meter = RateMeter(window: 10)
        for unit in 0...100 { meter.record(completed: unit, seconds: Double(unit)) }
        for unit in 1...100_000 { meter.record(completed: 100 + unit, seconds: 100 + Double(unit) / 1_000) }
        #expect(abs((meter.rate ?? 0) - 1_000) < 1)
    }

    @Test("The first signal counts; a checkpoint is taken once")
    func interruption() {
        let interruption = Interruption()
        #expect(interruption.signal == nil)
        #expect(interruption.requestStop(signal: SIGTERM))
        #expect(!interruption.requestStop(signal: SIGINT))
        #expect(interruption.signal == SIGTERM)
        #expect(!interruption.takeCheckpointRequest())
        interruption.requestCheckpoint()
        #expect(interruption.takeCheckpointRequest() && !interruption.takeCheckpointRequest())
        #expect(
            Interrupted(signal: SIGINT, step: 12, run: "runs/a").description
                == "stopped after step 12; resume the run in runs/a")
    }

    @Test("Memory is told, and the peak is not below the present")
    func memory() {
        #expect(ProcessMemory.resident > 1_000_000)
        #expect(ProcessMemory.peak >= ProcessMemory.resident / 2)
    }
}
