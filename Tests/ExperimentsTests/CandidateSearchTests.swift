import Comparisons
import Configurations
import Experiments
import Foundation
import Inference
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// Searches that train their candidates: proposals, halving, and exact resumption.
@Suite("Searches by training candidates")
struct CandidateSearchTests {
    @Test(
        "The rungs are parts of one schedule, each with its share of the one before",
        arguments: [
            (9, 3, 27, [(9, 3), (3, 9), (1, 27)]), (12, 3, 27, [(12, 3), (3, 9), (1, 27)]),
            (8, 2, 40, [(8, 5), (4, 10), (2, 20), (1, 40)]), (1, 3, 10, [(1, 10)]), (2, 3, 10, [(2, 3), (1, 10)]),
            (2, 8, 36, [(2, 4), (1, 36)]), (3, 12, 36, [(3, 3), (1, 36)]),
            (9, 3, 2, [(9, 1), (1, 2)]), (5, 2, 1, [(5, 1)]),
        ] as [(Int, Int, Int, [(Int, Int)])])
    func rungs(candidates: Int, reduction: Int, epochs: Int, wanted: [(Int, Int)]) {
        let schedule = HalvingSchedule(candidates: candidates, reduction: reduction, epochs: epochs)
        #expect(schedule.rungs.map { [$0.candidates, $0.epochs] } == wanted.map { [$0.0, $0.1] })
        // Counted candidate by candidate: how far each is trained in the end.
        var lengths = [Int](repeating: 0, count: candidates)
        for rung in schedule.rungs { for index in 0..<rung.candidates { lengths[index] = rung.epochs } }
        #expect(schedule.total == lengths.reduce(0, +))
    }

    private func space(layers: Int = 4, blocks: Int = 2, longSkips: Bool = false) throws -> GenotypeCandidates {
        GenotypeCandidates(
            GenotypeSample(
                try GenotypeSampler(layers: layers, blocks: blocks, longSkips: longSkips), TrainConfiguration(),
                on: InputSpecification(classes: 3, height: 33, width: 33), wanted: nil),
            choices: try GenotypeChoices(layers: layers, blocks: blocks, longSkips: longSkips), longSkips: longSkips)
    }

    @Test("A pool has what is given, then random ones, whatever is scored in between")
    func pool() throws {
        let given = [Candidate(name: "known", .genotype(try KnownDesign.deeplabv3.genotype(layers: 4)), filters: 2)]
        let proposer = PoolProposer(given: given, space: try space(), seed: 5)
        let all = try proposer.candidates(after: [], limit: 6)
        #expect(all.map(\.name) == ["known", "random-1", "random-2", "random-3", "random-4", "random-5"])
        #expect(Set(all.map(\.network)).count == 6)
        let scored = all.prefix(2).map { ScoredCandidate($0.network, score: 0.5) }
        #expect(try proposer.candidates(after: scored, limit: 6) == Array(all.dropFirst(2)))
        #expect(try PoolProposer(given: given, space: space(), seed: 5).candidates(after: [], limit: 1) == given)
    }

    /// A synthetic score with a known best: how many branches are 3x3 atrous, and how many layers are at stride 8.
    private func score(_ genotype: Genotype) -> Double {
        let branches = genotype.cell.blocks.flatMap(\.branches).count { $0.op == .atrous3x3 }
        return Double(branches + genotype.path.count { $0 == .s8 }) / Double(2 * genotype.blocks + genotype.layers)
    }

    private func best(_ proposer: some CandidateProposer, of limit: Int) throws -> (Double, [ScoredCandidate]) {
        var scored: [ScoredCandidate] = []
        while scored.count < limit {
            let proposed = try proposer.candidates(after: scored, limit: limit)
            #expect(!proposed.isEmpty && proposed.count <= limit - scored.count)
            scored += proposed.map { ScoredCandidate($0.network, score: $0.network.genotype.map(score)) }
        }
        return (scored.compactMap(\.score).max() ?? 0, scored)
    }

    @Test("Evolution finds better networks than random draws of the same number, on a score whose best is known")
    func evolution() throws {
        var (evolved, random) = (0.0, 0.0)
        for seed in 0..<8 {
            let space = try space(layers: 6, blocks: 3)
            let (score, scored) = try best(EvolutionProposer(space: space, seed: seed), of: 120)
            evolved += score / 8
            random += try best(PoolProposer(given: [], space: space, seed: seed), of: 120).0 / 8
            #expect(Set(scored.map(\.network)).count == 120)
            for (number, child) in scored.enumerated().dropFirst(10) {
                // A mutant of one of the ten before it: whoever is older is dead.
                let living = scored[(number - 10)..<number]
                let own = try #require(child.network.genotype)
                let isChild = living.compactMap(\.network.genotype).contains { parent in
                    Genotype.Mutation.allCases.contains { parent.mutants($0).contains(own) }
                }
                #expect(isChild, "\(number)")
            }
        }
        #expect(evolved > random + 0.1, "\(evolved), \(random)")
    }

