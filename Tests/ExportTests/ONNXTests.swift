import Export
import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Exported networks in ONNX Runtime against the networks themselves.
@Suite("ONNX", .serialized, .enabled(if: Python.has("onnx", "onnxruntime"), Comment(rawValue: Python.missing)))
struct ONNXTests {
    /// An exported model, and what it must give for what.
    private struct Case: Encodable {
        let model: String
        let name: String
        let input: String
        let shape: [Int]
        let expected: String
        let isBytes: Bool
    }

    /// Collects cases, which one Python process then runs.
    private final class Cases {
        let folder: TemporaryFolder
        private var list: [Case] = []

        init() throws { folder = try TemporaryFolder() }

        /// Exports a network and keeps what it makes of random images of these sizes.
        func add(
            _ name: String, _ network: SegmentationNetwork, fixed: Bool = false, sizes: [[Int]], seed: UInt64 = 7,
            quantization: Quantization? = nil
        ) throws {
            let size = fixed ? ONNXOptions.Size(height: sizes[0][1], width: sizes[0][2]) : nil
            let model = folder.file("\(name).onnx")
            try write(
                try onnxModel(of: network, options: ONNXOptions(size: size), quantization: quantization), to: model)
            for size in sizes {
                let shape = [size[0], network.description.imageChannels, size[1], size[2]]
                let images = Tensor.uniform(shape, from: -1, to: 1, generator: Generator(seed: seed))
                let scores = withoutGradients { network(images, mode: .evaluation) }
                try add(name, model, images.floats(), shape, scores.floats())
            }
        }

        func add<Input, Output>(
            _ name: String, _ model: String, _ input: [Input], _ shape: [Int], _ expected: [Output]
        ) throws {
            let stem = folder.file("\(list.count)")
            try input.withUnsafeBytes { try write(Data($0), to: stem + ".in") }
            try expected.withUnsafeBytes { try write(Data($0), to: stem + ".out") }
            list.append(
                Case(
                    model: model, name: name, input: stem + ".in", shape: shape, expected: stem + ".out",
                    isBytes: Input.self == UInt8.self))
        }

        /// The largest difference of each case as a share of the largest score; the share of wrong labels for bytes.
        ///
        /// - Parameters:
        ///   - amongPixels: Gives the mean difference as a share of that between pixels and their mean.
        ///   - asWritten: Has ONNX Runtime compute operation by operation. Else it multiplies bytes where a graph says so, which
        ///     cuts sums off on processors without instructions for it (VNNI).
        /// - Returns: Each case with its difference.
        /// - Throws: An error of the script.
        func differences(amongPixels: Bool = false, asWritten: Bool = false) throws -> [(
            name: String, difference: Double
        )] {
            let manifest = folder.file("cases.json")
            try write(try JSONEncoder().encode(list), to: manifest)
            let script = """
                import sys, json, numpy as np, onnx, onnxruntime
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 3
                if sys.argv[3] == "true":
                    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
                for case in json.load(open(sys.argv[1])):
                    onnx.checker.check_model(case["model"], full_check=True)
                    session = onnxruntime.InferenceSession(case["model"], options, ["CPUExecutionProvider"])
                    kind = np.uint8 if case["isBytes"] else np.float32
                    images = np.fromfile(case["input"], kind).reshape(case["shape"])
                    have, = session.run(None, {session.get_inputs()[0].name: images})
                    want = np.fromfile(case["expected"], kind).reshape(have.shape)
                    if case["isBytes"]:
                        print((have != want).mean())
                    elif sys.argv[2] == "true":
                        print(np.abs(have - want).mean() / np.abs(want - want.mean((2, 3), keepdims=True)).mean())
                    else:
                        print(np.abs(have - want).max() / np.abs(want).max())
                """
            let lines = try Python.run(script, manifest, "\(amongPixels)", "\(asWritten)").split(separator: "\n")
                .map { Double($0) ?? .infinity }
            #expect(lines.count == list.count)
            return zip(list, lines).map { ("\($0.name) \($0.shape)", $1) }
        }

        func write(_ data: Data, to path: String) throws {
            try data.write(to: URL(fileURLWithPath: path))
        }
    }

    private func expectEqual(_ cases: Cases) throws {
        for (name, difference) in try cases.differences() {
            #expect(difference < 1e-4, "\(name): \(difference)")
        }
    }

