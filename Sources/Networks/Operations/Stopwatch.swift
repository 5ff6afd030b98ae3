import Foundation
import Torch

/// Takes the time of what a device does.
package struct Stopwatch {
    private let device: Device
    private let isAlone: Bool

    /// For work of so many threads on a device.
    package init(device: Device, threads: Int) {
        self.device = device
        // Of a single thread the processor's time is known, which does not grow while other programs run in its place.
        isAlone = device.kind == .cpu && threads == 1
    }

    /// Milliseconds of the work.
    package func milliseconds(of body: () -> Tensor) -> Double {
        let start = now
        let result = body()
        // Reading a value waits for a device that computes by itself.
        if device.kind != .cpu { _ = result.reshape([-1]).select(0, 0).item() }
        return Double(now - start) / 1e6
    }

    private var now: UInt64 {
        var time = timespec()
        clock_gettime(isAlone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// The time that a quarter of some are below: what disturbs a machine only ever makes it slower.
    package static func typical(_ times: [Double]) -> Double { times.sorted()[times.count / 4] }
}
