import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Encoders against a plain re-implementation with random weights, which go by way of a file.
@Suite struct EncoderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Random weights in the naming of another program, and the file that holds them.
    private func file(
        _ kind: EncoderKind, _ naming: ReferenceEncoder.Naming, seed: UInt64 = 3,
        change: (inout [String: Tensor]) -> Void = { _ in }
    ) throws -> (weights: [String: Tensor], path: String) {
        let generator = Generator(seed: seed)
        var weights: [String: Tensor] = [:]
        for (name, shape) in ReferenceEncoder.shapes(kind, naming).sorted(by: { $0.key < $1.key }) {
            let fanIn = Double(shape.dropFirst().reduce(1, *))
            let isPositive = name.hasSuffix("running_var") || (shape.count == 1 && name.hasSuffix("weight"))
            weights[name] =
                switch shape.count {
                case 0: Tensor([Int64(1)], shape: [])
                case 1:
                    .uniform(
                        shape, from: isPositive ? 0.5 : -0.5, to: 1.5, generator: generator, dtype: .float64)
                default: .normal(shape, deviation: (2 / fanIn).squareRoot(), generator: generator, dtype: .float64)
                }
        }
        change(&weights)
        let path = folder.file("encoder.safetensors")
        try saveTensors(weights, to: path)
        return (weights, path)
    }

    private func encoder(_ kind: EncoderKind, _ path: String) throws -> (ImageEncoder, VariableStore) {
        let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let encoder = ImageEncoder(store.root / "encoder", EncoderLayout(kind))
        encoder.load(try EncoderWeights(kind, path: path))
        return (encoder, store)
    }

    /// Sizes that are even at every level, odd at every level, and mixed.
    @Test(arguments: [
        (EncoderKind.efficientNetLite0, ReferenceEncoder.Naming.package, [64, 96], true),
        (.efficientNetLite0, .timm, [65, 33], false), (.efficientNetLite0, .package, [46, 75], false),
        (.efficientNetLite1, .package, [64, 34], false), (.efficientNetLite2, .timm, [50, 64], true),
        (.mobileNetV2, .torchvision, [64, 64], true), (.mobileNetV2, .timm, [46, 75], false),
    ])
    func likeTheReference(
        kind: EncoderKind, naming: ReferenceEncoder.Naming, size: [Int], training: Bool
    ) throws {
        let (saved, path) = try file(kind, naming)
        let (encoder, store) = try encoder(kind, path)
        let weights = saved
        for tensor in weights.values where tensor.rank > 0 { tensor.requiresGrad = true }
        let reference = ReferenceEncoder(kind: kind, naming: naming, weights: weights, training: training)
        let x = images([2, 3] + size)
        let want = reference(x)
        let have = encoder(x, mode: training ? .batchStatistics : .evaluation)
        #expect(have.count == 5)
        for (stride, (a, b)) in zip([2, 4, 8, 16, 32], zip(have, want)) {
            #expect(a.shape == b.shape && a.size(2) == (size[0] + stride - 1) / stride)
            #expect(relativeDifference(a, b) < 1e-9, "stride \(stride)")
        }
        // A loss of all maps, and the gradients of the first kernel, one in the middle, and a scale.
        func loss(_ maps: [Tensor]) -> Tensor {
            maps.enumerated().reduce(Tensor.zeros([], dtype: .float64)) { sum, entry in
                let probe = Tensor.normal(
                    entry.element.shape, generator: Generator(seed: UInt64(entry.offset)), dtype: .float64)
                return sum + (entry.element * probe).mean()
            }
        }
        let own = ["stem.conv.weight", "blocks.3.depthwise.conv.weight", "blocks.5.expand.norm.weight"]
        let foreign =
            switch naming {
            case .package: ["_conv_stem.weight", "_blocks.3._depthwise_conv.weight", "_blocks.5._bn0.weight"]
            case .timm:
                switch kind {
                case .efficientNetLite0:
                    ["conv_stem.weight", "blocks.2.0.conv_dw.weight", "blocks.3.0.bn1.weight"]
                case .mobileNetV2: ["conv_stem.weight", "blocks.2.0.conv_dw.weight", "blocks.2.2.bn1.weight"]
                case .efficientNetLite1, .efficientNetLite2:
                    ["conv_stem.weight", "blocks.1.2.conv_dw.weight", "blocks.2.1.bn1.weight"]
                }
            case .torchvision: ["features.0.0.weight", "features.4.conv.1.0.weight", "features.6.conv.0.1.weight"]
            }
        let state = store.state
        let found = gradients(of: loss(have), withRespectTo: own.compactMap { state["encoder." + $0] })
        let wanted = gradients(of: loss(want), withRespectTo: foreign.compactMap { weights[$0] })
        #expect(found.count == 3 && wanted.count == 3)
        for (name, (a, b)) in zip(own, zip(found, wanted)) {
            let (a, b) = (try #require(a), try #require(b))
            #expect(relativeDifference(a, b) < 1e-7, "gradient of \(name)")
        }
    }

    /// The blocks up to a stride are those that the whole encoder begins with, to the bit, from the same file.
    @Test(arguments: EncoderKind.allCases) func firstBlocks(kind: EncoderKind) throws {
        let (_, path) = try file(kind, .package)
        let (whole, _) = try encoder(kind, path)
        for (last, count) in [(4, 2), (8, 3)] {
            let store = VariableStore(generator: Generator(seed: 2), dtype: .float64)
            let first = ImageEncoder(store.root / "encoder", EncoderLayout(kind, upTo: last))
            first.load(try EncoderWeights(kind, path: path))
            let x = images([2, 3, 50, 65])
            let (have, want) = (first(x, mode: .evaluation), whole(x, mode: .evaluation))
            #expect(have.count == count)
            for (a, b) in zip(have, want) { #expect(a.doubles() == b.doubles()) }
        }
    }

    /// Symmetric zeros in place of TensorFlow's give another result where a size is even, and the same where all are
    /// odd.
    @Test func paddingMatters() {
        let even = Padding.same.zeros(size: 224, kernelSize: 3, stride: 2)
        #expect(even == (0, 1))
        #expect(Padding.same.zeros(size: 56, kernelSize: 5, stride: 2) == (1, 2))
        #expect(Padding.same.zeros(size: 321, kernelSize: 5, stride: 2) == (2, 2))
        #expect(Padding.same.zeros(size: 17, kernelSize: 3, stride: 1) == (1, 1))
        #expect(Padding.same.zeros(size: 8, kernelSize: 1, stride: 2) == (0, 0))
        #expect(Padding.each(2).zeros(size: 8, kernelSize: 5, stride: 2) == (2, 2))
    }

    /// Running means begin at 0: after one step they are the momentum's share of the batch's.
    @Test(arguments: EncoderKind.allCases) func statisticsAreMoved(kind: EncoderKind) throws {
        let images = Tensor.uniform([2, 3, 33, 33], from: -1, to: 1, generator: Generator(seed: 5), dtype: .float64)
        func moved(_ decay: Double?) -> [[Double]] {
            let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
            let encoder = ImageEncoder(store.root, EncoderLayout(kind))
            if let decay { encoder.movesStatistics(decay: decay) }
            _ = encoder(images, mode: .training)
            return store.buffers.filter { $0.name.hasSuffix("runningMean") }.map { $0.tensor.doubles() }
        }
        let own = moved(nil)
        for (decay, momentum) in [(0.75, 0.25), (0.9997, kind.family.momentum)] {
            for (found, usual) in zip(moved(decay), own) {
                let wanted = usual.map { $0 * momentum / kind.family.momentum }
                #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-9 })
            }
        }
    }

    @Test func unusableFilesAreNamed() throws {
        func refusal(
            _ kind: EncoderKind = .mobileNetV2, _ change: @escaping (inout [String: Tensor]) -> Void
        ) throws -> String {
            let path = try file(.mobileNetV2, .torchvision, change: change).path
            do {
                _ = try EncoderWeights(kind, path: path)
                return "accepted"
            } catch { return "\(error)".replacing(path, with: "FILE") }
        }
        #expect(try refusal { _ in } == "accepted")
        #expect(
            try refusal { $0["features.3.conv.2.weight"] = nil }
                == "FILE: tensor \"features.3.conv.2.weight\": is missing; mobilenet-v2 as torchvision names it has one"
        )
        #expect(
            try refusal { $0["features.0.1.bias"] = .zeros([31]) }
                == "FILE: tensor \"features.0.1.bias\": has shape [31], where mobilenet-v2 has [32]")
        #expect(
            try refusal { $0["features.19.conv.2.weight"] = .zeros([31]) }
                == "FILE: tensor \"features.19.conv.2.weight\": is not one of mobilenet-v2's")
        #expect(
            try refusal { $0["features.0.1.bias"] = .full(.nan, [32]) }
                == "FILE: tensor \"features.0.1.bias\": holds NaN or infinity")
        #expect(try refusal { $0 = ["weight": .zeros([3])] }.hasPrefix("FILE: holds no encoder: no tensor is named as"))
        #expect(
            try refusal(.efficientNetLite0) { _ in }
                == "FILE: tensor \"features.4.conv.1.0.weight\": has shape [144, 1, 3, 3], where efficientnet-lite0 has "
                + "[144, 1, 5, 5]")
    }
}
