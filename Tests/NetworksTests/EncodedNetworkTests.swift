import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Encoders with decoders: counts, the decoders against plain re-implementations, and what a step leaves alone.
@Suite struct EncodedNetworkTests {
    private func configuration(_ decoder: DecoderKind, separable: Bool = false) -> EncodedConfiguration {
        var configuration = EncodedConfiguration(.efficientNetLite0, decoder, classes: 3)
        configuration.unetChannels = [8, 6, 5, 4]
        configuration.lightChannels = 6
        configuration.asppChannels = 6
        configuration.decoderChannels = 7
        configuration.lowLevelChannels = 5
        configuration.cellChannels = 5
        configuration.separable = separable
        return configuration
    }

    private func network(_ configuration: EncodedConfiguration, seed: UInt64 = 1) -> EncodedNetwork {
        let network = EncodedNetwork(
            configuration, store: VariableStore(generator: Generator(seed: seed), dtype: .float64))
        randomizeVectors(of: network.store, seed: seed)
        return network
    }

    @Test(arguments: EncoderKind.allCases, DecoderKind.allCases) func costCountsWhatIsBuilt(
        encoder: EncoderKind, decoder: DecoderKind
    ) {
        for separable in [false, true] {
            var configuration = EncodedConfiguration(encoder, decoder, classes: 11)
            configuration.separable = separable
            let network = EncodedNetwork(configuration, store: VariableStore(generator: Generator(seed: 1)))
            let cost = Cost(configuration.layout, height: 65, width: 97)
            #expect(network.store.parameterCount == cost.parameters)
            #expect((cost.aspp.parameters > 0) == (decoder == .deepLabV3Plus))
        }
    }

    /// Worked out by hand: 432 = 320 + 112 channels to 128, and so on, with scale and offset, and a class layer of 16.
    @Test func defaultsOfUNet() {
        let cost = Cost(EncodedConfiguration(.efficientNetLite0, .unet, classes: 11).layout, height: 352, width: 480)
        let kernels = 9 * (432 * 128 + 128 * 128 + 168 * 64 + 64 * 64 + 88 * 32 + 32 * 32 + 48 * 16 + 16 * 16)
        #expect(cost.decoder.parameters == kernels + 4 * (128 + 64 + 32 + 16) + 17 * 11)
        let pixels = [22 * 30, 44 * 60, 88 * 120, 176 * 240]
        let work = zip(pixels, [432 * 128 + 128 * 128, 168 * 64 + 64 * 64, 88 * 32 + 32 * 32, 48 * 16 + 16 * 16])
        #expect(cost.decoder.multiplyAdds == work.reduce(0) { $0 + 9 * $1.0 * $1.1 } + pixels[3] * 16 * 11)
    }

    // MARK: Against plain re-implementations

    @Test(arguments: DecoderKind.allCases, [[64, 96], [65, 33], [46, 75]])
    func decodersLikeTheReference(decoder: DecoderKind, size: [Int]) {
        for (training, separable) in [(true, false), (false, true)] {
            let network = network(configuration(decoder, separable: separable))
            let x = images([2, 3] + size)
            let maps = network.encoder(x, mode: training ? .batchStatistics : .evaluation)
            let want = reference(network, maps, size: size, training: training, separable: separable)
            let have = network(x, mode: training ? .batchStatistics : .evaluation)
            #expect(have.shape == [2, 3] + size)
            #expect(relativeDifference(have, want) < 1e-9, "\(decoder), \(size), training \(training)")
        }
    }

