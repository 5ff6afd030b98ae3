import Configurations
import Experiments
import Foundation
import Runs
import Synchronization

/// Whether a search that was stopped goes on as one that was not.
struct Resuming: Codable {
    /// Losses of the steps without a stop, and with one.
    var losses: [Double]
    var resumed: [Double]
    /// The largest relative difference of two losses of a step.
    var difference: Double
    /// Sums on a GPU have no fixed order, and each step's differences grow in the next ones.
    var allowed = 0.02

    var isAllowed: Bool { losses.count > Resuming.stop && difference <= allowed }

    /// The step after which it is stopped.
    private static let stop = 3

    init(scenes: String, folder: String, device: DeviceChoice) throws {
        var configuration = try Configuration.resolve(
            preset: "instant", overrides: ["search.epochs=4", "search.architectureFrom=0", "threads=1"])
        configuration.data.root = scenes
        configuration.device = device
        func search(_ name: String, resume: Bool, stop: Int?) throws -> [Int: Double] {
            let interruption = Interruption()
            let reporter = LossReporter(stop: stop, interruption)
            do {
                _ = try Search(
                    configuration, folder: RunFolder(at: folder + "/" + name, resume: resume), reporter: reporter,
                    interruption: interruption
                ).run()
            } catch is Interrupted {}
            return reporter.losses
        }
        let whole = try search("whole", resume: false, stop: nil)
        var parts = try search("parts", resume: false, stop: Resuming.stop)
        parts.merge(try search("parts", resume: true, stop: nil)) { first, _ in first }
        losses = whole.keys.sorted().compactMap { whole[$0] }
        resumed = parts.keys.sorted().compactMap { parts[$0] }
        difference =
            losses.count == resumed.count
            ? zip(losses, resumed).map { abs($0 - $1) / abs($0) }.max() ?? .infinity : .infinity
    }
}

/// Keeps the loss of each step, and asks for a stop after one of them.
private final class LossReporter: ProgressReporter {
    private let kept = Mutex<[Int: Double]>([:])
    private let stop: Int?
    private let interruption: Interruption

    init(stop: Int?, _ interruption: Interruption) {
        self.stop = stop
        self.interruption = interruption
    }

    var losses: [Int: Double] { kept.withLock { $0 } }

    func report(_ event: ProgressEvent) {
        guard case .advanced(let advance) = event, let loss = advance.values.first(where: { $0.name == "loss" })
        else { return }
        kept.withLock { $0[advance.completed] = loss.value }
        if advance.completed == stop { _ = interruption.requestStop(signal: SIGINT) }
    }
}
