import SearchSpace
import Testing

@Suite struct EqualCostTests {
    /// All multipliers, sorted by their distance: another way than the one under test.
    @Test(arguments: KnownDesign.allCases, [3_000_000, 120_000_000, 2_000_000_000])
    func closestFiltersByBruteForce(design: KnownDesign, wanted: Int) throws {
        let widths = NetworkWidths(stem: [16, 16, 32], aspp: 24, decoder: 24, lowLevel: 8)
        let genotype = try design.genotype()
        let all = (1...1024).map { filters in
            let cost = Cost.of(genotype, filters: filters, classes: 7, height: 97, width: 129, widths: widths)
            return (distance: abs(cost.multiplyAdds - wanted), filters: filters, cost: cost)
        }
        let best = try #require(all.sorted { ($0.distance, $0.filters) < ($1.distance, $1.filters) }.first)
        let found = Cost.filters(
            of: genotype, closestTo: wanted, classes: 7, height: 97, width: 129, widths: widths)
        #expect(found.filters == best.filters && found.cost == best.cost)
    }

    @Test func aNetworkIsClosestToItself() throws {
        let genotype = try KnownDesign.autoDeepLab.genotype()
        for filters in [1, 20, 33, 1024] {
            let cost = Cost.of(genotype, filters: filters, classes: 19, height: 65, width: 65)
            let found = Cost.filters(
                of: genotype, closestTo: cost.multiplyAdds, classes: 19, height: 65, width: 65)
            #expect(found.filters == filters && found.cost == cost)
        }
        #expect(Cost.filters(of: genotype, closestTo: 0, classes: 19, height: 65, width: 65).filters == 1)
        #expect(Cost.filters(of: genotype, closestTo: .max, classes: 19, height: 65, width: 65).filters == 1024)
    }

    @Test func designsWithTheirLayers() throws {
        #expect(try KnownDesign.genotype(named: "deeplabv3") == KnownDesign.deeplabv3.genotype())
        #expect(try KnownDesign.genotype(named: "conv-deconv:9") == KnownDesign.convDeconv.genotype(layers: 9))
        #expect(try KnownDesign.genotype(named: "auto-deeplab:12") == KnownDesign.autoDeepLab.genotype())
        #expect(try KnownDesign.genotype(named: "deeplabv4:9") == nil && KnownDesign.genotype(named: "") == nil)
        for (argument, problem) in [
            ("auto-deeplab:13", "auto-deeplab: layers: the design has exactly 12 layers, not 13"),
            ("conv-deconv:", "conv-deconv: layers: '' is not a whole number; write it as conv-deconv:12"),
            ("conv-deconv:9:9", "conv-deconv: layers: '9:9' is not a whole number; write it as conv-deconv:12"),
        ] {
            let error = #expect(throws: SearchSpaceError.self) { try KnownDesign.genotype(named: argument) }
            #expect(error?.description == problem)
        }
    }
}
