import ArchitectureSearch
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

/// Proposals of a controller, what it keeps in its file, and searches by it.
@Suite("Searches by reinforcement")
struct ControllerProposerTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func proposer(
        _ name: String, layers: Int = 4, blocks: Int = 2, seed: Int = 3, judges: Bool = false,
        learningRate: Double = 1e-3
    ) throws -> ControllerProposer {
        try FileManager.default.createDirectory(atPath: temporary.file(name), withIntermediateDirectories: true)
        var settings = PolicyTrainer.Settings()
        // Few rows, so that the tests are fast.
        (settings.buffer, settings.learningRate) = (3, learningRate)
        let sample = GenotypeSample(
            try GenotypeSampler(layers: layers, blocks: blocks), TrainConfiguration(),
            on: InputSpecification(classes: 3, height: 33, width: 33), wanted: nil)
        return ControllerProposer(
            space: GenotypeCandidates(sample, choices: try GenotypeChoices(layers: layers, blocks: blocks)),
            settings: settings, judges: judges, seed: seed, folder: temporary.file(name))
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: ControllerProposer.file(in: temporary.file(name))))
    }

    private func scored(_ candidate: Candidate, _ number: Int) -> ScoredCandidate {
        // The fourth one's training failed.
        let ops = candidate.network.genotype?.cell.blocks.flatMap(\.branches).count { $0.op == .skip } ?? 0
        let score = Double(ops + 1) / 7
        return ScoredCandidate(
            candidate.network, score: number == 3 ? nil : score, reward: number == 3 ? nil : score / 2,
            early: number == 3 ? nil : score / 3)
    }

    /// All candidates of a search, with what stands in their scores' way.
    private func run(
        _ proposer: ControllerProposer, of limit: Int, judges: Bool = false, between: (Int) throws -> Void = { _ in }
    ) throws -> ([Candidate], [Bool]) {
        var (candidates, verdicts): ([Candidate], [Bool]) = ([], [])
        var scores: [ScoredCandidate] = []
        while candidates.count < limit {
            let proposed = try proposer.candidates(after: scores, limit: limit)
            #expect(proposed.count == 1)
            try between(candidates.count)
            let next = scored(proposed[0], candidates.count)
            if judges, let early = next.early { verdicts.append(try proposer.goesOn(early: early, after: scores)) }
            try between(candidates.count)
            candidates += proposed
            scores.append(next)
        }
        return (candidates, verdicts)
    }

    @Test(
        "A search that begins again after each proposal, or without the file, proposes the same and ends with the same bytes",
        arguments: [false, true])
    func resumed(judges: Bool) throws {
        let (wanted, verdicts) = try run(proposer("whole", judges: judges), of: 8, judges: judges)
        #expect(wanted.map(\.name).prefix(2) == ["drawn-1", "drawn-2"] && Set(wanted.map(\.network)).count == 8)
        #expect(verdicts.count == (judges ? 7 : 0))
        let other = try proposer("parts", judges: judges)
        var looks = 0
        let (found, again) = try run(other, of: 8, judges: judges) { number in
            looks += 1
            // Learnt anew from all scores so far.
            if number == 5 || number == 2 {
                try FileManager.default.removeItem(atPath: ControllerProposer.file(in: temporary.file("parts")))
            }
            let scores = wanted.prefix(number).enumerated().map { scored($1, $0) }
            // As a search that goes on does: from the first candidate on.
            for count in 0...number {
                #expect(try other.candidates(after: Array(scores.prefix(count)), limit: 8) == [wanted[count]])
                if judges, count < number, let early = scores[count].early {
                    let verdict = try other.goesOn(early: early, after: Array(scores.prefix(count)))
                    #expect(verdict == verdicts[count < 3 ? count : count - 1])
                }
            }
        }
        #expect(looks == 16 && found == wanted && again == verdicts)
        #expect(try bytes("parts") == bytes("whole"))
    }

    @Test("Of a space with few networks it proposes each once, also where the policy has settled on one")
    func repeats() throws {
        // One path of one layer at 4 or 8, and one block of 49: 98 networks.
        let proposer = try proposer("small", layers: 1, blocks: 1, learningRate: 0.05)
        let (found, _) = try run(proposer, of: 40)
        #expect(Set(found.map(\.network)).count == 40)
    }

    @Test("A damaged file, and scores of networks that it did not propose, are told in one line")
    func refused() throws {
        let proposer = try proposer("run")
        let first = try proposer.candidates(after: [], limit: 4)[0]
        let strange = ScoredCandidate(.genotype(try KnownDesign.deeplabv3.genotype(layers: 4)), score: 0.5)
        let foreign = failure { _ = try proposer.candidates(after: [strange], limit: 4) }
        #expect(foreign?.contains("candidate 1 is not the one that the controller proposes here") == true)
        let path = ControllerProposer.file(in: temporary.file("run"))
        var data = try bytes("run")
        data[data.count - 5] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        let damaged = failure { _ = try proposer.candidates(after: [], limit: 4) }
        #expect(damaged?.hasPrefix(path) == true && damaged?.contains("delete it") == true, "\(damaged ?? "")")
        #expect(damaged?.contains("\n") == false)
        try FileManager.default.removeItem(atPath: path)
        #expect(try proposer.candidates(after: [], limit: 4) == [first])
    }

    @Test("A forged file under a right digest is refused in one line or proposes a network of the space")
    func forged() throws {
        let proposer = try proposer("run", judges: true)
        let (wanted, _) = try run(proposer, of: 3, judges: true)
        let scores = wanted.enumerated().map { scored($1, $0) }
        let path = ControllerProposer.file(in: temporary.file("run"))
        let whole = try Checkpoint(at: path)
        let strange = ["-1", "9223372036854775807", "1e300", "null", "[]", "{}", "\"\\n\"", "0.5", "true", "99999", ""]
        var random = RandomStream(seed: 19)
        var refused = 0
        for number in 0..<150 {
            var checkpoint = whole
            let name = number % 2 == 0 ? "record" : "memory"
            let text = try #require(whole.metadata[name])
            // One of its numbers or words is another.
            let values = text.matches(of: /-?[\d.]+(e-?\d+)?|true|false|null/).map(\.range)
            let place = values[random.below(values.count)]
            checkpoint.metadata[name] = text.replacingCharacters(in: place, with: strange[random.below(strange.count)])
            try checkpoint.write(to: path)
            if let line = failure({ _ = try proposer.candidates(after: Array(scores.prefix(2)), limit: 9) }) {
                refused += 1
                #expect(line.contains(path) && !line.contains("\n"), "\(line)")
            }
        }
        // Values that are of the right kind and in range are a controller's like any other.
        #expect((75..<150).contains(refused), "\(refused)")
        for (name, value) in [("record", "{}"), ("memory", "[")] {
            var checkpoint = whole
            checkpoint.metadata[name] = value
            try checkpoint.write(to: path)
            #expect(failure { _ = try proposer.candidates(after: scores, limit: 9) }?.contains("delete it") == true)
        }
        var checkpoint = whole
        for section in whole.sections.keys.sorted() {
            for tensor in (whole.sections[section] ?? [:]).keys.sorted().prefix(2) {
                checkpoint.sections[section]?[tensor] = .full(.nan, [3])
            }
        }
        try checkpoint.write(to: path)
        #expect(failure { _ = try proposer.candidates(after: scores, limit: 9) }?.contains("delete it") == true)
    }

    @Test(
        "A search whose candidates are judged half-way trains on those that pass, and goes on with the same after stops"
    )
    func judged() throws {
        let run = try InstantRun(.train)
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "seed=3", "search.method=reinforcement", "search.candidates=4", "search.reduction=2",
                "train.epochs=8", "search.controller.stopping=true", "search.layers=3", "search.blocks=1",
            ])
        configuration.data.root = run.data
        let wanted = try CandidateSearch(configuration, output: run.folder("whole"), resume: false)
            .run(reporter: SilentReporter(), interruption: Interruption())
        #expect(wanted.epochs == [2, 4, 8])
        for row in wanted.rows {
            let log = try String(contentsOfFile: run.folder("whole/\(row.name)/log.jsonl"), encoding: .utf8)
            let epochs = log.split(separator: "\n").count
            #expect(epochs == (row.scores.isEmpty ? 1 : wanted.epochs[row.scores.count - 1]))
            #expect(log.contains("\"reward\""))
        }
        let (found, stops) = try stoppedOften(every: 7) { resume, reporter, interruption in
            try CandidateSearch(configuration, output: run.folder("parts"), resume: resume)
                .run(reporter: reporter, interruption: interruption)
        }
        #expect(stops > 3 && found == wanted)
        try run.expectSame(["model.safetensors", "candidates.json", "controller.safetensors"], in: "whole", "parts")
    }
}
