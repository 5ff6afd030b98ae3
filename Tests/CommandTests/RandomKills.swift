import Foundation
import Segmentation
import TestSupport

/// Runs that are killed at random moments, one to three times each, and then brought to their end.
struct RandomKills {
    /// How many kills there are to be at least.
    let count: Int
    /// Seconds of a run that nothing kills.
    let duration: Double
    let seed: UInt64

    /// - Parameters:
    ///   - start: Begins or goes on with the run of a number.
    ///   - killed: Called after each kill.
    ///   - finish: Brings the run to its end, and looks at what came out after so many kills.
    /// - Returns: How many kills and runs there were.
    /// - Throws: An error of what is called.
    func run(
        start: (_ run: Int) throws -> StartedCommand, killed: () -> Void = {},
        finish: (_ run: Int, _ kills: Int) throws -> Void
    ) throws -> (kills: Int, runs: Int) {
        var random = RandomStream(seed: seed)
        var (kills, runs) = (0, 0)
        while kills < count {
            runs += 1
            for _ in 0...random.below(3) {
                let started = try start(runs)
                usleep(UInt32(duration * 1e6 * Double(random.below(1_000)) / 1_000))
                _ = try started.end(by: SIGKILL)
                if started.process.terminationReason == .exit { break }
                kills += 1
                killed()
            }
            try finish(runs, kills)
        }
        return (kills, runs)
    }
}
