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

extension CandidateSearch.Pacing {
    /// Candidates as planned, and the last training's length by a rule.
    static func lengths(_ epochs: @escaping (CandidateSearch.LastTraining) throws -> Int) -> Self {
        Self(epochs: epochs, candidates: { $0.schedule.rungs[$0.rung].candidates })
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
        "The last training's length is settled again in the middle of what is left, and stops in between change nothing",
        arguments: [[12, 10], [8, 11]])
    func settled(lengths: [Int]) throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("race")
        (configuration.search.candidates, configuration.search.reduction) = (1, 4)
        (configuration.train.epochs, configuration.train.validateEvery) = (8, 4)
        // First after a quarter of what is planned, then in the middle while six epochs are left.
        let points = lengths == [12, 10] ? [2, 7] : [2, 5, 8]
        func search(
            _ name: String, resume: Bool, _ reporter: some ProgressReporter, _ interruption: Interruption
        ) throws -> CandidateTable {
            let asked = Counter()
            return try CandidateSearch(configuration, output: run.folder(name), resume: resume, rests: true)
                .run(
                    reporter: reporter, interruption: interruption,
                    pacing: .lengths { last in
                        #expect(last.stepsPerEpoch == 10 && last.secondsPerStep > 0)
                        let number = asked.next()
                        #expect(last.done == points[number - 1])
                        #expect(last.epochs == (number == 1 ? 8 : number == 2 ? lengths[0] : lengths[1]))
                        return lengths[min(number, 2) - 1]
                    })
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
    @Test("A race with less time than was planned gives up candidates and rungs, and stops in between change nothing")
    func narrowed() throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("race")
        (configuration.search.candidates, configuration.search.reduction) = (8, 2)
        (configuration.train.epochs, configuration.train.validateEvery) = (16, 16)
        let rungs = [[8, 2], [4, 4], [2, 8], [1, 16]]
        func search(
            _ name: String, resume: Bool, _ reporter: some ProgressReporter, _ interruption: Interruption
        ) throws -> CandidateTable {
            try CandidateSearch(configuration, output: run.folder(name), resume: resume, rests: true)
                .run(
                    reporter: reporter, interruption: interruption,
                    pacing: .init(
                        epochs: { last in
                            #expect(last.done == 4 && last.epochs == 16)
                            return 6
                        },
                        candidates: { progress in
                            #expect(progress.secondsPerEpoch > 0)
                            let rung = progress.schedule.rungs[progress.rung]
                            switch (progress.rung, progress.trained) {
                            // As many as are planned, more than that, and then two less.
                            case (0, 1): return rung.candidates
                            case (0, 2): return 100
                            case (0, 3): return 6
                            // Those that are trained stay.
                            case (0, 4): return 1
                            // Half of four go on, and then one.
                            case (1, 0):
                                #expect(rung.candidates == 2 && rung.epochs == 4)
                                return 2
                            default:
                                Issue.record("asked at \(progress.rung), \(progress.trained)")
                                return rung.candidates
                            }
                        }))
        }
        let schedule = HalvingSchedule(candidates: 8, reduction: 2, epochs: 16)
        #expect(schedule.rungs.map { [$0.candidates, $0.epochs] } == rungs)
        let wanted = try search("whole", resume: false, SilentReporter(), Interruption())
        #expect(wanted.epochs == [2, 4, 6])
        #expect(wanted.rows.map(\.scores.count).sorted() == [1, 1, 2, 3])
        let (found, stops) = try stoppedOften(every: 17) { resume, reporter, interruption in
            try search("parts", resume: resume, reporter, interruption)
        }
        #expect(stops > 5 && found == wanted)
        try run.expectSame(["model.safetensors", "candidates.json"], in: "whole", "parts")
        let folders = try FileManager.default.contentsOfDirectory(atPath: run.folder("whole"))
        #expect(folders.filter { $0.first?.isNumber == true }.count == 4)
    }

    @Test(
        "Fewer candidates in a rung are fewer in those after it, and a rung of one goes",
        arguments: [
            (0, 9, [[9, 4], [3, 12], [1, 36]]), (0, 10, [[9, 4], [3, 12], [1, 36]]),
            (0, 6, [[6, 4], [2, 12], [1, 36]]),
            (0, 5, [[5, 4], [1, 36]]), (0, 1, [[1, 4], [1, 36]]), (0, 0, [[1, 4], [1, 36]]),
            (1, 2, [[9, 4], [2, 12], [1, 36]]), (1, 1, [[9, 4], [1, 36]]), (2, 0, [[9, 4], [3, 12], [1, 36]]),
        ])
    func schedules(rung: Int, candidates: Int, wanted: [[Int]]) {
        var schedule = HalvingSchedule(candidates: 9, reduction: 3, epochs: 36)
        schedule.narrow(rung: rung, to: candidates)
        #expect(schedule.rungs.map { [$0.candidates, $0.epochs] } == wanted)
    }
}
