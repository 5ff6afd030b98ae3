import SearchSpace
import TestSupport
import Testing

@Suite("The space of decoders")
struct DecoderSpaceTests {
    /// All sequences of choices of a space.
    private func allChoices(_ space: DecoderSpace) -> [[Int]] {
        space.choices.reduce([[]]) { sequences, choice in
            sequences.flatMap { sequence in (0..<choice.options).map { sequence + [$0] } }
        }
    }

    private func random(_ seed: UInt64) -> DecoderGenotype {
        var bits = SplitMix(state: seed)
        return DecoderSpace.published.sample { bits.next() }
    }

    @Test func choicesAreThePublishedOnes() {
        let options = DecoderSpace.published.choices.map(\.options)
        #expect(options == [4, 4, 5, 5, 6, 6, 11, 2, 2, 11, 11, 5, 5, 11, 11, 8, 8, 11, 11])
        let kinds = DecoderSpace.published.choices.map(\.kind)
        #expect(kinds.count { $0 == .map } == 6 && kinds.count { $0 == .operation } == 7)
        #expect(DecoderSpace.published.count == 14_400 * 124_717_894_400)
        #expect(KnownDecoder.arch0.genotype.choices == [3, 3, 3, 2, 3, 0, 8, 0, 0, 5, 2, 0, 2, 8, 8, 0, 5, 1, 4])
        #expect(KnownDecoder.arch1.genotype.choices == [2, 3, 3, 1, 4, 4, 2, 1, 0, 3, 6, 0, 1, 2, 8, 2, 0, 6, 1])
        #expect(KnownDecoder.arch2.genotype.choices == [1, 3, 4, 3, 2, 2, 5, 0, 0, 4, 1, 3, 2, 0, 1, 5, 6, 5, 0])
    }

