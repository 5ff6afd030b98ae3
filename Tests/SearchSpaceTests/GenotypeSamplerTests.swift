import SearchSpace
import TestSupport
import Testing

@Suite struct SamplingTests {
    /// Numbers and paths correspond one to one, so a uniform number is a uniform path.
    @Test(arguments: 1...7) func everyPathHasOneNumber(layers: Int) throws {
        let sampler = try GenotypeSampler(layers: layers, blocks: 1)
        let all = allPaths(layers: layers)
        #expect(sampler.paths == UInt128(all.count))
        let found = (0..<all.count).map { sampler.path(UInt128($0)) }
        #expect(Set(found) == Set(all) && found.count == all.count)
    }

    @Test func pathsAreThePublishedNumber() throws {
        #expect(try GenotypeSampler().paths == 75_025)
        // Every second of Fibonacci's numbers: the most layers that may be asked for still have their count.
        var (before, now) = (UInt128(0), UInt128(1))
        for _ in 1..<(2 * 64 + 1) { (before, now) = (now, before + now) }
        #expect(try GenotypeSampler(layers: 64, blocks: 16).paths == now)
    }

    /// The same for the choices of a block, against pairs and operators written as loops.
    @Test(arguments: 1...5) func everyBlockHasOneNumber(block: Int) throws {
        let sampler = try GenotypeSampler(layers: 1, blocks: 5)
        var all: Set<Block> = []
        let operators = Operator.allCases.filter { $0 != .none }
        for later in 0...block {
            for earlier in 0..<later {
                for first in operators {
                    for second in operators {
                        all.insert(
                            Block(
                                first: Branch(input: CellInput(index: earlier), op: first),
                                second: Branch(input: CellInput(index: later), op: second)))
                    }
                }
            }
        }
        let count = sampler.choices(forBlock: block)
        #expect(count == all.count && count == (block + 1) * block / 2 * 49)
        #expect(Set((0..<count).map { sampler.block(block, $0) }) == all)
    }

    /// 30,000 draws among 5 paths times 49 cells: chi square with 244 degrees of freedom, which exceeds 330 in one of
    /// some ten thousand seeds.
    @Test func drawsAreUniform() throws {
        let sampler = try GenotypeSampler(layers: 2, blocks: 1)
        var seeded = SplitMix(state: 7)
        var counts: [Genotype: Int] = [:]
        for _ in 0..<30_000 { counts[sampler.genotype { seeded.next() }, default: 0] += 1 }
        #expect(counts.count == 5 * 49)
        let expected = 30_000.0 / (5 * 49)
        let chiSquare = counts.values.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 330 && chiSquare > 170)
    }

    @Test(arguments: [(1, 1), (12, 5), (64, 16)]) func drawsAreValidAndRepeat(layers: Int, blocks: Int) throws {
        let sampler = try GenotypeSampler(layers: layers, blocks: blocks)
        for seed in 0..<20 {
            var (one, other) = (SplitMix(state: UInt64(seed)), SplitMix(state: UInt64(seed)))
            let genotype = sampler.genotype { one.next() }
            try genotype.validate()
            #expect(genotype.layers == layers && genotype.blocks == blocks)
            #expect(genotype == sampler.genotype { other.next() })
            for block in genotype.cell.blocks {
                #expect(block.first.input.index < block.second.input.index)
                #expect(block.first.op != .none && block.second.op != .none)
            }
        }
    }

    @Test func sizesAreBounded() {
        for (layers, blocks) in [(0, 5), (65, 5), (12, 0), (12, 17)] {
            #expect(throws: SearchSpaceError.self) { try GenotypeSampler(layers: layers, blocks: blocks) }
        }
    }
}