    @Test("The published network at size S, at odd and even sizes")
    func published() throws {
        let cases = try Cases()
        let small = network(try KnownDesign.autoDeepLab.genotype(), DiscreteConfiguration())
        try cases.add("S", small, sizes: [[1, 97, 129], [1, 64, 96]])
        try expectEqual(cases)
    }

    @Test("Known designs, every operator on every input, and random genotypes, of fixed and of open size")
    func genotypes() throws {
        let cases = try Cases()
        for design in KnownDesign.allCases {
            let genotype = try design.genotype()
            try cases.add(design.rawValue, network(genotype, .tiny()), sizes: [[1, 65, 97], [2, 66, 40]])
        }
        let everything = network(.everything, .tiny())
        try cases.add("everything", everything, sizes: [[2, 41, 50], [1, 33, 65]])
        try cases.add("everything-fixed", everything, fixed: true, sizes: [[1, 71, 50]])
        var residual = DiscreteConfiguration.tiny()
        residual.residual = true
        try cases.add("residual", network(.everything, residual), sizes: [[2, 41, 50], [1, 33, 65]])
        try cases.add("skips", network(Genotype.everything.withAllSkips, .tiny()), sizes: [[2, 41, 50], [1, 33, 65]])
        for head in HeadKind.allCases {
            var configuration = DiscreteConfiguration.tiny()
            (configuration.head, configuration.decoderStride) = (head, head == .separable ? 1 : 2)
            let genotype = try KnownDesign.deeplabv3.genotype()
            try cases.add("head-\(head)", network(genotype, configuration), sizes: [[1, 65, 97], [1, 50, 41]])
        }
        var random = SplitMix(state: 11)
        for seed in 0..<16 {
            var genotype = Genotype.random(using: &random)
            let configuration = DiscreteConfiguration.tiny(filters: .random(in: 1...5, using: &random))
            genotype.atrous = seed % 3 == 0 ? .separable : .dense
            let size = [1, Int.random(in: 33...70, using: &random), Int.random(in: 33...70, using: &random)]
            try cases.add(
                "random-\(seed)", network(genotype, configuration, seed: UInt64(seed)), fixed: seed % 2 == 0,
                sizes: [size])
        }
        try expectEqual(cases)
    }

    @Test("Images of 1, 5 and 32 channels, of fixed and of open size")
    func channels() throws {
        let cases = try Cases()
        for channels in [1, 5, 32] {
            var configuration = DiscreteConfiguration.tiny()
            (configuration.imageChannels, configuration.decoderStride) = (channels, channels == 5 ? 1 : 4)
            let network = network(try KnownDesign.deeplabv3.genotype(), configuration)
            try cases.add("channels-\(channels)", network, sizes: [[1, 65, 97], [2, 50, 41]])
            try cases.add("channels-\(channels)-fixed", network, fixed: true, sizes: [[1, 50, 41]])
        }
        try expectEqual(cases)
    }

    @Test("Encoders with decoders, at even and odd sizes, of fixed and of open size")
    func encoders() throws {
        let cases = try Cases()
        for (kind, decoder) in [
            (EncoderKind.efficientNetLite0, DecoderKind.unet), (.efficientNetLite0, .deepLabV3Plus),
            (.mobileNetV2, .light), (.efficientNetLite0, .fine),
        ] {
            let network = network(.encoded(.tiny(kind, decoder)))
            try cases.add("\(kind)-\(decoder)", network, sizes: [[1, 64, 96], [2, 65, 97], [1, 46, 75]])
            try cases.add("\(kind)-\(decoder)-fixed", network, fixed: true, sizes: [[1, 64, 46]])
        }
        try expectEqual(cases)
    }

    @Test("Genotypes on an encoder's first blocks, at even and odd sizes, of fixed and of open size")
    func encoderStems() throws {
        let cases = try Cases()
        for (kind, stride) in [(EncoderKind.efficientNetLite0, 4), (.mobileNetV2, 2), (.efficientNetLite2, 1)] {
            var configuration = DiscreteConfiguration.tiny()
            configuration.decoderStride = stride
            let genotype = Genotype.everything.withAllSkips.on(.encoder(kind))
            let network = network(genotype, configuration)
            try cases.add("stem-\(kind)", network, sizes: [[1, 64, 96], [2, 65, 97], [1, 46, 75]])
            try cases.add("stem-\(kind)-fixed", network, fixed: true, sizes: [[1, 64, 46]])
        }
        try expectEqual(cases)
    }

