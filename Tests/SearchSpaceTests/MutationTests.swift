import SearchSpace
import TestSupport
import Testing

@Suite("Mutations of genotypes")
struct MutationTests {
    private static let space = (layers: 3, blocks: 2)

    /// Every genotype of a small space with two operators.
    private func all(_ operators: [SearchSpace.Operator]) throws -> [Genotype] {
        let sampler = try GenotypeSampler(layers: Self.space.layers, blocks: Self.space.blocks)
        func blocks(_ number: Int) -> [Block] {
            (0..<sampler.choices(forBlock: number)).map { sampler.block(number, $0) }.filter {
                $0.branches.allSatisfy { operators.contains($0.op) }
            }
        }
        return (0..<sampler.paths).flatMap { path in
            blocks(1).flatMap { first in
                blocks(2).map { Genotype(path: sampler.path(path), cell: Cell(blocks: [first, $0])) }
            }
        }
    }

    /// In how many choices two genotypes of the space differ: strides, and branches whose input or operator does.
    private func differences(_ a: Genotype, _ b: Genotype) -> (strides: Int, inputs: Int, operators: Int) {
        let strides = zip(a.path, b.path).count { $0 != $1 }
        var (inputs, operators) = (0, 0)
        for (first, second) in zip(a.cell.blocks, b.cell.blocks) {
            let (x, y) = (Set(first.branches.map(\.input)), Set(second.branches.map(\.input)))
            inputs += x.subtracting(y).count
            // Branches that kept their input, and the two that exchanged it, are compared.
            let rest =
                first.branches.filter { !y.contains($0.input) } + second.branches.filter { !x.contains($0.input) }
            for branch in first.branches {
                if let other = second.branches.first(where: { $0.input == branch.input }), other.op != branch.op {
                    operators += 1
                }
            }
            if rest.count == 2, rest[0].op != rest[1].op { operators += 1 }
            if rest.count == 4 { operators += 2 }
        }
        return (strides, inputs, operators)
    }

    @Test("The mutants of every genotype of a small space are those that differ in one choice, each once")
    func bruteForce() throws {
        let operators = [SearchSpace.Operator.skip, .atrous3x3]
        let space = try all(operators)
        let known = Set(space)
        // Some hundred of them: all would take minutes.
        for genotype in stride(from: 0, to: space.count, by: max(1, space.count / 150)).map({ space[$0] }) {
            for mutation in Genotype.Mutation.allCases {
                let found = genotype.mutants(mutation)
                #expect(Set(found).count == found.count)
                for mutant in found { try mutant.validate() }
                let wanted = space.filter { other in
                    let found = differences(genotype, other)
                    switch mutation {
                    case .stride: return found == (1, 0, 0)
                    case .input: return found == (0, 1, 0)
                    case .op: return found == (0, 0, 1)
                    case .longSkip: return false
                    }
                }
                #expect(Set(found).intersection(known) == Set(wanted), "\(mutation) of \(genotype)")
            }
        }
    }

    @Test("Kinds of choices are equally likely, and each value within its kind")
    func frequencies() throws {
        let sampler = try GenotypeSampler(layers: 3, blocks: 2)
        var random = SplitMix(state: 3)
        let genotype = sampler.genotype { random.next() }
        var counts: [Genotype: Int] = [:]
        let draws = 60_000
        for _ in 0..<draws { counts[genotype.mutated { random.next() }, default: 0] += 1 }
        let kinds = [Genotype.Mutation.input, .op, .stride].map { genotype.mutants($0) }.filter { !$0.isEmpty }
        for mutants in kinds {
            let expected = Double(draws) / Double(kinds.count * mutants.count)
            for mutant in mutants {
                let count = Double(counts[mutant] ?? 0)
                // Six standard deviations.
                #expect(abs(count - expected) < 6 * expected.squareRoot(), "\(count) for \(expected)")
            }
        }
        #expect(counts.values.reduce(0, +) == draws && counts[genotype] == nil)
    }

    @Test("Where only the path can change, the path changes; where nothing can, nothing does")
    func degenerate() throws {
        let block = Block(first: Branch(input: .previous, op: .skip), second: Branch(input: .previous2, op: .skip))
        let one = Genotype(path: [.s4], cell: Cell(blocks: [block]))
        #expect(one.mutants(.input).isEmpty)
        #expect(one.mutants(.stride).map(\.path) == [[.s8]])
        #expect(one.mutants(.op).count == 2 * 6)
    }
}
