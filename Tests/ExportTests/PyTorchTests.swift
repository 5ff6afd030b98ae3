import Export
import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// `Examples/load_in_pytorch.py` against the networks whose files it reads.
@Suite("PyTorch", .enabled(if: Python.has("torch"), "there is no PyTorch in .venv: see scripts/setup.sh --venv"))
struct PyTorchTests {
    @Test("The module of the example gives what the network gives")
    func example() throws {
        let folder = try TemporaryFolder()
        var separable = Genotype.everything
        separable.atrous = .separable
        var random = SplitMix(state: 5)
        var networks = [network(.everything, .tiny()), network(separable, .tiny(filters: 3))]
        networks += try [KnownDesign.autoDeepLab, .convDeconv, .unet].map {
            network(try $0.genotype(), .tiny(filters: 2))
        }
        networks.append(network(Genotype.everything.withAllSkips, .tiny()))
        networks += [EncoderKind.efficientNetLite0, .mobileNetV2].map {
            network(Genotype.everything.on(.encoder($0)), .tiny())
        }
        var bands = DiscreteConfiguration.tiny()
        bands.imageChannels = 5
        networks.append(network(.everything, bands))
        var residual = DiscreteConfiguration.tiny()
        residual.residual = true
        networks.append(network(.everything, residual))
        networks += (0..<3).map { network(.random(using: &random), .tiny(), seed: $0) }
        var separableUNet = EncodedConfiguration.tiny(.mobileNetV2, .unet)
        separableUNet.separable = true
        networks += [
            EncodedConfiguration.tiny(.efficientNetLite0, .unet), .tiny(.efficientNetLite0, .deepLabV3Plus),
            .tiny(.efficientNetLite2, .light), .tiny(.mobileNetV2, .fine), separableUNet,
        ].map { network(.encoded($0)) }
        let decoders = DecoderGenotype.everyOperation + [KnownDecoder.arch2.genotype]
        networks += decoders.map { network(.encoded(.tiny(.mobileNetV2, .searched($0)))) }
        for (number, network) in networks.enumerated() {
            try saveTensors(
                network.store.state, metadata: try metadata(of: network.description),
                to: folder.file("\(number).safetensors"))
            let shape = [2, network.description.imageChannels, 65, 38]
            let images = Tensor.uniform(shape, from: -1, to: 1, generator: Generator(seed: 9))
            let scores = withoutGradients { network(images, mode: .evaluation) }
            try saveTensors(["images": images, "scores": scores], to: folder.file("\(number)-case.safetensors"))
        }
        let script = """
            import sys, load_in_pytorch, torch
            torch.set_num_threads(1)
            from safetensors.torch import load_file
            for number in range(int(sys.argv[2])):
                network, _ = load_in_pytorch.load(f"{sys.argv[1]}/{number}.safetensors")
                case = load_file(f"{sys.argv[1]}/{number}-case.safetensors")
                with torch.no_grad():
                    scores = network(case["images"])
                print(((scores - case["scores"]).abs().max() / case["scores"].abs().max()).item())
            """
        let differences = try Python.run(script, folder.path, "\(networks.count)").split(separator: "\n")
        #expect(differences.count == networks.count)
        for (number, difference) in differences.enumerated() {
            #expect((Double(difference) ?? .infinity) < 1e-5, "network \(number): \(difference)")
        }
    }

    /// What the example reads of a model file's metadata.
    private func metadata(of description: NetworkDescription) throws -> [String: String] {
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        }
        switch description {
        case .discrete(let genotype, let configuration):
            let text = String(decoding: genotype.json(), as: UTF8.self)
            return ["genotype": text, "configuration": try json(configuration)]
        case .encoded(let configuration):
            return ["network": "encoded", "configuration": try json(configuration)]
        }
    }
}
