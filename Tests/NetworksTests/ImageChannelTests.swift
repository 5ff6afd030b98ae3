import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Networks that see images of other than 3 channels.
@Suite struct ImageChannelTests {
    /// The kernels that read the image, by name: of the stem, and of a decoder at stride 1.
    private func readsImage(_ name: String) -> Bool {
        name == "stem.1.conv.weight" || name == "decoder.finer1.lowLevel.conv.weight"
    }

    /// A kernel `[out, 3, h, w]` with kernels of zeros for further channels.
    private func widened(_ kernel: Tensor, to channels: Int) -> Tensor {
        let shape = kernel.shape
        let zeros = Tensor.zeros([shape[0], channels - 3, shape[2], shape[3]], dtype: kernel.dtype)
        return concatenate([kernel, zeros], dim: 1)
    }

    @Test func constantChannelWithoutWeightsChangesNothing() throws {
        for base in DiscreteConfiguration.heads {
            var configuration = base
            configuration.imageChannels = 5
            let colors = network(.everything, base, seed: 3)
            randomizeVectors(of: colors.store, seed: 4)
            let five = network(.everything, configuration, seed: 5)
            var state = colors.store.state
            for name in state.keys where readsImage(name) { state[name] = state[name].map { widened($0, to: 5) } }
            try five.store.load(state)
            let x = images([2, 3, 41, 50])
            let constant = Tensor.zeros([2, 2, 41, 50], dtype: .float64) + 0.7
            let wide = concatenate([x, constant], dim: 1)
            withoutGradients {
                let expected = colors(x, mode: .evaluation)
                #expect(relativeDifference(five(wide, mode: .evaluation), expected) < 1e-12, "\(base.head)")
                let trained = colors(x, mode: .batchStatistics)
                #expect(relativeDifference(five(wide, mode: .batchStatistics), trained) < 1e-12)
            }
        }
    }

    /// Colours are scaled by an encoder itself, other channels are taken as they are.
    @Test(arguments: [EncoderKind.efficientNetLite0, .mobileNetV2]) func encodersTakeThemAsTheyAre(kind: EncoderKind)
        throws
    {
        func built(_ channels: Int) -> EncodedNetwork {
            var configuration = EncodedConfiguration(kind, .light, classes: 3)
            (configuration.lightChannels, configuration.imageChannels) = (6, channels)
            let network = EncodedNetwork(
                configuration, store: VariableStore(generator: Generator(seed: 1), dtype: .float64))
            randomizeVectors(of: network.store, seed: 4)
            return network
        }
        let (colors, five) = (built(3), built(5))
        var state = colors.store.state
        state["encoder.stem.conv.weight"] = state["encoder.stem.conv.weight"].map { widened($0, to: 5) }
        try five.store.load(state)
        let x = images([2, 3, 41, 50])
        let (mean, deviation) = kind.family.colors
        func channels(_ values: [Double]) -> Tensor { Tensor(values, shape: [1, 3, 1, 1]) }
        let scaled = (x * 127.5 + 127.5 - channels(mean)) / channels(deviation)
        let wide = concatenate([scaled, Tensor.zeros([2, 2, 41, 50], dtype: .float64) + 0.7], dim: 1)
        withoutGradients {
            let expected = colors(x, mode: .evaluation)
            #expect(relativeDifference(five(wide, mode: .evaluation), expected) < 1e-12)
        }
        let cost = Cost(five.configuration.layout, height: 41, width: 50)
        #expect(five.store.parameterCount == cost.parameters)
        // What a file says of 3 channels is what it said before there were others.
        let encoder = JSONEncoder()
        #expect(!String(decoding: try encoder.encode(colors.configuration), as: UTF8.self).contains("imageChannels"))
        let text = try encoder.encode(five.configuration)
        #expect(try JSONDecoder().decode(EncodedConfiguration.self, from: text) == five.configuration)
        var wrong = five.configuration
        wrong.imageChannels = 33
        #expect(throws: SearchSpaceError.self) { try wrong.validate() }
    }

