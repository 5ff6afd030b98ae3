import Foundation
import Images
import Inference
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Model files that say by what ranges integers of 8 bits stand for real numbers.
@Suite("Models of 8-bit integers") struct ByteModelTests {
    private let folder: TemporaryFolder
    private let model: Model
    private let images = Tensor.uniform([1, 3, 65, 97], from: -1, to: 1, generator: Generator(seed: 5))

    init() throws {
        folder = try TemporaryFolder()
        var configuration = EncodedConfiguration(.efficientNetLite0, .light, classes: 3)
        configuration.lightChannels = 8
        model = Model(ModelDescription(.encoded(configuration)), generator: Generator(seed: 2))
        withoutGradients {
            if let weight = model.network.store.state["decoder.logits.weight"] {
                weight.copy(from: .uniform(weight.shape, from: -1, to: 1, generator: Generator(seed: 4)))
            }
        }
    }

    private var ranges: [ClosedRange<Float>] { Quantization(of: model.network, for: images).ranges }

    private func text(_ ranges: [ClosedRange<Float>]) throws -> String {
        String(decoding: try JSONEncoder().encode(Quantization(ranges: ranges)), as: UTF8.self)
    }

    private func file(_ quantization: String?) throws -> String {
        let path = folder.file("model.safetensors")
        var metadata = try model.metadata
        metadata["quantization"] = quantization
        try saveTensors(model.network.store.state, metadata: metadata, to: path)
        return path
    }

    @Test(.enabled(if: ByteNetwork.isAvailable, "this libtorch has no convolutions of bytes"))
    func aFileWithRangesComputesByThem() throws {
        let ranges = ranges
        let (real, bytes) = (try Model(at: file(nil)), try Model(at: file(text(ranges))))
        #expect(real.quantization == nil && bytes.quantization == Quantization(ranges: ranges))
        let network = try #require(ByteNetwork(real.network, Quantization(ranges: ranges)))
        let found = withoutGradients { bytes.coarseScores(images) }
        #expect(found.doubles() == network.coarseScores(images).doubles())
        #expect(found.doubles() != withoutGradients { real.coarseScores(images) }.doubles())
        // What is written again says the same.
        #expect(try bytes.metadata["quantization"] == text(ranges) && real.metadata["quantization"] == nil)
        // Several tasks share a model.
        let image = Image.noise(height: 50, width: 60, channels: 3)
        let wanted = bytes.segment(image).labels
        DispatchQueue.concurrentPerform(iterations: 4) { _ in #expect(bytes.segment(image).labels == wanted) }
    }

    @Test(.enabled(if: !ByteNetwork.isAvailable, "this machine has convolutions of bytes"))
    func withoutProductsOfBytesItIsTheRealNetwork() throws {
        let ranges = ranges
        let (real, bytes) = (try Model(at: file(nil)), try Model(at: file(text(ranges))))
        #expect(bytes.quantization == Quantization(ranges: ranges))
        let found = withoutGradients { bytes.coarseScores(images) }
        #expect(found.doubles() == withoutGradients { real.coarseScores(images) }.doubles())
        #expect(try bytes.metadata["quantization"] == text(ranges))
    }

    @Test func rangesThatAreNoneAreRefused() throws {
        let own = ranges
        for wrong in [Array(own.dropLast()), own + [0...1], []] {
            let message = failure { _ = try Model(at: file(text(wrong))) }
            #expect(message?.contains("`quantization` has ranges of another network") == true, "\(message ?? "")")
        }
        for text in ["", "[[1]]", "[[2,1]]", "[[0,1e999]]", "[[null,1]]", "{}", "[[\"0\",1]]"] {
            let message = failure { _ = try Model(at: file(text)) }
            #expect(message?.contains("`quantization` holds no ranges of values") == true, "\(text): \(message ?? "")")
        }
    }
}