    @Test("Evolution changes long skips where they are searched, and nowhere else")
    func evolvedSkips() throws {
        func evolved(longSkips: Bool) throws -> [Genotype] {
            let space = try space(layers: 6, blocks: 2, longSkips: longSkips)
            return try best(EvolutionProposer(space: space, seed: 2), of: 150).1.compactMap(\.network.genotype)
        }
        #expect(try !evolved(longSkips: false).contains { $0.hasSkips })
        let found = try evolved(longSkips: true)
        let toggled = found.indices.dropFirst(10).contains { number in
            found[(number - 10)..<number].contains { $0.mutants(.longSkip).contains(found[number]) }
        }
        #expect(toggled)
    }

    @Test("A race has U-Net among the known designs where long skips are searched", arguments: [true, false])
    func race(longSkips: Bool) throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("race")
        (configuration.search.layers, configuration.search.candidates, configuration.train.epochs) = (5, 3, 1)
        configuration.search.longSkips = longSkips ? .on : .off
        let table = try CandidateSearch(configuration, output: run.folder("race"), resume: false)
            .run(reporter: SilentReporter(), interruption: Interruption())
        let third = try #require(table.rows.last)
        #expect(table.rows.count == 3 && third.name == (longSkips ? "3-unet" : "3-random-1"))
        #expect(third.skips == (longSkips ? [nil, nil, nil, nil, 1] : nil))
        #expect(table.lines.contains { $0.contains("4 8 16 8 4, skips 1 to 5") } == longSkips)
    }

    @Test(
        "A search that is stopped in every rung and goes on ends with the same table and model",
        arguments: ["race", "evolution", "random", "reinforcement"])
    func resumed(method: String) throws {
        let run = try InstantRun(.train)
        let configuration = try run.candidates(method)
        let whole = try CandidateSearch(configuration, output: run.folder("whole"), resume: false)
        let wanted = try whole.run(reporter: SilentReporter(), interruption: Interruption())
        #expect(wanted.epochs == [1, 2, 4] && wanted.rows.map(\.scores.count).sorted() == [1, 1, 2, 3])
        #expect(wanted.ranking.first?.name == wanted.winner)
        if method == "race" { #expect(wanted.rows.map(\.name).prefix(2) == ["1-deeplabv3", "2-stacked-hourglass"]) }
        // Only the best of a rung are trained on.
        for rung in 0..<2 {
            let stay = wanted.rows.filter { $0.scores.count == rung + 1 }.map { $0.scores[rung] }
            let goOn = wanted.rows.filter { $0.scores.count > rung + 1 }.map { $0.scores[rung] }
            #expect(stay.max() ?? 0 <= goOn.min() ?? 1)
        }
        var warnings: Set<String> = []
        let (found, stops) = try stoppedOften(every: 3) { resume, reporter, interruption in
            defer { warnings.formUnion(reporter.warnings) }
            return try CandidateSearch(configuration, output: run.folder("parts"), resume: resume)
                .run(reporter: reporter, interruption: interruption)
        }
        #expect(stops > 3)
        #expect(warnings.count == 1 && warnings.first?.hasPrefix("the first rung has 10 steps") == true, "\(warnings)")
        #expect(found == wanted)
        let state = method == "reinforcement" ? ["controller.safetensors"] : []
        try run.expectSame(
            ["genotype.json", "model.safetensors", "candidates.json", "candidates.csv"] + state, in: "whole", "parts")
        #expect(try Model(at: run.folder("whole")).genotype?.layers == 4)
        let page = try String(contentsOfFile: run.folder("whole/report.html"), encoding: .utf8)
        #expect(page.contains("(winner)"))
    }

    @Test("A training that rests after an epoch ends with the bytes of one that does not")
    func resting() throws {
        let run = try InstantRun(.train)
        let configuration = try run.candidates("random")
        let genotype = try KnownDesign.deeplabv3.genotype(layers: 4)
        for (name, rests) in [("whole", []), ("parts", [1, 3])] {
            for epochs in rests + [nil] as [Int?] {
                let folder = try RunFolder(at: run.folder(name), resume: true)
                let training = try Training(
                    genotype, configuration, folder: folder, reporter: SilentReporter(), interruption: Interruption())
                let best = try training.run(through: epochs)
                #expect((best == nil) == (epochs != nil))
            }
        }
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: run.folder("whole/model.safetensors")))
                == Data(contentsOf: URL(fileURLWithPath: run.folder("parts/model.safetensors"))))
    }

    /// A race of so many candidates, of which two are given; what the paper's search gives is one of them, or none.
    private func race(
        _ run: InstantRun, of candidates: Int, from pool: [String], searchingEpochs epochs: Int? = nil
    ) throws -> Configuration {
        var configuration = try run.candidates("race")
        configuration.search.candidates = candidates
        configuration.search.pool = pool
        configuration.search.poolSteps = [2, 3]
        if let epochs {
            (configuration.search.epochs, configuration.search.architectureFrom) = (epochs, 1)
            // Large enough steps that what is decoded changes from one epoch to the next.
            configuration.search.architecture.learningRate = 0.5
        }
        return configuration
    }

    @Test("An encoder takes part in a race; what is trained beside it has its cost, in as many steps as are given")
    func encoder() throws {
        let run = try InstantRun(.train)
        var configuration = try race(run, of: 2, from: ["mobilenet-v2+light", "deeplabv3:4"])
        configuration.train.encoderWeights = "none"
        let search = try CandidateSearch(configuration, output: run.folder("search"), resume: false)
        let table = try search.run(reporter: SilentReporter(), interruption: Interruption())
        #expect(table.rows.map(\.name) == ["1-mobilenet-v2+light", "2-deeplabv3-4"])
        let (encoder, other) = (table.rows[0], table.rows[1])
        #expect(encoder.path == nil && encoder.filters == nil && other.path?.count == 4)
        // Filters come in whole numbers: no other is closer.
        let images = try InputSpecification(configuration, split: nil)
        let genotype = try KnownDesign.deeplabv3.genotype(layers: 4)
        let costs = [-1, 0, 1].map { step in
            var train = configuration.train
            train.filters = max(1, (other.filters ?? 0) + step)
            return abs(train.cost(of: genotype, on: images).multiplyAdds - encoder.multiplyAdds)
        }
        #expect(costs.min() == costs[1] && other.multiplyAdds != encoder.multiplyAdds)
        #expect(table.table.rows.contains { $0[1] == "encoder" && $0[2].isEmpty })
        for (row, steps) in zip(table.rows, [2, 3]) {
            let log = try String(contentsOfFile: run.folder("search/\(row.name)/log.jsonl"), encoding: .utf8)
            #expect(log.split(separator: "\n")[0].contains("\"step\": \(steps),"), "\(log)")
        }
        let winner = try Model(at: run.folder("search"))
        #expect((winner.genotype == nil) == (table.winner == encoder.name))
        #expect(
            FileManager.default.fileExists(atPath: run.folder("search/genotype.json")) == (winner.genotype != nil))
    }

    @Test(
        "A race over what the paper's search finds, which is stopped and goes on, ends as one that was not",
        arguments: [0, 2])
    func searchedFirst(seed: Int) throws {
        let run = try InstantRun(.train)
        var configuration = try race(run, of: 9, from: ["deeplabv3:4", "paper"], searchingEpochs: 4)
        configuration.seed = seed
        configuration.search.scored = 4
        func complete(_ name: String, stopAfter: Int? = nil) throws -> CandidateTable {
            let search = try CandidateSearch(configuration, output: run.folder(name), resume: true)
            let watcher = Watcher(stopAfter: stopAfter)
            return try search.run(reporter: watcher, interruption: watcher.interruption)
        }
        let whole = try complete("whole")
        let stopped = #expect(throws: Interrupted.self) { try complete("parts", stopAfter: 2) }
        #expect(stopped.map { "\($0)" }?.contains(run.folder("parts")) == true)
        #expect(!FileManager.default.fileExists(atPath: run.folder("parts/paper/genotype.json")))
        let parts = try complete("parts")
        #expect(whole.rows == parts.rows && whole.winner == parts.winner)
        func bytes(_ file: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: run.folder(file))) }
        #expect(try bytes("whole/model.safetensors") == bytes("parts/model.safetensors"))

        // What was found comes first, then what is named and known, then what does best in the supernet.
        let found = whole.rows.prefix { $0.name.dropFirst(2).hasPrefix("paper") }
        #expect(found.first?.name == "1-paper" && (1...3).contains(found.count))
        #expect(try found.first?.path == loadGenotype(run.folder("whole/paper")).path.map(\.rawValue))
        for row in found.dropFirst() {
            let epoch = try #require(row.name.split(separator: "-").last.flatMap { Int($0) })
            let file = RunPaths(folder: run.folder("whole/paper")).genotype(epoch: epoch)
            #expect(try [2, 3].contains(epoch) && row.path == loadGenotype(file).path.map(\.rawValue))
        }
        #expect(whole.rows[found.count].name.hasSuffix("deeplabv3-4"))
        #expect(whole.rows.contains { $0.name.contains("-scored-1") })
        // Random ones fill what is left when all that were scored take part; how many epochs decode differently varies.
        let names = whole.rows.map { $0.name.drop { $0 != "-" }.dropFirst() }
        let random = names.firstIndex { $0.hasPrefix("random") }
        if let random { #expect(names[..<random].count { $0.hasPrefix("scored") } == 4) }
        for (row, steps) in [(whole.rows[0], 3), (whole.rows[found.count], 2)] {
            let log = try String(contentsOfFile: run.folder("whole/\(row.name)/log.jsonl"), encoding: .utf8)
            #expect(log.split(separator: "\n")[0].contains("\"step\": \(steps),"), "\(log)")
        }
    }

    @Test("A search by the paper's method may be ended before its last epoch, also when it was stopped before")
    func searchedInPart() throws {
        let run = try InstantRun(.train)
        let configuration = try race(run, of: 3, from: ["deeplabv3:4", "paper"], searchingEpochs: 5)
        func complete(_ name: String, stopAfter: Int? = nil) throws -> (table: CandidateTable, asked: [Int]) {
            let search = try CandidateSearch(configuration, output: run.folder(name), resume: true)
            let watcher = Watcher(stopAfter: stopAfter)
            var asked: [Int] = []
            try search.searchFirst(reporter: watcher, interruption: watcher.interruption) { epoch in
                asked.append(epoch)
                return epoch >= 3
            }
            return (try search.run(reporter: watcher, interruption: watcher.interruption), asked)
        }
        let whole = try complete("whole")
        // Not before alpha and beta have learnt.
        #expect(whole.asked == [2, 3])
        let paths = RunPaths(folder: run.folder("whole/paper"))
        let log = try String(contentsOfFile: paths.log, encoding: .utf8)
        #expect(log.split(separator: "\n").count == 3)
        #expect(try loadGenotype(paths.genotype) == loadGenotype(paths.genotype(epoch: 3)))
        let found = whole.table.rows.filter { $0.name.dropFirst(2).hasPrefix("paper") }
        #expect(try found.first?.path == loadGenotype(paths.genotype).path.map(\.rawValue))
        #expect(found.first?.name == "1-paper" && found.dropFirst().allSatisfy { $0.name.hasSuffix("paper-epoch-2") })
        #expect(throws: Interrupted.self) { try complete("parts", stopAfter: 12) }
        let parts = try complete("parts")
        #expect(parts.asked == [3] && parts.table.rows == whole.table.rows)
    }

    @Test("The last training is given another length once, and a search that goes on keeps to it", arguments: [1, 2])
    func settled(candidates: Int) throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("race")
        configuration.search.candidates = candidates
        configuration.train.epochs = 6
        func complete(_ name: String, stopAfter: Int? = nil) throws -> CandidateTable {
            let search = try CandidateSearch(configuration, output: run.folder(name), resume: true, rests: true)
            let watcher = Watcher(stopAfter: stopAfter)
            return try search.run(
                reporter: watcher, interruption: watcher.interruption,
                pacing: .lengths { last in
                    #expect(last.done == 3 && last.epochs == 6 && last.stepsPerEpoch == 10 && last.secondsPerStep > 0)
                    return 5
                })
        }
        let whole = try complete("whole")
        #expect(whole.epochs == [3, 5])
        let winner = try #require(whole.winner)
        let log = try String(contentsOfFile: run.folder("whole/\(winner)/log.jsonl"), encoding: .utf8)
        #expect(log.split(separator: "\n").count == 5)
        #expect(throws: Interrupted.self) { try complete("parts", stopAfter: 43) }
        #expect(try complete("parts") == whole)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: run.folder("whole/model.safetensors")))
                == Data(contentsOf: URL(fileURLWithPath: run.folder("parts/model.safetensors"))))
    }

    @Test("Other candidates in a search's folder, and iterations in place of epochs, are refused")
    func refused() throws {
        let run = try InstantRun(.train)
        var configuration = try run.candidates("random")
        _ = try CandidateSearch(configuration, output: run.folder("search"), resume: false)
        let filled = failure { _ = try CandidateSearch(configuration, output: run.folder("search"), resume: false) }
        #expect(filled?.contains("is not empty") == true)
        _ = try CandidateSearch(configuration, output: run.folder("search"), resume: true)
        configuration.search.candidates = 5
        let changed = failure { _ = try CandidateSearch(configuration, output: run.folder("search"), resume: true) }
        #expect(changed?.contains("was begun with other candidates") == true)
        configuration.train.iterations = 10
        let iterations = failure { _ = try CandidateSearch(configuration, output: run.folder("new"), resume: false) }
        #expect(iterations?.contains("train.iterations") == true)
    }
}
