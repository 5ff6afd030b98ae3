import Foundation
import SearchSpace
import TestSupport
import Testing

/// The long skip that a layer may have, as ALGORITHM 11 defines it, by search.
private func source(of layer: Int, along path: [Stride]) -> Int? {
    let strides = [Stride.s4] + path
    guard strides[layer - 1].rawValue == 2 * strides[layer].rawValue else { return nil }
    guard let latest = (0..<layer - 1).last(where: { strides[$0] == strides[layer] }) else { return nil }
    return latest < layer - 2 ? latest : nil
}

/// A path's long skips, each there or not.
private func allSkips(along path: [Stride]) -> [[Int?]] {
    (1...path.count).reduce([[]]) { found, layer in
        let source = source(of: layer, along: path)
        return found.flatMap { source == nil ? [$0 + [nil]] : [$0 + [nil], $0 + [source]] }
    }
}

private struct PathWithSkips: Hashable {
    var path: [Stride]
    var skips: [Int?]
}

private func all(layers: Int) -> [PathWithSkips] {
    allPaths(layers: layers).flatMap { path in allSkips(along: path).map { PathWithSkips(path: path, skips: $0) } }
}

private func genotype(_ path: [Int], _ skips: [Int?]? = nil) -> Genotype {
    Genotype(path: path.compactMap { Stride(rawValue: $0) }, skips: skips, cell: .published)
}

@Suite("Long skips of a path")
struct LongSkipTests {
    @Test("Sources are the latest layers at the same stride", arguments: 1...8)
    func sources(layers: Int) {
        for path in allPaths(layers: layers) {
            #expect(LongSkips.sources(along: path) == (1...layers).map { source(of: $0, along: path) })
        }
    }

    @Test("Paths with skips are as many as their enumeration", arguments: 1...8)
    func counts(layers: Int) {
        let all = all(layers: layers)
        #expect(SpaceCounts.pathsWithSkips(layers: layers, reading: .firstLayerFree) == Double(all.count))
        #expect(SpaceCounts.pathsWithSkips(layers: layers) == Double(all.count { $0.path[0] == .s4 }))
    }

    /// By an enumeration outside this program.
    @Test("Paths with skips of 5, 7 and 12 layers")
    func knownCounts() {
        #expect(SpaceCounts.pathsWithSkips(layers: 5, reading: .firstLayerFree) == 117)
        #expect(SpaceCounts.pathsWithSkips(layers: 7, reading: .firstLayerFree) == 1_037)
        #expect(SpaceCounts.pathsWithSkips(reading: .firstLayerFree) == 254_081)
        #expect(SpaceCounts.pathsWithSkips() == 84_466)
    }

    @Test("Numbers, paths and skips correspond one to one", arguments: 1...7)
    func sampledNumbers(layers: Int) throws {
        let sampler = try GenotypeSampler(layers: layers, blocks: 1, longSkips: true)
        let all = all(layers: layers)
        #expect(sampler.paths == UInt128(all.count))
        let found = (0..<all.count).map { number -> PathWithSkips in
            let (path, skips) = sampler.pathWithSkips(UInt128(number))
            return PathWithSkips(path: path, skips: skips)
        }
        #expect(Set(found) == Set(all) && found.count == all.count)
    }

    @Test("The largest sampler has its count, and draws valid genotypes with and without skips")
    func largestSampler() throws {
        #expect(try GenotypeSampler(longSkips: true).paths == 254_081)
        let sampler = try GenotypeSampler(layers: 64, blocks: 2, longSkips: true)
        let counted = SpaceCounts.pathsWithSkips(layers: 64, reading: .firstLayerFree)
        #expect(abs(Double(sampler.paths) / counted - 1) < 1e-12)
        var random = SplitMix(state: 4)
        let drawn = (0..<50).map { _ in sampler.genotype { random.next() } }
        for genotype in drawn { try genotype.validate() }
        #expect(drawn.contains { $0.hasSkips })
        let plain = try GenotypeSampler(layers: 64, blocks: 2)
        #expect(!(0..<50).contains { _ in plain.genotype { random.next() }.hasSkips })
    }

