import ArchitectureSearch
import Comparisons
import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing

/// Decoders as candidates: what is drawn, changed and chosen, gone through in small spaces, and what stops a training.
@Suite("Decoders as candidates")
struct DecoderCandidatesTests {
    private func genotypes(_ networks: [NetworkChoice]) throws -> [DecoderGenotype] {
        try networks.map { try #require($0.decoderGenotype) }
    }

    /// All genotypes of a small space, each once whatever its form.
    private func all(_ space: DecoderSpace) -> Set<DecoderGenotype> {
        let sequences = space.choices.reduce([[]]) { sequences, choice in
            sequences.flatMap { sequence in (0..<choice.options).map { sequence + [$0] } }
        }
        return Set(sequences.map { space.genotype($0).canonical })
    }

    @Test("Draws of a small space are its decoders, each once, and no more", arguments: [[2, 2, 1, 2], [3, 1, 2, 1]])
    func draws(sizes: [Int]) throws {
        let space = DecoderSpace(maps: sizes[0], blocks: sizes[1], nodes: sizes[2], operations: sizes[3])
        let candidates = DecoderCandidates(.mobileNetV2, limits: nil, space: space)
        let count = Int(space.distinctCount)
        let drawn = try candidates.draw(count: count, seed: 5)
        #expect(try Set(genotypes(drawn.map(\.network))) == all(space) && drawn.count == count)
        #expect(try candidates.draw(count: 4, seed: 5) == Array(drawn.prefix(4)))
        let error = failure { _ = try candidates.draw(count: count + 1, seed: 5) }
        #expect(error?.hasPrefix("only \(count) of \(count + 1) decoders found") == true, "\(error ?? "")")
    }

    @Test("Mutants of every decoder of a small space are those that differ in one choice, whatever the order of pairs")
    func mutants() throws {
        let space = DecoderSpace(maps: 2, blocks: 1, nodes: 2, operations: 2)
        let candidates = DecoderCandidates(.mobileNetV2, limits: nil, space: space)
        let decoders = all(space).sorted { $0.choices.lexicographicallyPrecedes($1.choices) }
        let options = space.choices.map(\.options)
        for parent in stride(from: 0, to: decoders.count, by: 7).map({ decoders[$0] }) {
            let wanted = Set(
                options.indices.flatMap { place in
                    (0..<options[place]).map { option in
                        var choices = parent.choices
                        choices[place] = option
                        return space.genotype(choices).canonical
                    }
                }
            ).subtracting([parent.canonical])
            var bits = SplitMix(state: 1)
            let network = NetworkChoice.encoder(.mobileNetV2, .searched(parent))
            let found = (0..<600).compactMap { _ in candidates.mutant(of: network) { bits.next() } }
            #expect(found.count == 600)
            #expect(try Set(genotypes(found)) == wanted)
        }
        #expect(candidates.mutant(of: .encoder(.mobileNetV2, .light)) { 0 } == nil)
    }

    @Test("A controller's choices are those of the space, and reach every decoder")
    func choices() throws {
        let space = DecoderSpace(maps: 2, blocks: 2, nodes: 1, operations: 2)
        let candidates = DecoderCandidates(.mobileNetV2, limits: nil, space: space)
        #expect(candidates.sequence.choices.map(\.count) == space.choices.map(\.options))
        let sequences = space.choices.reduce([[]]) { sequences, choice in
            sequences.flatMap { sequence in (0..<choice.options).map { sequence + [$0] } }
        }
        #expect(sequences.allSatisfy(candidates.sequence.accepts))
        #expect(try Set(genotypes(sequences.map(candidates.network))) == all(space))
        let published = DecoderCandidates(.efficientNetLite0, limits: nil)
        #expect(
            published.network(KnownDecoder.arch0.genotype.choices)
                == .encoder(.efficientNetLite0, .searched(KnownDecoder.arch0.genotype.canonical)))
    }

    @Test("What is drawn and changed is within the limits, counted with the widths of the search")
    func limits() throws {
        var (train, values) = (TrainConfiguration(), LimitConfiguration())
        (train.cellChannels, train.cellRepeats) = (48, 1)
        let images = InputSpecification(classes: 21, height: 257, width: 257)
        func cost(_ network: NetworkChoice) -> Int { network.cost(train, on: images).multiplyAdds }
        let open = try DecoderCandidates(.mobileNetV2, limits: nil).draw(count: 40, seed: 1).map { cost($0.network) }
        values.multiplyAdds = Double(open.sorted()[12])
        let limits = try CostLimits(values, train, on: images) { throw RunError(.missing, path: "", "no latency") }
        let candidates = DecoderCandidates(.mobileNetV2, limits: limits)
        let drawn = try candidates.draw(count: 20, seed: 1)
        #expect(drawn.allSatisfy { Double(cost($0.network)) <= values.multiplyAdds })
        #expect(Array(open.filter { Double($0) <= values.multiplyAdds }) == drawn.prefix(13).map { cost($0.network) })
        values.multiplyAdds = 1
        let none = try CostLimits(values, train, on: images) { throw RunError(.missing, path: "", "no latency") }
        let error = failure { _ = try DecoderCandidates(.mobileNetV2, limits: none).draw(count: 1, seed: 1) }
        #expect(error?.contains("only 0 of 1 decoders found") == true && error?.contains("\n") == false)
        #expect(error?.contains("billion multiply-adds, over") == true, "\(error ?? "")")
    }

    @Test("Evolution and a controller propose decoders, each once")
    func proposers() throws {
        let folder = try TemporaryFolder()
        let space = DecoderCandidates(.mobileNetV2, limits: nil)
        var settings = PolicyTrainer.Settings()
        settings.buffer = 3
        let proposers: [any CandidateProposer] = [
            EvolutionProposer(space: space, seed: 2, population: 4),
            ControllerProposer(space: space, settings: settings, seed: 2, folder: folder.path),
            PoolProposer(given: [], space: space, seed: 2),
        ]
        for proposer in proposers {
            var scored: [ScoredCandidate] = []
            while scored.count < 12 {
                let proposed = try proposer.candidates(after: scored, limit: 12)
                #expect(!proposed.isEmpty)
                scored += try proposed.map { candidate in
                    let genotype = try #require(candidate.network.decoderGenotype)
                    try genotype.validate()
                    #expect(genotype == genotype.canonical)
                    return ScoredCandidate(candidate.network, score: Double(genotype.stride) / 32)
                }
            }
            #expect(Set(scored.map(\.network)).count == 12)
        }
    }

    @Test("A rule judges as a judge does who sees the rewards one after the other; failed trainings say nothing")
    func rule() throws {
        let rewards: [Double?] = [0.3, 0.2, nil, 0.001, 0.25, 0.002, 0.004, 0.3, nil, 0.003, 0.006]
        let network = NetworkChoice.encoder(.mobileNetV2, .light)
        var judge = StoppingJudge()
        var verdicts: [Bool] = []
        for (number, reward) in rewards.enumerated() {
            let before = rewards.prefix(number).map { ScoredCandidate(network, score: nil, early: $0) }
            guard let reward else { continue }
            let verdict = StoppingRule(seed: 9).goesOn(early: reward, after: before)
            var stream = RandomStream(seed: 9, 2, number)
            #expect(verdict == judge.goesOn(score: reward) { stream.uniform() })
            verdicts.append(verdict)
        }
        #expect(verdicts.contains(true) && verdicts.contains(false))
        #expect(verdicts.prefix(2) == [true, true])
    }
}