    @Test("Decoders of genotypes with every operation, at even and odd sizes, of fixed and of open size")
    func searchedDecoders() throws {
        let cases = try Cases()
        for (number, genotype) in (DecoderGenotype.everyOperation + KnownDecoder.allCases.map(\.genotype)).enumerated()
        {
            let network = network(.encoded(.tiny(.mobileNetV2, .searched(genotype))))
            let isFixed = number % 3 == 0
            let sizes = number % 2 == 0 ? [[isFixed ? 1 : 2, 65, 97]] : [[1, 46, 75]]
            try cases.add(genotype.name.replacing(":", with: "-"), network, fixed: isFixed, sizes: sizes)
        }
        try expectEqual(cases)
    }

    @Test("Networks of 8-bit integers are the network but for rounding, and by another pass's ranges they are not")
    func integers() throws {
        let (cases, wrong) = (try Cases(), try Cases())
        func add(_ name: String, _ network: SegmentationNetwork, sizes: [[Int]]) throws {
            drawClassLayer(of: network)
            let passes = sizes.map { size in
                let images = Tensor.uniform(
                    [size[0], network.description.imageChannels, size[1], size[2]], from: -1, to: 1,
                    generator: Generator(seed: 7))
                return Quantization(of: network, for: images).ranges
            }
            // What the passes cover together.
            let covered = passes.dropFirst().reduce(passes[0]) {
                zip($0, $1).map { min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound) }
            }
            let quantization = Quantization(ranges: covered)
            try cases.add(name, network, sizes: sizes, quantization: quantization)
            let narrow = passes[0].map { $0.lowerBound / 4...$0.upperBound / 4 }
            try wrong.add(name, network, sizes: [sizes[0]], quantization: Quantization(ranges: narrow))
        }
        for design in [KnownDesign.deeplabv3, .stackedHourglass] {
            try add(design.rawValue, network(try design.genotype(), .tiny()), sizes: [[1, 65, 97], [2, 66, 40]])
        }
        try add("everything", network(Genotype.everything.withAllSkips, .tiny()), sizes: [[2, 41, 50], [1, 33, 65]])
        for head in HeadKind.allCases {
            var configuration = DiscreteConfiguration.tiny()
            (configuration.head, configuration.decoderStride) = (head, 2)
            try add("head-\(head)", network(try KnownDesign.deeplabv3.genotype(), configuration), sizes: [[1, 50, 41]])
        }
        for decoder in [DecoderKind.unet, .deepLabV3Plus, .light, .fine] {
            try add(
                "\(decoder)", network(.encoded(.tiny(.efficientNetLite0, decoder))),
                sizes: [[1, 64, 96], [2, 65, 97]])
        }
        try add(
            "searched", network(.encoded(.tiny(.mobileNetV2, .searched(DecoderGenotype.everyOperation[0])))),
            sizes: [[1, 65, 97]])
        try add(
            "stem", network(Genotype.everything.on(.encoder(.mobileNetV2)), .tiny()), sizes: [[1, 64, 96]])
        for asWritten in ByteConvolution.isAvailable ? [true, false] : [true] {
            let right = try cases.differences(amongPixels: true, asWritten: asWritten)
            let other = try wrong.differences(amongPixels: true, asWritten: asWritten)
            for (name, difference) in right { #expect(difference < 0.75, "\(name): \(difference)") }
            // Those of one size are the first of theirs. Where pixels hardly differ in an untrained network, both are large.
            for (name, difference) in other {
                let own = try #require(right.first { $0.name == name }).difference
                #expect(difference > 20 * own, "\(name): \(difference) and \(own)")
            }
        }
    }

