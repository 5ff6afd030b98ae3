import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Segmentation
import Synchronization
import TestSupport
import Testing

/// Keeps what a run reports, and asks it to stop or to save after a step.
final class Watcher: ProgressReporter {
    let interruption = Interruption()
    private let lines = Mutex<[String]>([])
    private let notes = Mutex<[String]>([])
    private let stopAfter: Int?
    private let saveAfter: Int?
    private let onStep: (@Sendable (Int) -> Void)?

    init(stopAfter: Int? = nil, saveAfter: Int? = nil, onStep: (@Sendable (Int) -> Void)? = nil) {
        self.stopAfter = stopAfter
        self.saveAfter = saveAfter
        self.onStep = onStep
    }

    var warnings: [String] { lines.withLock { $0 } }
    var noted: [String] { notes.withLock { $0 } }

    func report(_ event: ProgressEvent) {
        switch event {
        case .warning(let line): lines.withLock { $0.append(line) }
        case .note(let line): notes.withLock { $0.append(line) }
        case .advanced(let advance):
            onStep?(advance.completed)
            if advance.completed == stopAfter { interruption.requestStop(signal: SIGTERM) }
            if advance.completed == saveAfter { interruption.requestCheckpoint() }
        default: break
        }
    }
}

/// Stops what runs at every so many steps, each time at others, and has it go on until it is done.
///
/// - Parameters:
///   - steps: From one stop to the next.
///   - run: Runs, or goes on, with what is reported to and asks to stop.
/// - Returns: What it came to, and how often it was stopped.
/// - Throws: Any other error of the run; `StoppedTooOften` where 200 stops are not enough.
func stoppedOften<Result>(
    every steps: Int, _ run: (_ resume: Bool, _ reporter: Watcher, _ interruption: Interruption) throws -> Result
) throws -> (result: Result, stops: Int) {
    for stops in 0..<200 {
        let interruption = Interruption()
        let reporter = Watcher(onStep: { step in
            if step % steps == stops % steps { _ = interruption.requestStop(signal: SIGTERM) }
        })
        do {
            return (try run(stops > 0, reporter, interruption), stops)
        } catch is Interrupted {}
    }
    throw StoppedTooOften()
}

struct StoppedTooOften: Error {}

/// Searches and trainings of seconds on generated scenes: 10 steps of search, 20 of training.
struct InstantRun {
    let temporary: TemporaryFolder
    let stage: Stage

    enum Stage: String, CaseIterable { case search, train }

    init(_ stage: Stage) throws {
        self.stage = stage
        temporary = try TemporaryFolder()
        try DemoScenes(width: 48, height: 40, train: 20, val: 4, test: 0).write(to: data)
    }

    var data: String { temporary.file("data") }

    func folder(_ name: String) -> String { temporary.file(name) }

    func checkpoint(_ name: String, _ file: String = "last") -> String {
        folder(name) + "/checkpoints/\(file).safetensors"
    }

    func configuration(_ settings: [String] = []) throws -> Configuration {
        var result = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "data.cacheMegabytes=0", "search.layers=2", "search.blocks=1", "search.validationImages=1",
                "train.validationImages=1",
            ] + settings)
        result.data.root = data
        return result
    }

    /// A search by training four candidates for four epochs.
    func candidates(_ method: String) throws -> Configuration {
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "seed=3", "search.method=\(method)", "search.candidates=4", "search.reduction=2",
                "train.epochs=4", "train.emaDecay=0.9",
            ])
        configuration.data.root = data
        return configuration
    }

    /// Runs, or goes on, to the end or to where `watcher` stops it.
    func run(_ name: String, _ settings: [String] = [], resume: Bool = false, watcher: Watcher = Watcher()) throws {
        let folder = try RunFolder(at: folder(name), resume: resume)
        let configuration = try configuration(settings)
        switch stage {
        case .search:
            _ = try Search(configuration, folder: folder, reporter: watcher, interruption: watcher.interruption).run()
        case .train:
            _ = try Training(
                resume ? nil : KnownDesign.deeplabv3.genotype(layers: 3), configuration, folder: folder,
                reporter: watcher, interruption: watcher.interruption
            ).run()
        }
    }

    /// Files of equal bytes in two folders.
    func expectSame(_ files: [String], in first: String, _ second: String) throws {
        for file in files {
            let contents = try [first, second].map {
                try Data(contentsOf: URL(fileURLWithPath: folder($0) + "/" + file))
            }
            #expect(contents[0] == contents[1], "\(file)")
        }
    }

    func bytes(_ name: String, _ file: String = "last") throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: checkpoint(name, file)))
    }

    /// Epoch, step, loss and mIOU of each line of the log.
    func logged(_ name: String) throws -> [[String: Double]] {
        try String(contentsOfFile: folder(name) + "/log.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let keys = ["epoch", "step", "loss", "mIOU", "alphaEntropy", "betaEntropy", "share.skip", "skippedSteps"]
            return Dictionary(
                uniqueKeysWithValues: keys.compactMap { key in (object[key] as? Double).map { (key, $0) } })
        }
    }

    /// A copy of a run's folder under another name.
    func copy(_ name: String, to other: String) throws {
        try FileManager.default.copyItem(atPath: folder(name), toPath: folder(other))
    }
}
