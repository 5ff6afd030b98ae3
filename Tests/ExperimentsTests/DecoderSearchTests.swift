import Comparisons
import Configurations
import Experiments
import Foundation
import Inference
import Networks
import Runs
import SearchSpace
import TestSupport
import Testing

/// Searches of decoders on an encoder: two stages, what stops between them, what comes out.
@Suite("Searches of decoders", .serialized)
struct DecoderSearchTests {
    private func configuration(_ run: InstantRun, _ method: String, _ settings: [String] = []) throws -> Configuration {
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "seed=3", "search.method=\(method)", "search.space=decoders", "search.candidates=4",
                "search.reduction=2", "search.decoder.epochs=1", "search.decoder.images=6", "search.decoder.channels=4",
                "train.epochs=4", "train.stepsPerEpoch=2", "train.encoder=mobilenet-v2", "train.encoderWeights=none",
            ] + settings)
        configuration.data.root = run.data
        return configuration
    }

    private func search(
        _ configuration: Configuration, in folder: String, resume: Bool = false, watcher: Watcher = Watcher()
    ) throws -> CandidateTable {
        try CandidateSearch(configuration, output: folder, resume: resume)
            .run(reporter: watcher, interruption: watcher.interruption)
    }

    /// The rewards in a candidate's log, an epoch each.
    private func rewards(_ folder: String) throws -> [Double] {
        try String(contentsOfFile: folder + "/log.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object?["reward"] as? Double)
        }
    }

    @Test(
        "A search that is stopped in either stage and goes on ends with the same table, decoder and model",
        arguments: ["reinforcement", "evolution", "random", "race"])
    func resumed(method: String) throws {
        let run = try InstantRun(.train)
        let configuration = try configuration(run, method)
        let wanted = try search(configuration, in: run.folder("whole"))
        #expect(wanted.epochs == [2, 3, 5] && wanted.rows.count == 4 && wanted.encoder == "mobilenet-v2")
        #expect(wanted.alone == 1 && Set(wanted.rows.compactMap(\.decoder)).count == 4)
        for row in wanted.rows {
            let own = try rewards(run.folder("whole/\(row.name)"))
            #expect(own.count == (row.scores.isEmpty ? 1 : wanted.epochs[row.scores.count - 1]), "\(row)")
            #expect(row.reward == own[row.isStopped == true ? 0 : 1] && (row.isStopped == true) == row.scores.isEmpty)
            let saved = try Configuration.resolve(file: run.folder("whole/\(row.name)/config.yaml")).train
            #expect(saved.freezeEpochs == 1 && saved.frozenImages == 6 && saved.cellRepeats == 1 && saved.epochs == 5)
        }
        if method == "race" {
            #expect(wanted.rows.prefix(3).map(\.name) == ["1-nekrasov-arch0", "2-nekrasov-arch1", "3-nekrasov-arch2"])
            #expect(wanted.rows[0].decoder == "nekrasov:arch0")
        }
        let (found, stops) = try stoppedOften(every: 3) { resume, reporter, interruption in
            try CandidateSearch(configuration, output: run.folder("parts"), resume: resume)
                .run(reporter: reporter, interruption: interruption)
        }
        #expect(stops > 3 && found == wanted)
        let state = method == "reinforcement" ? ["controller.safetensors"] : []
        try run.expectSame(
            ["genotype.json", "model.safetensors", "candidates.json", "candidates.csv"] + state, in: "whole", "parts")
    }

    @Test("What comes out is a decoder's genotype, which is trained, counted, drawn and reported")
    func outcome() throws {
        let run = try InstantRun(.train)
        let folder = run.folder("search")
        let table = try search(configuration(run, "random", ["search.candidates=2"]), in: folder)
        let winner = try #require(table.rows.first { $0.name == table.winner })
        let decoder = try loadDecoder(folder)
        #expect(try decoder == loadDecoder(folder + "/genotype.json") && decoder.rawValue == winner.decoder)
        let description = try ModelDescription(at: folder)
        guard case .encoded(let own) = description.network else { preconditionFailure("no encoder") }
        #expect(own.decoder == decoder && own.cellChannels == 4 && own.cellRepeats == 1)
        #expect(winner.parameters == description.network.cost(height: 33, width: 33).parameters)
        #expect(try architectureDrawing(of: folder, title: nil).contains("block 3"))
        let page = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        #expect(page.contains("(winner)") && page.contains("Decoders on mobilenet-v2") && page.contains("block 3"))
        #expect(table.table.columns.prefix(2) == ["candidate", "decoder"] && table.lines.count == 3)
        // A genotype of the other kind is no network.
        #expect(failure { _ = try loadGenotype(folder) }?.contains("decoder") == true)
        let training = try Training(
            nil,
            configuration(
                run, "random", ["train.decoder=\(decoder.rawValue)", "train.epochs=1", "train.cellChannels=6"]),
            folder: RunFolder(at: run.folder("train"), resume: false), reporter: SilentReporter(),
            interruption: Interruption())
        #expect(try training.run() >= 0)
    }

    @Test(
        "Candidates are judged by their rewards after the first stage, in their order; where none passes the best go on"
    )
    func stopping() throws {
        let run = try InstantRun(.train)
        for seed in 3..<6 {
            let name = "search\(seed)"
            var configuration = try configuration(run, "random", ["search.candidates=6"])
            configuration.seed = seed
            let table = try search(configuration, in: run.folder(name))
            var scored: [ScoredCandidate] = []
            var passing: [Bool] = []
            for row in table.rows {
                let early = try rewards(run.folder("\(name)/\(row.name)"))[0]
                passing.append(StoppingRule(seed: seed).goesOn(early: early, after: scored))
                let network = try NetworkChoice.encoder(.mobileNetV2, loadDecoder(#require(row.decoder)))
                scored.append(ScoredCandidate(network, score: nil, early: early))
            }
            let found = table.rows.map { $0.isStopped != true }
            if passing.contains(true) {
                #expect(found == passing)
            } else {
                #expect(found.count { $0 } == 3)
            }
            #expect(table.winner != nil)
        }
        let open = try search(configuration(run, "random", ["search.decoder.stopping=false"]), in: run.folder("open"))
        #expect(open.rows.allSatisfy { $0.isStopped == nil && !$0.scores.isEmpty })
    }

    @Test("The first stage comes before the schedule of all rungs")
    func rungs() {
        let plain = HalvingSchedule(candidates: 9, reduction: 3, epochs: 27)
        let later = HalvingSchedule(candidates: 9, reduction: 3, epochs: 27, before: 5)
        #expect(later.rungs.map(\.epochs) == [8, 14, 32])
        #expect(later.total == plain.total + 9 * 5)
    }

    @Test("A race takes decoders by names, files and with the encoder's name; another encoder is refused")
    func pool() throws {
        let run = try InstantRun(.train)
        let file = run.temporary.file("mine.json")
        try KnownDecoder.arch2.genotype.json().write(to: URL(fileURLWithPath: file))
        var configuration = try configuration(run, "race", ["train.epochs=1", "search.candidates=4"])
        configuration.search.pool = ["light", file, "mobilenet-v2+nekrasov:arch1"]
        let table = try search(configuration, in: run.folder("race"))
        #expect(table.rows.map(\.name) == ["1-light", "2-mine", "3-nekrasov-arch1", "4-nekrasov-arch0"])
        #expect(
            table.rows.map(\.decoder) == ["light", "nekrasov:arch2", "nekrasov:arch1", "nekrasov:arch0"])
        // A decoder without a genotype leaves a model alone.
        let isGenotype = FileManager.default.fileExists(atPath: run.folder("race/genotype.json"))
        #expect(isGenotype == (table.winner != "1-light"))
        for (name, words) in [
            ("efficientnet-lite0+light", "is no decoder on mobilenet-v2"), ("deeplabv3", "did you mean 'deeplabv3+'?"),
        ] {
            configuration.search.pool = [name]
            let error = failure { _ = try search(configuration, in: run.folder("none")) }
            #expect(error?.contains(words) == true && error?.contains("\n") == false, "\(error ?? "")")
        }
        #expect(!FileManager.default.fileExists(atPath: run.folder("none")))
    }

    @Test("What decoders need and what they cannot have is said in one line")
    func refused() throws {
        func error(_ settings: String...) -> String? {
            failure { _ = try Configuration.resolve(overrides: ["search.space=decoders"] + settings) }
        }
        #expect(error("search.method=random")?.hasPrefix("search.space: decoders are searched for an encoder") == true)
        let encoder = "train.encoder=mobilenet-v2"
        #expect(error(encoder)?.contains("not found by search.method=paper") == true)
        #expect(error(encoder, "search.method=race", "search.pool=[paper]")?.contains("have no supernet") == true)
        #expect(error(encoder, "search.method=race", "search.supernet=x")?.contains("have no supernet") == true)
        #expect(error(encoder, "search.method=race") == nil)
        let run = try InstantRun(.train)
        var configuration = try configuration(run, "random")
        configuration.train.encoderWeights = run.temporary.file("missing.safetensors")
        let missing = failure { _ = try search(configuration, in: run.folder("none")) }
        #expect(missing?.contains("missing.safetensors") == true && missing?.contains("\n") == false)
        #expect(!FileManager.default.fileExists(atPath: run.folder("none")))
    }
}
