import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

@Suite("Decoders of genotypes")
struct SearchedDecoderTests {
    private func random(_ seed: UInt64) -> DecoderGenotype {
        var bits = SplitMix(state: seed)
        return DecoderSpace.published.sample { bits.next() }
    }

    private func network(_ genotype: DecoderGenotype, repeats: Int = 1) -> EncodedNetwork {
        var configuration = EncodedConfiguration(.mobileNetV2, .searched(genotype), classes: 3)
        configuration.cellChannels = 4
        configuration.cellRepeats = repeats
        let network = EncodedNetwork(
            configuration, store: VariableStore(generator: Generator(seed: 1), dtype: .float64))
        randomizeVectors(of: network.store, seed: 2)
        return network
    }

    /// Genotypes that have each operation at every place and a pair of equal maps.
    private static func choices(_ operation: Int) -> [Int] {
        var choices = [3, 0, operation % 5, 1, operation % 6, 5, operation]
        for node in 0..<3 {
            let positions = 3 * node + 2
            choices += [operation % positions, (operation + 1) % positions]
            choices += [(operation + node) % 11, (operation + 5) % 11]
        }
        return choices
    }

    @Test(arguments: 0..<11) func operationsLikeTheReference(number: Int) throws {
        try check(DecoderGenotype(choices: Self.choices(number)), repeats: 1 + number % 2)
    }

    @Test(arguments: 0..<12) func randomGenotypesLikeTheReference(seed: Int) throws {
        try check(random(UInt64(seed)), repeats: 2)
    }

    private func check(_ genotype: DecoderGenotype, repeats: Int) throws {
        try genotype.validate()
        let network = network(genotype, repeats: repeats)
        for (size, training) in [([65, 97], true), ([46, 75], false)] {
            let x = images([2, 3] + size)
            let maps = network.encoder(x, mode: training ? .batchStatistics : .evaluation)
            let reference = ReferenceSearchedDecoder(
                state: network.store.state, genotype: genotype, repeats: repeats, training: training)
            let want = interpolateBilinear(reference(Array(maps.dropFirst())), height: size[0], width: size[1])
            let have = network(x, mode: training ? .batchStatistics : .evaluation)
            #expect(relativeDifference(have, want) < 1e-9, "\(genotype.name), training \(training)")
        }
    }

    /// The published counts at 21 classes, of the decoder alone: this MobileNetV2's first block has no expansion, as
    /// torchvision's has none, and so 1,088 parameters less than the published encoder's.
    @Test(arguments: zip(KnownDecoder.allCases, [(817_109, 2_629_909), (997_333, 2_810_133), (1_040_341, 2_853_141)]))
    func publishedCounts(known: KnownDecoder, published: (decoder: Int, all: Int)) {
        let configuration = EncodedConfiguration(.mobileNetV2, .searched(known.genotype), classes: 21)
        let cost = Cost(configuration.layout, height: 65, width: 97)
        #expect(cost.decoder.parameters == published.decoder)
        #expect(cost.parameters + 1_088 == published.all)
        let store = VariableStore(generator: Generator(seed: 1))
        let network = EncodedNetwork(configuration, store: store)
        #expect(store.parameterCount == cost.parameters)
        if known == .arch0 {
            let cells = AuxiliaryCells(of: network, generator: Generator(seed: 2))
            #expect(cells?.store.parameterCount == 3_034_516 - 2_629_909)
        }
    }

    @Test(arguments: 0..<8) func costCountsWhatIsBuilt(seed: Int) {
        let network = network(random(UInt64(seed)), repeats: 1 + seed % 3)
        #expect(network.store.parameterCount == Cost(network.layout, height: 65, width: 97).parameters)
    }

    @Test func auxiliaryCellsLikeTheReference() throws {
        let genotype = KnownDecoder.arch1.genotype
        let network = network(genotype, repeats: 2)
        let cells = try #require(AuxiliaryCells(of: network, generator: Generator(seed: 4)))
        randomizeVectors(of: cells.store, seed: 5)
        #expect(cells.store.state.keys.allSatisfy { $0.hasPrefix("auxiliary.") })
        var maps: [Int: Tensor] = [:]
        let scores = network(images([2, 3, 65, 97]), mode: .batchStatistics) { maps[$0] = $1 }
        #expect(maps.count == 3)
        let found = cells(maps, height: 65, width: 97, mode: .batchStatistics)
        let state = cells.store.state
        let reference = ReferenceSearchedDecoder(state: state, genotype: genotype, repeats: 2, training: true)
        for (index, have) in found.enumerated() {
            let place = "auxiliary.\(index + 1)"
            let map = try #require(maps[index])
            let logits = conv2d(
                reference.cell(map, place + ".cell"), weight: try #require(state[place + ".logits.weight"]),
                bias: state[place + ".logits.bias"], padding: 1)
            let want = interpolateBilinear(logits, height: 65, width: 97, alignCorners: false)
            #expect(have.shape == scores.shape && relativeDifference(have, want) < 1e-9, "\(place)")
        }
        #expect(AuxiliaryCells(of: self.network(.light), generator: Generator(seed: 1)) == nil)
    }

    private func network(_ decoder: DecoderKind) -> EncodedNetwork {
        EncodedNetwork(
            EncodedConfiguration(.mobileNetV2, decoder, classes: 3), store: VariableStore(generator: Generator(seed: 1))
        )
    }

    /// What no block reads has no gradient, all else has one.
    @Test func gradientsReachWhatIsRead() {
        let network = network(KnownDecoder.arch1.genotype)
        let loss = network(images([2, 3, 65, 65]), mode: .training).abs().mean()
        let parameters = network.store.parameters
        let found = gradients(of: loss, withRespectTo: parameters.map(\.tensor))
        let without = zip(parameters, found).filter { $1 == nil }.map(\.0.name)
        #expect(without.allSatisfy { $0.hasPrefix("decoder.adapter4.") } && without.count == 3)
    }
}
