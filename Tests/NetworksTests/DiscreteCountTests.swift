import Networks
import SearchSpace
import Testing
import Torch

/// The built network's parameters against the layout's cost and the published counts.
@Suite struct DiscreteCountTests {
    private func parts(_ store: VariableStore) -> [Int] {
        func count(_ prefixes: [String]) -> Int {
            store.parameters.filter { variable in prefixes.contains { variable.name.hasPrefix($0 + ".") } }
                .reduce(0) { $0 + $1.tensor.count }
        }
        return [count(["stem", "encoder", "cells"]), count(["aspp"]), count(["decoder"])]
    }

    @Test(arguments: [
        (20, [7_030_832, 1_815_552, 1_301_043], 10_147_427),
        (32, [17_612_096, 2_706_432, 1_303_923], 21_622_451),
        (48, [39_222_656, 3_894_272, 1_307_763], 44_424_691),
    ])
    func published(filters: Int, parts wanted: [Int], total: Int) throws {
        let built = network(
            try KnownDesign.autoDeepLab.genotype(), DiscreteConfiguration(filters: filters), dtype: .float32)
        #expect(parts(built.store) == wanted)
        #expect(built.store.parameterCount == total)
    }

    @Test(arguments: 0..<20) func equalsCost(seed: Int) {
        var genotype = Genotype.random(seed: UInt64(seed), layers: 1 + seed % 8, blocks: 1 + seed % 5)
        genotype.atrous = seed % 2 == 0 ? .dense : .separable
        let built = network(genotype, .tiny(filters: 1 + seed % 7, classes: 2 + seed % 3))
        let cost = Cost(built.layout, height: 65, width: 65)
        #expect(parts(built.store) == [cost.backbone, cost.aspp, cost.decoder].map(\.parameters))
        #expect(built.store.parameterCount == cost.parameters)
    }

    @Test(arguments: DiscreteConfiguration.heads) func headsEqualCost(configuration: DiscreteConfiguration) {
        let built = network(Genotype.random(seed: 3), configuration)
        let cost = Cost(built.layout, height: 65, width: 65)
        #expect(parts(built.store) == [cost.backbone, cost.aspp, cost.decoder].map(\.parameters))
        #expect(built.store.parameterCount == cost.parameters)
    }

    @Test(arguments: EncoderKind.allCases) func encoderStemsEqualCost(kind: EncoderKind) {
        let built = network(Genotype.random(seed: 3).on(.encoder(kind)), .tiny(), dtype: .float32)
        let cost = Cost(built.layout, height: 65, width: 65)
        #expect(parts(built.store) == [cost.backbone, cost.aspp, cost.decoder].map(\.parameters))
    }

    /// Counted by hand: EfficientNet-Lite0's first convolution, block 0 at stride 2 without expansion, blocks 1 and 2 to 24
    /// channels at stride 4 by 96 and 144, then 1x1 from 16 to 64 and from 24 to 128; each with scale and offset.
    @Test func encoderStemByHand() {
        let genotype = Genotype.random(seed: 3)
        let (height, width) = (64, 96)
        func backbone(_ stem: StemKind) -> Cost.Part {
            Cost.of(genotype.on(stem), filters: 20, classes: 3, height: height, width: width).backbone
        }
        let half = [27 * 32, 9 * 32, 32 * 16, 16 * 96, 16 * 64]
        let quarter = [9 * 96, 96 * 24, 24 * 144, 9 * 144, 144 * 24, 24 * 128]
        let norms = 2 * (32 + 32 + 16 + 96 + 96 + 24 + 144 + 144 + 24 + 64 + 128)
        let paper = [27 * 64, 9 * 64 * 64, 9 * 64 * 128]
        let (own, other) = (backbone(.encoder(.efficientNetLite0)), backbone(.paper))
        #expect(
            own.parameters - other.parameters
                == (half + quarter).reduce(0, +) + norms - paper.reduce(0, +) - 2 * (64 + 64 + 128))
        let pixels = (height / 2 * width / 2, height / 4 * width / 4)
        #expect(
            own.multiplyAdds - other.multiplyAdds
                == pixels.0 * (half.reduce(0, +) - paper[0] - paper[1]) + pixels.1 * (quarter.reduce(0, +) - paper[2]))
    }

    @Test func everyOperatorEqualsCost() {
        let built = network(.everything)
        #expect(built.store.parameterCount == Cost(built.layout, height: 65, width: 65).parameters)
    }

    @Test func kindsSayWhatDecays() {
        let store = network(.everything).store
        for variable in store.parameters {
            let kind: ParameterKind =
                variable.tensor.rank == 4
                ? .convolution : variable.name == "decoder.logits.bias" ? .bias : .normalization
            #expect(variable.kind == kind, "\(variable.name)")
        }
    }

    @Test func initialValues() {
        var configuration = DiscreteConfiguration.tiny(filters: 16, classes: 50)
        configuration.decoderChannels = 64
        let state = network(.everything, configuration).store.state
        for (name, tensor) in state where tensor.rank == 4 {
            let bound = tensor.abs().reshape([-1]).max(0).item()
            let taps = tensor.size(2) * tensor.size(3)
            if name == "decoder.logits.weight" {
                let deviation = tensor.pow(2).mean().item().squareRoot()
                // Cut at two deviations, a normal distribution keeps 0.88 of its own.
                #expect(bound <= 0.02 && abs(deviation - 0.0088) < 0.0004)
            } else if name.hasPrefix("aspp") || name.hasPrefix("decoder") {
                let limit = (6 / Double((tensor.size(0) + tensor.size(1)) * taps)).squareRoot()
                #expect(bound <= limit && bound > 0.9 * limit, "\(name)")
            } else {
                let limit = 1 / Double(tensor.size(1) * taps).squareRoot()
                #expect(bound <= limit && bound > 0.9 * limit, "\(name)")
            }
        }
    }
}
