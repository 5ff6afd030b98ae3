import SearchSpace
import TestSupport
import Testing

@Suite("Sequences of choices")
struct ChoiceSequenceTests {
    /// All sequences that are accepted, one legal alternative after the other.
    private func all(_ sequence: ChoiceSequence) -> [[Int]] {
        sequence.choices.indices.reduce([[]]) { made, place in
            made.flatMap { before in
                (0..<sequence.choices[place].count).filter { sequence.legal(after: before)?[$0] ?? true }.map {
                    before + [$0]
                }
            }
        }
    }

    @Test("Choices of a genotype reach every one that random draws reach, and no other", arguments: [false, true])
    func genotypes(longSkips: Bool) throws {
        let (layers, blocks) = (longSkips ? (6, 1) : (4, 2))
        let choices = try GenotypeChoices(layers: layers, blocks: blocks, longSkips: longSkips)
        let made = all(choices.sequence)
        #expect(made.allSatisfy(choices.sequence.accepts))
        let reached = made.map(choices.genotype)
        for genotype in Set(reached) { try genotype.validate() }
        let sampler = try GenotypeSampler(layers: layers, blocks: blocks, longSkips: longSkips)
        let cells = (1...blocks).reduce(1) { $0 * sampler.choices(forBlock: $1) }
        #expect(Set(reached).count == Int(sampler.paths) * cells)
        // Each block's branches come in both orders.
        #expect(reached.count == Set(reached).count << blocks)
        #expect(Set(reached).contains { $0.hasSkips } == longSkips)
    }

    @Test("What is illegal, too short or out of range is not accepted")
    func refused() throws {
        let sequence = try GenotypeChoices(layers: 2, blocks: 1).sequence
        #expect(sequence.accepts([1, 2, 0, 1, 6, 0]))
        let refused = [
            [2, 2, 0, 1, 6, 0], [0, 2, 0, 1, 6, 0], [1, 2, 0, 0, 6, 0], [1, 2, 0, 1, 7, 0], [1, 2, 0, 1, 6],
            [1, 2, 0, 1, 6, 0, 0], [], [-1, 2, 0, 1, 6, 0],
        ]
        for choices in refused { #expect(!sequence.accepts(choices), "\(choices)") }
    }

    @Test("Choices of one head are counted once")
    func heads() {
        let sequence = ChoiceSequence([
            .init(head: "a", count: 2), .init(head: "b", count: 3), .init(head: "a", count: 2),
        ])
        #expect(sequence.heads.map(\.head) == ["a", "b"])
        #expect(sequence.legal(after: [1]) == nil)
    }
}
