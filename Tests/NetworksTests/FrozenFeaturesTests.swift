import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Decoders on maps that an encoder has made before: the same as behind the encoder.
@Suite struct FrozenFeaturesTests {
    @Test(arguments: DecoderKind.allCases)
    func scoresAndGradientsAreThoseOfAFrozenEncoder(decoder: DecoderKind) throws {
        var configuration = EncodedConfiguration(.mobileNetV2, decoder, classes: 3)
        configuration.unetChannels = [6, 5, 4, 4]
        (configuration.lightChannels, configuration.cellChannels) = (4, 4)
        (configuration.asppChannels, configuration.decoderChannels, configuration.lowLevelChannels) = (4, 5, 3)
        let network = EncodedNetwork(
            configuration, store: VariableStore(generator: Generator(seed: 1), dtype: .float64))
        randomizeVectors(of: network.store, seed: 1)
        let images = Tensor.uniform([3, 3, 65, 49], from: -1, to: 1, generator: Generator(seed: 2), dtype: .float64)
        let hasStride2 = decoder == .unet || decoder == .fine
        #expect(network.frozenStrides == (hasStride2 ? [2] : []) + [4, 8, 16, 32])
        // Image by image, as they are kept.
        let single = (0..<3).map { network.frozenFeatures(of: images.narrow(0, start: $0, length: 1)) }
        let features = network.frozenStrides.indices.map { place in concatenate(single.map { $0[place] }, dim: 0) }
        for (stride, map) in zip(network.frozenStrides, features) {
            #expect(Array(map.shape.suffix(2)) == [scaledSize(65, stride: stride), scaledSize(49, stride: stride)])
        }
        let parameters = network.store.parameters.filter { $0.name.hasPrefix("decoder.") }.map(\.tensor)
        func found(_ scores: (@escaping (Int, Tensor) -> Void) -> Tensor) -> ([Double], [[Double]], [[Double]]) {
            var blocks: [[Double]] = []
            let result = scores { _, map in blocks.append(map.doubles()) }
            let slopes = gradients(of: (result * result).mean(), withRespectTo: parameters)
            return (result.doubles(), blocks, slopes.map { $0?.doubles() ?? [] })
        }
        let whole = found { block in
            network(images, mode: .batchStatistics, training: .frozen, block: block)
        }
        let kept = found { block in
            network.scores(ofFeatures: features, height: 65, width: 49, mode: .batchStatistics, block: block)
        }
        func difference(_ a: [Double], _ b: [Double]) -> Double {
            #expect(a.count == b.count)
            return zip(a, b).map { abs($0 - $1) }.max() ?? 0
        }
        #expect(difference(whole.0, kept.0) < 1e-9)
        #expect(whole.1.count == kept.1.count && whole.1.count == (decoder.genotype == nil ? 0 : 3))
        for (a, b) in zip(whole.1 + whole.2, kept.1 + kept.2) { #expect(difference(a, b) < 1e-9) }
        #expect(whole.2.contains { $0.contains { abs($0) > 1e-4 } })
    }
}