    @Test("Mutants with skips are those that differ in one of them, or in one stride with the skips that can stay")
    func mutants() throws {
        let space = all(layers: 6)
        for one in space {
            let genotype = Genotype(path: one.path, skips: one.skips, cell: .published)
            let toggled = genotype.mutants(.longSkip)
            let wanted = space.filter { other in
                other.path == one.path && zip(other.skips, one.skips).count { $0 != $1 } == 1
            }
            #expect(Set(toggled.map(\.skips)) == Set(wanted.map(\.skips)) && toggled.count == wanted.count)
            for mutant in genotype.mutants(.stride) {
                try mutant.validate()
                for layer in 1...6 {
                    let kept = one.skips[layer - 1] == nil ? nil : source(of: layer, along: mutant.path)
                    #expect(mutant.skips[layer - 1] == kept)
                }
            }
        }
    }

    @Test("Mutations reach skips only where they are asked for")
    func mutationOption() {
        let unet = genotype([8, 16, 8, 4])
        var random = SplitMix(state: 9)
        #expect(!(0..<200).contains { _ in unet.mutated { random.next() }.hasSkips })
        #expect((0..<200).contains { _ in unet.mutated(longSkips: true) { random.next() }.hasSkips })
    }
}

@Suite("Genotypes with long skips")
struct SkippingGenotypeTests {
    private let unet = genotype([4, 8, 16, 32, 16, 8, 4], [nil, nil, nil, nil, nil, 2, 1])

    @Test("Skips stand in the file behind the path, and only where there are any")
    func file() throws {
        let lines = String(decoding: unet.json(), as: UTF8.self).split(separator: "\n")
        #expect(lines[1] == " \"path\": [4, 8, 16, 32, 16, 8, 4],")
        #expect(lines[2] == " \"skips\": [null, null, null, null, null, 2, 1],")
        let plain = unet.withoutSkips
        #expect(!String(decoding: plain.json(), as: UTF8.self).contains("skips"))
        #expect(!String(decoding: try JSONEncoder().encode(plain), as: UTF8.self).contains("skips"))
        for genotype in [unet, plain] {
            #expect(try Genotype(json: genotype.json(), source: "memory") == genotype)
            let coded = try JSONEncoder().encode(genotype)
            #expect(try JSONDecoder().decode(Genotype.self, from: coded) == genotype)
            #expect(try Genotype(json: coded, source: "memory") == genotype)
        }
    }

    @Test("A file whose skips are all null is one without")
    func allNull() throws {
        let text = String(decoding: unet.json(), as: UTF8.self).replacing("2, 1]", with: "null, null]")
        #expect(text.contains("null, null, null, null, null, null, null"))
        #expect(try Genotype(json: Data(text.utf8), source: "memory") == unet.withoutSkips)
    }

    @Test(
        "What is wrong with a skip is one line",
        arguments: [
            ("[null, null, null, null, null, 2]", "skips: 6 entries, but 'layers' says 7"),
            (
                "[1, null, null, null, null, 2, 1]",
                "skips[0]: layer 1 does not move to a finer stride, so it has no long skip; use null"
            ),
            (
                "[null, null, null, 1, null, 2, 1]",
                "skips[3]: layer 4 does not move to a finer stride, so it has no long skip; use null"
            ),
            (
                "[null, null, null, null, 3, 2, 1]",
                "skips[4]: layer 5 reads layer 3 at its own stride anyway, so it has no long skip; use null"
            ),
            (
                "[null, null, null, null, null, 3, 1]",
                "skips[5]: layer 6 cannot skip from layer 3; its source is 2 or null for none"
            ),
            (
                "[null, null, null, null, null, 2, 0]",
                "skips[6]: layer 7 cannot skip from layer 0; its source is 1 or null for none"
            ),
            (
                "[null, null, null, null, null, 2, \"1\"]",
                "skips[6]: expected a whole number or null, found the text '1'"
            ),
            ("[null, null, null, null, null, 2, 1.0]", "skips[6]: expected a whole number, found the number 1.0"),
            ("[null, null, null, null, null, 2, true]", "skips[6]: expected a whole number or null, found true"),
            ("null", "skips: expected a list, found null"),
        ])
    func malformed(skips: String, problem: String) {
        let text = String(decoding: unet.json(), as: UTF8.self)
            .replacing("[null, null, null, null, null, 2, 1]", with: skips)
        let error = #expect(throws: SearchSpaceError.self) { try Genotype(json: Data(text.utf8), source: "g.json") }
        #expect(error?.description == "g.json: " + problem)
    }

