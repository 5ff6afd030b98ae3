import Comparisons
import Configurations
import Experiments
import Foundation
import Runs
import Synchronization
import TestSupport
import Testing

/// Counts from 1.
private final class Counter: Sendable {
    private let value = Mutex(0)

    func next() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Searches by training candidates that are killed, or whose last training gets another length.
@Suite("Lengths and scores of candidates")
struct CandidateLengthTests {
    @Test("A kill between the last line of a rung and its checkpoint loses no score", arguments: [false, true])
    func scoresBeforeCheckpoints(judges: Bool) throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates(judges ? "reinforcement" : "race")
        (configuration.train.epochs, configuration.train.validateEvery) = (8, 8)
        configuration.search.controller.stopping = judges
        let wanted = try CandidateSearch(configuration, output: run.folder("whole"), resume: false)
            .run(reporter: SilentReporter(), interruption: Interruption())
        #expect(wanted.epochs == [2, 4, 8])
        // Stopped in the second half of the first candidate, or at the end of the first rung.
        let name = judges ? wanted.rows[0].name : try #require(wanted.winner)
        let last = judges ? 13 : 80
        let watcher = Watcher(stopAfter: nil, onStep: nil)
        let steps = Counter()
        let stopper = Watcher(onStep: { [interruption = watcher.interruption] _ in
            if steps.next() == last { _ = interruption.requestStop(signal: SIGTERM) }
        })
        _ = failure {
            _ = try CandidateSearch(configuration, output: run.folder("parts"), resume: false)
                .run(reporter: stopper, interruption: watcher.interruption)
        }
        let checkpoints = RunPaths(folder: run.folder("parts/" + name)).checkpoints
        if judges {
            // The first half was one epoch: before it there was no checkpoint.
            for file in try FileManager.default.contentsOfDirectory(atPath: checkpoints) {
                try FileManager.default.removeItem(atPath: checkpoints + "/" + file)
            }
        } else {
            try FileManager.default.removeItem(atPath: checkpoints + "/last.safetensors")
            try FileManager.default.moveItem(
                atPath: checkpoints + "/last-1.safetensors", toPath: checkpoints + "/last.safetensors")
        }
        let found = try CandidateSearch(configuration, output: run.folder("parts"), resume: true)
            .run(reporter: SilentReporter(), interruption: Interruption())
        #expect(found == wanted)
        let log = try String(contentsOfFile: run.folder("parts/\(name)/log.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        let measured = log.map { $0.contains(judges ? "\"reward\"" : "\"mIOU\"") }
        #expect(Array(measured.prefix(2)) == [judges, true], "\(log)")
    }

    @Test(
        "The last training's length is settled twice, and stops in between change nothing",
        arguments: [[12, 10], [8, 11]])
    func settled(lengths: [Int]) throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("race")
        (configuration.search.candidates, configuration.search.reduction) = (1, 4)
        (configuration.train.epochs, configuration.train.validateEvery) = (8, 4)
        func search(
            _ name: String, resume: Bool, _ reporter: some ProgressReporter, _ interruption: Interruption
        ) throws -> CandidateTable {
            try CandidateSearch(configuration, output: run.folder(name), resume: resume, rests: true)
                .run(reporter: reporter, interruption: interruption) { last in
                    #expect(last.stepsPerEpoch == 10 && last.secondsPerStep > 0)
                    // First after a quarter of what is planned, then in the middle of what was settled.
                    if last.done == 2 {
                        #expect(last.epochs == 8)
                        return lengths[0]
                    }
                    #expect(last.done == 2 + (lengths[0] - 2) / 2 && last.epochs == lengths[0])
                    return lengths[1]
                }
        }
        let wanted = try search("whole", resume: false, SilentReporter(), Interruption())
        #expect(wanted.epochs == [2, lengths[1]] && wanted.rows[0].scores.count == 2)
        let (found, stops) = try stoppedOften(every: 9) { resume, reporter, interruption in
            try search("parts", resume: resume, reporter, interruption)
        }
        #expect(stops > 5 && found == wanted)
        let name = wanted.rows[0].name
        try run.expectSame(
            ["model.safetensors", "candidates.json", "\(name)/checkpoints/last.safetensors"], in: "whole", "parts")
        let log = try String(contentsOfFile: run.folder("whole/\(name)/log.jsonl"), encoding: .utf8)
        #expect(log.split(separator: "\n").count == lengths[1])
    }
}