    private func reference(
        _ network: EncodedNetwork, _ maps: [Tensor], size: [Int], training: Bool, separable: Bool
    ) -> Tensor {
        let state = network.store.state
        func get(_ name: String) -> Tensor { state["decoder." + name] ?? { preconditionFailure("no \(name)") }() }
        func at(_ stride: Int, _ x: Tensor) -> Tensor {
            interpolateBilinear(x, height: (size[0] - 1) / stride + 1, width: (size[1] - 1) / stride + 1)
        }
        func norm(_ x: Tensor, _ name: String) -> Tensor {
            func vector(_ part: String) -> Tensor { get("\(name).norm.\(part)").reshape([1, -1, 1, 1]) }
            let mean = training ? x.mean([0, 2, 3], keep: true) : vector("runningMean")
            let variance =
                training ? ((x - mean) * (x - mean)).mean([0, 2, 3], keep: true) : vector("runningVariance")
            return (x - mean) / (variance + 1e-5).sqrt() * vector("weight") + vector("bias")
        }
        func point(_ x: Tensor, _ name: String) -> Tensor {
            norm(conv2d(x, weight: get(name + ".conv.weight")), name)
        }
        func spatial(_ x: Tensor, _ name: String, rate: Int = 1, separable: Bool) -> Tensor {
            guard separable else {
                return norm(
                    conv2d(x, weight: get(name + ".conv.weight"), padding: rate, dilation: rate), name
                ).relu()
            }
            let depthwise = conv2d(
                x, weight: get(name + ".depthwise.conv.weight"), padding: rate, dilation: rate, groups: x.size(1))
            return point(norm(depthwise, name + ".depthwise").relu(), name + ".pointwise").relu()
        }
        var x = maps[4]
        switch network.configuration.decoder {
        case .unet:
            for (stride, map) in [(16, maps[3]), (8, maps[2]), (4, maps[1]), (2, maps[0])] {
                x = concatenate([at(stride, x), map], dim: 1)
                for unit in ["refine1", "refine2"] { x = spatial(x, "level\(stride).\(unit)", separable: separable) }
            }
        case .deepLabV3Plus:
            let mean = point(x.mean([2, 3], keep: true), "aspp.image").relu()
            let branches =
                [point(x, "aspp.point").relu()]
                + [3, 6, 9].enumerated().map { spatial(x, "aspp.atrous\($0 + 1)", rate: $1, separable: true) }
                + [mean.expand([-1, -1, x.size(2), x.size(3)])]
            let context = point(concatenate(branches, dim: 1), "aspp.projection").relu()
            x = concatenate([at(4, context), point(maps[1], "lowLevel").relu()], dim: 1)
            for unit in ["refine1", "refine2"] { x = spatial(x, unit, separable: true) }
        case .light, .fine:
            x = point(x, "lateral32")
            for (stride, map) in [(16, maps[3]), (8, maps[2]), (4, maps[1])] {
                x = point(map, "lateral\(stride)") + at(stride, x)
            }
            x = spatial(x, "refine", separable: separable)
            if network.configuration.decoder == .fine {
                x = spatial(at(2, point(x, "reduce")) + point(maps[0], "lateral2"), "refine2", separable: separable)
            }
        case .searched(let genotype):
            let decoder = ReferenceSearchedDecoder(state: state, genotype: genotype, repeats: 2, training: training)
            return interpolateBilinear(decoder(Array(maps.dropFirst())), height: size[0], width: size[1])
        }
        let scores = conv2d(x, weight: get("logits.weight"), bias: get("logits.bias"))
        return interpolateBilinear(scores, height: size[0], width: size[1])
    }

    // MARK: What a step leaves alone

    @Test func frozenEncodersStay() throws {
        let network = network(configuration(.unet))
        let x = images([2, 3, 65, 65])
        func gradient(_ training: EncoderTraining, _ name: String) throws -> Tensor? {
            let loss = network(x, mode: .training, training: training).abs().mean()
            return gradients(of: loss, withRespectTo: [try #require(network.store.state[name])])[0]
        }
        func statistics(_ place: String) -> [Double] {
            network.store.buffers.filter { $0.name.hasPrefix(place) }.flatMap { $0.tensor.doubles() }
        }
        let before = (encoder: statistics("encoder"), decoder: statistics("decoder"))
        #expect(try gradient(.frozen, "encoder.stem.conv.weight") == nil)
        #expect(try gradient(.frozen, "decoder.logits.weight") != nil)
        #expect(try gradient(.fixedStatistics, "encoder.stem.conv.weight") != nil)
        #expect(statistics("encoder") == before.encoder)
        #expect(statistics("decoder") != before.decoder)
        #expect(try gradient(.whole, "encoder.stem.conv.weight") != nil)
        #expect(statistics("encoder") != before.encoder)
    }

    /// The same on the first blocks alone, below cells.
    @Test func frozenStemsStay() throws {
        let genotype = Genotype(path: [.s4, .s8], cell: .published, stem: .encoder(.efficientNetLite0))
        let built = DiscreteNetwork(
            genotype, .tiny(), store: VariableStore(generator: Generator(seed: 1), dtype: .float64))
        let x = images([2, 3, 65, 65])
        func gradient(_ training: EncoderTraining, _ name: String) throws -> Tensor? {
            let loss = built(x, mode: .training, training: training).abs().mean()
            return gradients(of: loss, withRespectTo: [try #require(built.store.state[name])])[0]
        }
        func statistics(_ place: String) -> [Double] {
            built.store.buffers.filter { $0.name.hasPrefix(place) }.flatMap { $0.tensor.doubles() }
        }
        let before = (encoder: statistics("encoder"), adapters: statistics("stem"))
        #expect(try gradient(.frozen, "encoder.stem.conv.weight") == nil)
        for name in ["stem.adapter2.conv.weight", "stem.adapter4.conv.weight"] {
            #expect(try #require(try gradient(.frozen, name)).abs().sum().item() > 0)
        }
        #expect(try #require(try gradient(.fixedStatistics, "encoder.stem.conv.weight")).abs().sum().item() > 0)
        #expect(statistics("encoder") == before.encoder && statistics("stem") != before.adapters)
        #expect(try gradient(.whole, "encoder.blocks.2.project.conv.weight") != nil)
        #expect(statistics("encoder") != before.encoder)
        randomizeVectors(of: built.store, seed: 2)
        let plain = built.coarseScores(x)
        built.fold()
        #expect(relativeDifference(built.coarseScores(x), plain) < 1e-9)
    }

    @Test(arguments: DecoderKind.allCases) func foldingChangesNothing(decoder: DecoderKind) {
        let network = network(configuration(decoder))
        let x = images([1, 3, 64, 50])
        let before = network.coarseScores(x)
        network.fold()
        #expect(relativeDifference(network.coarseScores(x), before) < 1e-9)
    }
}
