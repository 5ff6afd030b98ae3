import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Networks of integers of 8 bits against a literal computation that rounds at the same places.
@Suite(.enabled(if: ByteNetwork.isAvailable, "this libtorch has no convolutions of bytes"))
struct ByteNetworkTests {
    private static let names = [
        "everything", "deeplabv3", "residual", "plain", "stem", "searched", "unet", "deeplabv3+", "light", "fine",
    ]

    private func built(_ name: String) throws -> SegmentationNetwork {
        switch name {
        case "everything": return network(Genotype.everything.withAllSkips, .tiny())
        case "deeplabv3": return network(try KnownDesign.deeplabv3.genotype(), .tiny())
        case "residual":
            var configuration = DiscreteConfiguration.tiny()
            configuration.residual = true
            return network(try KnownDesign.deeplabv3.genotype(), configuration)
        case "plain":
            var configuration = DiscreteConfiguration.tiny()
            (configuration.head, configuration.decoderStride) = (.plain, 2)
            return network(try KnownDesign.deeplabv3.genotype(), configuration)
        case "stem": return network(Genotype.everything.on(.encoder(.mobileNetV2)), .tiny())
        case "searched":
            return network(.encoded(.tiny(.mobileNetV2, .searched(DecoderGenotype.everyOperation[0]))))
        default: return network(.encoded(.tiny(.efficientNetLite0, try #require(DecoderKind(rawValue: name)))))
        }
    }

    private func relative(_ a: Tensor, _ b: Tensor) -> Double {
        let (x, y) = (a.doubles(), b.doubles())
        let square = zip(x, y).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let mean = y.reduce(0, +) / Double(y.count)
        return (square / y.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }).squareRoot()
    }

    @Test(arguments: names) func isTheLiteralComputation(name: String) throws {
        let network = try built(name)
        drawClassLayer(of: network)
        for (height, width) in [(33, 33), (34, 40)] {
            var differences: [Double] = []
            for seed in UInt64(1)...6 {
                let images = Tensor.uniform(
                    [1, network.description.imageChannels, height, width], from: -1, to: 1,
                    generator: Generator(seed: seed))
                let quantization = Quantization(of: network, for: images)
                let bytes = try #require(ByteNetwork(network, quantization))
                let found = interpolateBilinear(bytes.coarseScores(images), height: height, width: width)
                let literal = RoundingBackend(quantization.ranges, height: height, width: width)
                let (wanted, real) = withoutGradients {
                    (
                        network.scores(of: literal.images(images), on: literal).values,
                        network(images, mode: .evaluation)
                    )
                }
                let (own, lost) = (relative(found, wanted), relative(wanted, real))
                #expect(own < 2 * lost && lost < 0.1, "\(name) \(height): \(own), where rounding loses \(lost)")
                differences.append(own / lost)
            }
            // A value in the middle between two bytes falls to either side by the last digit of a float, and what comes
            // after it with it; of six images some have none.
            #expect(try #require(differences.min()) < 1e-3, "\(name) \(height): \(differences)")
        }
    }

    @Test func foldingMakesNoDifference() throws {
        let network = network(.encoded(.tiny(.efficientNetLite0, .light)))
        let images = Tensor.uniform([1, 3, 65, 65], from: -1, to: 1, generator: Generator(seed: 7))
        let quantization = Quantization(of: network, for: images)
        let before = try #require(ByteNetwork(network, quantization)).coarseScores(images)
        network.fold()
        let after = try #require(ByteNetwork(network, quantization)).coarseScores(images)
        #expect(before.doubles() == after.doubles())
    }

    @Test func rangesOfAnotherNetworkAreRefused() throws {
        let network = network(.encoded(.tiny(.efficientNetLite0, .light)))
        let images = Tensor.uniform([1, 3, 65, 65], from: -1, to: 1, generator: Generator(seed: 7))
        let own = Quantization(of: network, for: images).ranges
        #expect(ByteNetwork(network, Quantization(ranges: Array(own.dropLast()))) == nil)
        #expect(ByteNetwork(network, Quantization(ranges: own + [0...1])) == nil)
        #expect(ByteNetwork(network, Quantization(ranges: [])) == nil)
    }
}
