import Comparisons
import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

/// Candidates with as many steps as take the same time.
@Suite("Candidates in equal time")
struct EqualTimeTests {
    /// A race of three networks with ten steps an epoch.
    private func configuration(_ run: InstantRun) throws -> Configuration {
        var configuration = try run.candidates("race")
        configuration.search.candidates = 3
        configuration.search.equalTime = true
        configuration.train.stepsPerEpoch = 10
        return configuration
    }

    private func steps(_ row: CandidateTable.Row, in folder: String) throws -> Int {
        let log = try String(contentsOfFile: "\(folder)/\(row.name)/log.jsonl", encoding: .utf8)
        let line = try #require(log.split(separator: "\n").first)
        return try #require(line.firstMatch(of: /"step": (\d+)/).flatMap { Int($0.1) })
    }

    @Test("A network that takes twice the time has half of the steps, whatever it is timed to take when it goes on")
    func steps() throws {
        let run = try InstantRun(.train)
        let configuration = try configuration(run)
        func complete(_ name: String, _ seconds: [Double], stopAfter: Int? = nil) throws -> CandidateTable {
            var left = seconds
            let search = try CandidateSearch(
                configuration, output: run.folder(name), resume: true, timer: { _, _ in left.removeFirst() })
            let watcher = Watcher(stopAfter: stopAfter)
            return try search.run(reporter: watcher, interruption: watcher.interruption)
        }
        let whole = try complete("whole", [0.2, 0.2, 0.4, 0.05])
        #expect(try whole.rows.map { try steps($0, in: run.folder("whole")) } == [10, 5, 40])
        #expect(throws: Interrupted.self) { try complete("parts", [0.2, 0.2, 0.4, 0.05], stopAfter: 12) }
        // Nothing is timed again.
        #expect(try complete("parts", []) == whole)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: run.folder("whole/model.safetensors")))
                == Data(contentsOf: URL(fileURLWithPath: run.folder("parts/model.safetensors"))))

        let file = run.folder("parts/steptimes.json")
        for damaged in [#"{"0": 0, "1": 1}"#, "[0.2", "[1]", #"{"0": 1e300}"#] {
            try Data(damaged.utf8).write(to: URL(fileURLWithPath: file))
            let error = failure { _ = try complete("parts", []) }
            #expect(error?.contains("steptimes.json: does not say how long steps take") == true, "\(error ?? "")")
        }
    }

    @Test("A step that is timed trains the classifiers beside a network too")
    func auxiliary() throws {
        var configuration = Configuration()
        configuration.train.filters = 4
        func trained(_ network: NetworkChoice) -> Int {
            let description = network.description(configuration.train, classes: 3)
            return StepTimer(configuration).parts(of: description, generator: Generator(seed: 0))
                .optimizer.parameters.count
        }
        let discrete = try NetworkChoice(named: "deeplabv3:4")
        let alone = trained(discrete)
        configuration.train.auxiliary.layers = [2, 3]
        #expect(trained(discrete) > alone)
        // Which the training refuses, in words.
        configuration.train.auxiliary.layers = [5]
        #expect(trained(discrete) == alone)

        configuration.train.auxiliary.layers = []
        let encoded = NetworkChoice.encoder(.efficientNetLite0, .searched(KnownDecoder.arch0.genotype.canonical))
        let withCells = trained(encoded)
        configuration.train.auxiliaryCells = 0
        #expect(withCells > trained(encoded))
    }

    @Test("Steps that are given to a network of the pool hold, and without equal time nothing is timed")
    func given() throws {
        let run = try InstantRun(.train)
        var configuration = try configuration(run)
        configuration.search.pool = ["stacked-hourglass:4"]
        configuration.search.poolSteps = [3]
        configuration.search.candidates = 2
        // The reference, and the second one.
        var left = [0.1, 0.2]
        let timed = try CandidateSearch(
            configuration, output: run.folder("timed"), resume: false, timer: { _, _ in left.removeFirst() })
        let table = try timed.run(reporter: SilentReporter(), interruption: Interruption())
        #expect(try table.rows.map { try steps($0, in: run.folder("timed")) } == [3, 5])

        configuration.search.equalTime = false
        let plain = try CandidateSearch(
            configuration, output: run.folder("plain"), resume: false,
            timer: { _, _ in
                Issue.record("timed")
                return 1
            })
        let same = try plain.run(reporter: SilentReporter(), interruption: Interruption())
        #expect(try same.rows.map { try steps($0, in: run.folder("plain")) } == [3, 10])
        #expect(!FileManager.default.fileExists(atPath: run.folder("plain/steptimes.json")))
    }

    @Test("A step is timed on this machine; where that would say nothing it is refused")
    func measured() throws {
        let run = try InstantRun(.train)
        var configuration = try configuration(run)
        configuration.search.candidates = 1
        configuration.train.epochs = 1
        func ratio() throws -> Double {
            let search = try CandidateSearch(configuration, output: run.folder("own"), resume: false)
            _ = try search.run(reporter: SilentReporter(), interruption: Interruption())
            let bytes = try Data(contentsOf: URL(fileURLWithPath: run.folder("own/steptimes.json")))
            return try #require(JSONDecoder().decode([Int: Double].self, from: bytes)[0])
        }
        // The reference itself, timed twice.
        #expect((0.1...10).contains(try ratio()))
        configuration.precision = .bfloat16
        let error = failure { _ = try CandidateSearch(configuration, output: run.folder("other"), resume: false) }
        #expect(error?.contains("search.equalTime: steps are timed on processors") == true, "\(error ?? "")")
    }
}