    @Test func everyChannelTeachesItsWeights() throws {
        var configuration = DiscreteConfiguration.tiny()
        (configuration.imageChannels, configuration.decoderStride, configuration.fineChannels) = (7, 1, 6)
        let built = network(.everything, configuration)
        let named = built.store.parameters.filter { readsImage($0.name) }
        #expect(named.map(\.tensor.shape) == [[4, 7, 3, 3], [3, 7, 3, 3]])
        let scores = built(images([1, 7, 41, 50]), mode: .training)
        let found = gradients(of: (scores * scores).sum(), withRespectTo: named.map(\.tensor))
        for gradient in found {
            let perChannel = try #require(gradient).abs().sum([0, 2, 3]).doubles()
            #expect(perChannel.count == 7 && perChannel.allSatisfy { $0 > 0 }, "\(perChannel)")
        }
    }

    @Test func supernetSeesThem() throws {
        var configuration = SupernetConfiguration.tiny()
        let colors = supernet(configuration, seed: 3)
        configuration.imageChannels = 4
        let four = supernet(configuration, seed: 3)
        var state = colors.store.state
        state["stem.1.conv.weight"] = try widened(#require(state["stem.1.conv.weight"]), to: 4)
        try four.store.load(state)
        let x = images([2, 3, 33, 40])
        let wide = concatenate([x, Tensor.zeros([2, 1, 33, 40], dtype: .float64) - 0.3], dim: 1)
        let (expected, found) = (
            colors(x, mode: .batchStatistics).detach(), four(wide, mode: .batchStatistics).detach()
        )
        #expect(relativeDifference(found, expected) < 1e-12)
        let stem = try #require(four.store.parameters.first { $0.name == "stem.1.conv.weight" })
        let scores = four(images([2, 4, 33, 40]), mode: .training)
        let gradient = try #require(gradients(of: (scores * scores).sum(), withRespectTo: [stem.tensor])[0])
        #expect(gradient.abs().sum([0, 2, 3]).doubles().allSatisfy { $0 > 0 })
    }

    /// A channel more costs a 3x3 kernel for each channel of the stem's first map, at stride 2.
    @Test func costsByHand() throws {
        var configuration = DiscreteConfiguration.tiny()
        func cost(_ channels: Int, stride: Int = 4) -> Cost {
            (configuration.imageChannels, configuration.decoderStride, configuration.fineChannels) = (
                channels, stride, 6
            )
            return NetworkDescription.discrete(.everything, configuration).cost(height: 33, width: 65)
        }
        #expect(cost(8).parameters - cost(3).parameters == 5 * 9 * 4)
        #expect(cost(8).multiplyAdds - cost(3).multiplyAdds == 5 * 9 * 4 * 17 * 33)
        #expect(cost(3).parameters - cost(1).parameters == 2 * 9 * 4)
        // At stride 1 the decoder reads the image too, by a 3x3 convolution to 3 channels.
        #expect(cost(8, stride: 1).parameters - cost(3, stride: 1).parameters == 5 * 9 * (4 + 3))
        #expect(
            cost(8, stride: 1).multiplyAdds - cost(3, stride: 1).multiplyAdds
                == 5 * 9 * (4 * 17 * 33 + 3 * 33 * 65))
        // What is counted is what is built.
        configuration.imageChannels = 8
        let built = network(.everything, configuration)
        #expect(built.store.parameters.reduce(0) { $0 + $1.tensor.count } == cost(8, stride: 1).parameters)
    }

    @Test func filesOfColorsDoNotSpeakOfChannels() throws {
        var configuration = DiscreteConfiguration.tiny()
        func text() throws -> String { String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self) }
        #expect(try !text().contains("imageChannels"))
        configuration.imageChannels = 6
        #expect(try text().contains("\"imageChannels\":6"))
        #expect(try JSONDecoder().decode(DiscreteConfiguration.self, from: Data(text().utf8)) == configuration)
        configuration.imageChannels = 33
        #expect(failure { try configuration.validate() } == "imageChannels: 33 is not between 1 and 32")
        configuration.imageChannels = 3
        #expect(configuration == .tiny())
    }
}
