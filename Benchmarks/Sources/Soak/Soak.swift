import Configurations
import Experiments
import Foundation
import Runs
import Segmentation
import Synchronization

/// Whether memory grows in a long run: resident bytes after 500 steps of a search, and of a training, against 50.
@main
struct Soak {
    /// Share by which memory may grow from the early step to the late one.
    static let allowed = 0.02

    static func main() throws {
        ProcessMemory.boundThreadCaches()
        let folder = NSTemporaryDirectory() + "/autodeeplab-soak-\(ProcessInfo.processInfo.processIdentifier)"
        let grows = try measure(folder)
        try FileManager.default.removeItem(atPath: folder)
        if grows { exit(1) }
    }

    /// Runs both in a folder and tells whether either grows.
    private static func measure(_ folder: String) throws -> Bool {
        try DemoScenes(width: 96, height: 64, train: 60, val: 4, test: 0).write(to: folder + "/data")
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "search.epochs=40", "search.architectureFrom=0", "train.iterations=520", "search.crop=[65, 65]",
                "train.crop=[65, 65]", "data.cacheMegabytes=4", "checkpoint.every=20 steps",
            ])
        configuration.data.root = folder + "/data"

        let search = MemoryReporter()
        let genotype = try Search(
            configuration, folder: RunFolder(at: folder + "/search", resume: false), reporter: search,
            interruption: Interruption()
        ).run()
        let training = MemoryReporter()
        try Training(
            genotype, configuration, folder: RunFolder(at: folder + "/train", resume: false), reporter: training,
            interruption: Interruption()
        ).run()

        var grows = false
        for (name, reporter) in [("search", search), ("training", training)] {
            guard let (early, late) = reporter.measured else {
                print("\(name): fewer than \(MemoryReporter.late) steps, nothing measured")
                grows = true
                continue
            }
            let growth = Double(late) / Double(early) - 1
            grows = grows || growth > allowed
            print(
                name.padding(toLength: 10, withPad: " ", startingAt: 0)
                    + String(
                        format: "%.1f MiB after %d steps, %.1f MiB after %d: %+.2f%% (allowed: %.0f%%)",
                        Double(early) / 0x1p20, MemoryReporter.early, Double(late) / 0x1p20, MemoryReporter.late,
                        100 * growth, 100 * allowed))
        }
        return grows
    }
}

/// Notes the resident memory after two numbers of steps.
private final class MemoryReporter: ProgressReporter {
    static let early = 50
    static let late = 500
    private let memory = Mutex<[Int: Int]>([:])

    /// Resident bytes at the two; nil where the run was shorter.
    var measured: (early: Int, late: Int)? {
        memory.withLock { memory in
            guard let early = memory[Self.early], let late = memory[Self.late] else { return nil }
            return (early, late)
        }
    }

    func report(_ event: ProgressEvent) {
        guard case .advanced(let advance) = event, [Self.early, Self.late].contains(advance.completed) else { return }
        memory.withLock { $0[advance.completed] = ProcessMemory.resident }
    }
}