    @Test("The stem is told by its number")
    func stem() throws {
        #expect(genotype([8, 16, 8, 4]).withAllSkips.skips == [nil, nil, nil, 0])
        let error = #expect(throws: SearchSpaceError.self) {
            try genotype([8, 16, 8, 4], [nil, nil, nil, 1]).validate()
        }
        #expect(
            error?.description
                == "skips[3]: layer 4 cannot skip from layer 1; its source is 0, the stem, or null for none")
        let short = #expect(throws: SearchSpaceError.self) { try genotype([4, 8], [nil]).validate() }
        #expect(short?.description == "skips: 1 entries, but there are 2 layers")
    }

    @Test("U-Net by layers and by levels")
    func knownDesign() throws {
        let twelve = try KnownDesign.unet.genotype()
        #expect(twelve.path.map(\.level) == [0, 0, 1, 1, 2, 2, 3, 3, 2, 1, 1, 0])
        #expect(twelve.skips == [nil, nil, nil, nil, nil, nil, nil, nil, 6, 4, nil, 2])
        #expect(try KnownDesign.genotype(named: "unet:4") == unet)
        #expect(try KnownDesign.genotype(named: "unet:7") == unet)
        #expect(try KnownDesign.genotype(named: "unet:3") == genotype([4, 8, 16, 8, 4], [nil, nil, nil, nil, 1]))
        #expect(
            try KnownDesign.genotype(named: "unet:14")?.path.map(\.level) == [0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 1, 1, 0, 0])
        let error = #expect(throws: SearchSpaceError.self) { try KnownDesign.genotype(named: "unet:2") }
        #expect(error?.description == "unet: layers: the design has 5 to 256 layers, not 2")
    }

    /// Layer 6 reads layer 2, 5 blocks of 2 F = 40 channels at 8, in place of layer 4's 5 blocks of 8 F at 32; layer 7
    /// reads layer 1, 5 blocks of F = 20 at 4, in place of layer 5's at 16.
    @Test("A skip changes what a cell's second projection costs, and nothing else")
    func cost() {
        let (height, width) = (65, 97)
        func cost(_ genotype: Genotype) -> Cost {
            Cost.of(genotype, filters: 20, classes: 3, height: height, width: width)
        }
        let (with, without) = (cost(unet), cost(unet.withoutSkips))
        let weights = (5 * 40 - 5 * 160) * 40
        let finer = (5 * 20 - 5 * 80) * 20
        #expect(with.parameters - without.parameters == weights + finer)
        #expect(with.multiplyAdds - without.multiplyAdds == weights * 9 * 13 + finer * 17 * 25)
        #expect(with.aspp == without.aspp && with.decoder == without.decoder)
        let layout = NetworkLayout(unet, filters: 20, classes: 3)
        #expect(layout.cells.map(\.previous2Layer) == [-1, 0, 1, 2, 3, 2, 1])
        #expect(layout.cells.map(\.previous2Stride) == [2, 4, 4, 8, 16, 8, 4])
        #expect(layout.cells.map(\.hasLongSkip) == [false, false, false, false, false, true, true])
    }
}
