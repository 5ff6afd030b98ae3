import Comparisons
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

/// Searches whose candidates have limits, or come out of a supernet.
@Suite("Searches with limits", .serialized)
struct LimitedSearchTests {
    private let machine = LatencyTable.Machine(processor: "Abacus", device: "cpu", threads: 1, libtorch: "2")

    private func configuration(_ run: InstantRun, _ settings: [String]) throws -> Configuration {
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "seed=3", "search.candidates=3", "search.reduction=3", "train.epochs=3",
            ] + settings)
        configuration.data.root = run.data
        return configuration
    }

    /// A search's table, by times that are none of a clock.
    private func search(
        _ configuration: Configuration, in folder: String, resume: Bool = false, watcher: Watcher = Watcher(),
        meter: FakeMeter = FakeMeter()
    ) throws -> CandidateTable {
        let search = try CandidateSearch(configuration, output: folder, resume: resume) {
            LatencyModel(machine: machine, meter: meter, place: .folder(folder))
        }
        return try search.run(reporter: watcher, interruption: watcher.interruption)
    }

    @Test("Designs over the limit are left out and said so, all others are within; what goes on measures nothing anew")
    func limited() throws {
        let run = try InstantRun(.train)
        let free = try search(
            configuration(run, ["search.method=race", "search.limits.milliseconds=1e6"]), in: run.folder("free"))
        let times = try free.rows.map { try #require($0.milliseconds) }
        #expect(free.rows.map(\.name).prefix(2) == ["1-deeplabv3", "2-stacked-hourglass"])
        let limit = min(times[0], times[1])
        let watcher = Watcher()
        let settings = ["search.method=race", "search.limits.milliseconds=\(limit)"]
        let table = try search(configuration(run, settings), in: run.folder("run"), watcher: watcher)
        #expect(table.rows.count == 3 && table.rows.allSatisfy { $0.milliseconds ?? .infinity <= limit })
        let slower = times[0] > times[1] ? "deeplabv3" : "stacked-hourglass"
        #expect(!table.rows.contains { $0.name.hasSuffix(slower) })
        #expect(watcher.noted.contains { $0.hasPrefix("\(slower) is left out: ") && $0.contains("ms an image, over") })
        #expect(table.lines[0].contains(" ms "))
        // Another clock would have another opinion, and is not asked.
        let slow = FakeMeter(factor: 100)
        #expect(try search(configuration(run, settings), in: run.folder("run"), resume: true, meter: slow) == table)
        #expect(slow.calls.isEmpty)
        let plain = try search(configuration(run, ["search.method=race"]), in: run.folder("plain"))
        #expect(plain.rows.allSatisfy { $0.milliseconds == nil } && !plain.lines[0].contains(" ms "))
    }

    @Test("A race takes the networks that do best inside a supernet, and goes on with the same ones")
    func scored() throws {
        let run = try InstantRun(.search)
        let settings = ["search.layers=4", "search.blocks=2", "search.resizePrevious=true"]
        try run.run("supernet", settings)
        let race = try configuration(
            run,
            [
                "search.method=race", "search.candidates=4", "search.supernet=\(run.folder("supernet"))",
                "search.scored=12",
            ])
        let watcher = Watcher()
        let table = try search(race, in: run.folder("race"), watcher: watcher)
        #expect(
            table.rows.map(\.name)
                == ["1-deeplabv3", "2-stacked-hourglass", "3-scored-1", "4-scored-2"])
        #expect(watcher.noted.contains("scoring 12 networks in the supernet"))
        // The two best of the same draw, scored once more.
        let scorer = try SupernetScorer(run: run.folder("supernet"), race, images: race.search.validationImages)
        struct Entry: Decodable {
            let genotype: String
            let loss: Double
        }
        let path = run.folder("race/scored.json")
        let entries = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(entries.count == 12)
        let losses = try entries.map {
            try scorer.loss(of: Genotype(json: Data($0.genotype.utf8), source: path))
        }
        #expect(losses == losses.sorted() && losses == entries.map(\.loss))
        #expect(losses.first ?? 0 < losses.last ?? 0)
        #expect(try search(race, in: run.folder("race"), resume: true) == table)
        let other = failure {
            _ = try SupernetScorer(
                run: run.folder("supernet"), self.configuration(run, ["search.layers=5"]), images: 1)
        }
        #expect(other?.contains("its supernet has 4 layers, 2 blocks") == true, "\(other ?? "")")
        let none = failure { _ = try SupernetScorer(run: run.data, race, images: 1) }
        #expect(none?.contains("no checkpoint of a search") == true, "\(none ?? "")")
    }

    @Test("A comparison leaves out what is over a limit, and shows the milliseconds of the others")
    func compared() throws {
        let run = try InstantRun(.train)
        let configuration = try configuration(run, ["train.epochs=1"])
        let names = ["deeplabv3:4", "stacked-hourglass:4"]
        func comparison(_ limit: Double, _ folder: String) throws -> Comparison {
            var limits = LimitConfiguration()
            limits.milliseconds = limit
            return try Comparison(
                names, configuration, seeds: [0], split: "val", output: run.folder(folder), equalMultiplyAdds: false,
                limits: limits
            ) { LatencyModel(machine: machine, meter: FakeMeter()) }
        }
        let train = configuration.train
        let images = try InputSpecification(configuration, split: "val")
        let times = try names.map { name in
            try LatencyModel(machine: machine, meter: FakeMeter()).milliseconds(
                of: .discrete(#require(try KnownDesign.genotype(named: name)), train.network(classes: images.classes)),
                on: images)
        }
        #expect(times[0] != times[1])
        let few = try comparison(times.min() ?? 0, "few")
        #expect(few.networks.count == 1)
        #expect(few.warnings.count == 1 && few.warnings[0].contains("is left out: "))
        let result = try few.run(reporter: SilentReporter(), interruption: Interruption()).result
        #expect(result.networks.map(\.predictedMilliseconds) == [times.min()])
        #expect(result.markdown.contains("ms predicted"))
        let line = failure { _ = try comparison(0.5, "none") }
        #expect(line?.contains("no network is within the limits") == true, "\(line ?? "")")
    }
}
