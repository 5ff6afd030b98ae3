import Comparisons
import Configurations
import Experiments
import SearchSpace
import TestSupport
import Testing

@Suite("Samples of genotypes")
struct SampleTests {
    private let images = InputSpecification(classes: 11, height: 97, width: 129)

    private var train: TrainConfiguration {
        get throws { try Configuration.resolve(preset: "camvid-small").train }
    }

    private func sample(
        _ wanted: GenotypeSample.Wanted? = nil, layers: Int = 8, blocks: Int = 4
    ) throws -> GenotypeSample {
        GenotypeSample(try GenotypeSampler(layers: layers, blocks: blocks), try train, on: images, wanted: wanted)
    }

    @Test("A seed gives the same genotypes, all different; the first of more are those of fewer")
    func seeds() throws {
        let ten = try sample().draw(count: 10, seed: 3)
        #expect(ten == (try sample().draw(count: 10, seed: 3)))
        #expect(Array(ten.prefix(4)) == (try sample().draw(count: 4, seed: 3)))
        #expect(Set(ten.map(\.genotype)).count == 10)
        #expect(try sample().draw(count: 1, seed: 4)[0] != ten[0])
    }

    @Test("A wanted cost is kept, at the configuration's filters or at each genotype's own", arguments: [false, true])
    func cost(anyFilters: Bool) throws {
        let base = try train.cost(of: KnownDesign.deeplabv3.genotype(layers: 8), on: images).multiplyAdds
        let range = 0.9 * Double(base)...1.1 * Double(base)
        let items = try sample(.init(multiplyAdds: range, anyFilters: anyFilters)).draw(count: 6, seed: 0)
        #expect(items.count == 6)
        for item in items {
            var own = try train
            #expect(anyFilters || item.filters == own.filters)
            own.filters = item.filters
            #expect(own.cost(of: item.genotype, on: images) == item.cost)
            #expect(range.contains(Double(item.cost.multiplyAdds)))
        }
        #expect(!anyFilters || Set(items.map(\.filters)).count > 1)
    }

    @Test("A small space is drawn empty, and more than it holds is one line")
    func exhaustion() throws {
        let all = try sample(layers: 1, blocks: 1).draw(count: 2 * 49, seed: 0)
        #expect(Set(all.map(\.genotype)).count == 98)
        let more = failure { _ = try sample(layers: 1, blocks: 1).draw(count: 99, seed: 0) }
        #expect(more?.hasPrefix("only 98 of 99 genotypes found: the last 20000 were all there already; ") == true)
        let cheap = failure { _ = try sample(.init(multiplyAdds: 1...2)).draw(count: 1, seed: 0) }
        #expect(
            cheap?.hasPrefix("only 0 of 1 genotypes found: none of the last 20000 has 1 to 2 multiply-adds (they have")
                == true)
    }
}