    @Test("Real numbers as bytes: 0 is exact, the range is covered, and half a step is the most that is lost")
    func bytes() {
        let ranges: [ClosedRange<Float>] = [
            -1...1, 0...6, -0.5...7.25, 2...3, -3 ... -2, 0...0, -1e-38...1e-38,
        ]
        for range in ranges {
            let bytes = ByteScale(covering: range)
            let zero = Float(bytes.zero)
            for index in 0...100 {
                let value: Float = range.lowerBound + (range.upperBound - range.lowerBound) * Float(index) / 100
                let rounded: Float = (value / bytes.scale).rounded() + zero
                let byte = max(0, min(255, rounded))
                let lost: Float = abs((byte - zero) * bytes.scale - value)
                #expect(lost <= bytes.scale * 0.5001)
            }
        }
        let six = ByteScale(covering: 0...6)
        #expect(six == ByteScale(covering: 2...6))
        #expect(six.zero == 0)
        // Each output has its own scale, by its largest weight.
        let kernel = ByteKernel(Tensor([1.01, -2, 0.5, 0, 0.0101, 0.02, 0, 0, 0] as [Double], shape: [3, 3, 1, 1]))
        let (values, scales): ([Int8], [Float]) = (
            [64, -127, 32, 0, 64, 127, 0, 0, 0], [Float(2) / 127, Float(0.02) / 127, 1]
        )
        #expect(kernel.values == values)
        #expect(kernel.scales == scales)
    }

    @Test("Bytes in and labels out: scaled, padded and cropped as predict does", arguments: [true, false])
    func bytesToLabels(fixed: Bool) throws {
        let cases = try Cases()
        let network = network(.everything, .tiny())
        // Untrained, one class would be the strongest everywhere.
        if let logits = network.store.state["decoder.logits.weight"] {
            let values = Tensor.uniform(logits.shape, from: -1, to: 1, generator: Generator(seed: 4))
            withoutGradients { logits.copy(from: values - values.mean([1], keep: true)) }
        }
        for (height, width) in [(50, 40), (65, 97)] {
            let options = ONNXOptions(
                size: fixed ? .init(height: height, width: width) : nil, takesBytes: true, givesLabels: true)
            let model = cases.folder.file("\(height).onnx")
            try cases.write(try onnxModel(of: network, options: options), to: model)
            var random = SplitMix(state: 3)
            let colours = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Patches of 8 x 8 pixels: noise alone would look the same everywhere.
            let pixels = (0..<height * width * 3).map { index in
                let (row, column) = (index / 3 / width / 8, index / 3 % width / 8)
                return colours[(row * 31 + column * 3 + index % 3) % 300]
            }
            let values = pixels.map { Float($0) * 2 / 255 - 1 }
            let labels = withoutGradients {
                let image = Tensor(values, shape: [1, height, width, 3]).permute([0, 3, 1, 2])
                // By hand: 50x40 becomes 65x65, 65x97 stays.
                let padded = height == 50 ? image.pad([0, 25, 0, 15]) : image
                return network(padded, mode: .evaluation).narrow(2, start: 0, length: height)
                    .narrow(3, start: 0, length: width).argmax(1).bytes()
            }
            #expect(Set(labels).count > 1)
            try cases.add("bytes", model, pixels, [1, height, width, 3], labels)
        }
        for (name, share) in try cases.differences() {
            // Two classes may be equally strong but for rounding.
            #expect(share < 1e-3, "\(name): \(share) of the labels differ")
        }
    }

    @Test("The metadata is in the file, and batch normalisation is not")
    func metadata() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.onnx")
        let model = try onnxModel(
            of: network(.everything, .tiny()), metadata: ["classes": "[\"road\"]", "genotype": "{}"],
            producerVersion: "1.2.3")
        try model.write(to: URL(fileURLWithPath: path))
        let script = """
            import sys, onnx
            model = onnx.load(sys.argv[1])
            print({p.key: p.value for p in model.metadata_props}, model.opset_import[0].version,
                model.producer_version)
            print(sorted({n.op_type for n in model.graph.node}))
            print([(v.name, [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim])
                for v in list(model.graph.input) + list(model.graph.output)])
            """
        let lines = try Python.run(script, path).split(separator: "\n").map(String.init)
        #expect(lines[0] == "{'classes': '[\"road\"]', 'genotype': '{}'} 17 1.2.3")
        #expect(!lines[1].contains("BatchNormalization") && lines[1].contains("'AveragePool'"))
        #expect(lines[2] == "[('image', ['N', 3, 'H', 'W']), ('scores', ['N', 5, 'H', 'W'])]")
    }
}