    @Test func choicesAndGenotypesCorrespond() throws {
        for seed in 0..<200 {
            let genotype = random(UInt64(seed))
            try genotype.validate()
            #expect(try DecoderGenotype(choices: genotype.choices) == genotype)
        }
        #expect(throws: SearchSpaceError(location: "choices", problem: "there are 18, but a decoder has 19")) {
            try DecoderGenotype(choices: Array(repeating: 0, count: 18))
        }
        var choices = Array(repeating: 0, count: 19)
        choices[7] = 2
        #expect(throws: SearchSpaceError(location: "choices[7]", problem: "2 is not between 0 and 1")) {
            try DecoderGenotype(choices: choices)
        }
        choices[7] = -1
        #expect(throws: SearchSpaceError.self) { try DecoderGenotype(choices: choices) }
    }

    /// Maps, blocks, nodes and operations of spaces that can be gone through.
    @Test(arguments: [[4, 1, 1, 3], [2, 3, 1, 1], [2, 1, 2, 2], [1, 1, 2, 3], [1, 1, 3, 1], [3, 2, 1, 2]])
    func countsAreThoseOfReducedSpaces(sizes: [Int]) {
        let space = DecoderSpace(maps: sizes[0], blocks: sizes[1], nodes: sizes[2], operations: sizes[3])
        let all = allChoices(space).map(space.genotype)
        #expect(space.count == UInt128(all.count) && Set(all).count == all.count)
        #expect(space.distinctCount == UInt128(Set(all.map(\.canonical)).count))
        // Two forms are one exactly where a sequence of exchanges leads from one to the other.
        for genotype in all.prefix(2_000) {
            #expect(exchanges(genotype).allSatisfy { $0.canonical == genotype.canonical })
            #expect(genotype.canonical.canonical == genotype.canonical)
        }
    }

    /// The genotype with one pair in the other order, positions following.
    private func exchanges(_ genotype: DecoderGenotype) -> [DecoderGenotype] {
        let blocks = genotype.blocks.indices.map { index in
            var result = genotype
            result.blocks[index] = DecoderBlock(genotype.blocks[index].second, genotype.blocks[index].first)
            return result
        }
        let nodes = genotype.cell.nodes.indices.map { index in
            var result = genotype
            let node = genotype.cell.nodes[index]
            result.cell.nodes[index] = DecoderNode(node.second, node.first)
            let (first, second) = (3 * index + 2, 3 * index + 3)
            func moved(_ branch: DecoderBranch) -> DecoderBranch {
                let position =
                    branch.position == first ? second : branch.position == second ? first : branch.position
                return DecoderBranch(position, branch.operation)
            }
            for later in genotype.cell.nodes.indices.dropFirst(index + 1) {
                let node = genotype.cell.nodes[later]
                result.cell.nodes[later] = DecoderNode(moved(node.first), moved(node.second))
            }
            return result
        }
        return blocks + nodes
    }

    @Test func countOfThePublishedSpace() {
        // Worked out by another program, which goes through reduced spaces as well.
        #expect(DecoderSpace.published.distinctCount == 3_150 * 16_079_317_199)
    }

    /// Two equal branches can only be told apart by what reads them.
    @Test func equalBranchesAreExchanged() {
        var genotype = KnownDecoder.arch0.genotype
        genotype.cell.nodes[0] = DecoderNode(DecoderBranch(0, .skip), DecoderBranch(0, .skip))
        var other = genotype
        other.cell.nodes[1].second.position = 3
        #expect(genotype.cell.nodes[1].second.position == 2 && genotype.canonical == other.canonical)
        other.cell.nodes[1].second.position = 4
        #expect(genotype.canonical != other.canonical)
    }

    @Test func everyChoiceIsDrawnUniformly() {
        var bits = SplitMix(state: 3)
        let draws = (0..<22_000).map { _ in DecoderSpace.published.sample { bits.next() }.choices }
        for (index, choice) in DecoderSpace.published.choices.enumerated() {
            let expected = Double(draws.count) / Double(choice.options)
            let chiSquare = (0..<choice.options).reduce(0.0) { sum, option in
                let difference = Double(draws.count { $0[index] == option }) - expected
                return sum + difference * difference / expected
            }
            // With 10 degrees of freedom it exceeds 35 in one of some ten thousand seeds.
            #expect(chiSquare < 35, "choice \(index)")
        }
        #expect(random(5) == random(5) && random(5) != random(6))
    }

    @Test func mutantsDifferInOneChoice() throws {
        var bits = SplitMix(state: 9)
        var changed = Set<[Int]>()
        let parent = KnownDecoder.arch0.genotype
        for _ in 0..<6_000 {
            let mutant = parent.mutated { bits.next() }
            try mutant.validate()
            let differences = zip(parent.choices, mutant.choices).enumerated().filter { $0.element.0 != $0.element.1 }
            #expect(differences.count == 1 && mutant.canonical != parent.canonical)
            for (index, pair) in differences { changed.insert([index, pair.1]) }
        }
        // Each other option of each choice: none of them makes the same decoder of this one.
        #expect(changed.count == DecoderSpace.published.choices.reduce(0) { $0 + $1.options - 1 })
    }

    @Test func looseEndsAndStrides() {
        let (arch0, arch1, arch2) = (
            KnownDecoder.arch0.genotype, KnownDecoder.arch1.genotype, KnownDecoder.arch2.genotype
        )
        #expect(arch0.looseMaps == [4, 5, 6] && arch1.looseMaps == [5, 6] && arch2.looseMaps == [5, 6])
        #expect([arch0, arch1, arch2].map(\.stride) == [4, 8, 8])
        #expect(arch0.strides == [4, 8, 16, 32, 32, 16, 4] && arch1.strides == [4, 8, 16, 32, 16, 8, 16])
        #expect(arch0.cell.loosePositions == [1, 4, 7, 10] && arch1.cell.loosePositions == [4, 7, 10])
    }
}
