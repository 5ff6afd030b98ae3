import Comparisons
import Configurations
import Experiments
import Export
import Foundation
import Inference
import Networks
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// Searches and trainings on an encoder's first blocks.
@Suite("On an encoder's stem", .serialized)
struct EncoderStemRunTests {
    private static let stem = StemKind.encoder(.efficientNetLite0)
    private static let search = [
        "search.stem=efficientnet-lite0@4", "search.layers=3", "search.architectureFrom=0",
        "search.architecture.learningRate=0.3",
    ]
    private static let train = ["train.iterations=12", "train.validateEvery=1", "train.batchNormDecay=0.9"]

    /// An instant run's folder with a file of an encoder's weights, as efficientnet-lite-pytorch names them.
    private func instant(_ stage: InstantRun.Stage) throws -> (run: InstantRun, weights: String, own: [String: Tensor])
    {
        let run = try InstantRun(stage)
        let store = VariableStore(generator: Generator(seed: 5))
        _ = ImageEncoder(store.root / "encoder", EncoderLayout(.efficientNetLite0))
        let generator = Generator(seed: 6)
        var foreign: [String: Tensor] = [:]
        for (name, tensor) in store.state.sorted(by: { $0.key < $1.key }) {
            // No statistic is what it begins as.
            if tensor.rank == 1 {
                withoutGradients {
                    tensor.copy(from: .uniform(tensor.shape, from: 0.5, to: 1.5, generator: generator))
                }
            }
            foreign[EncoderStemRunTests.foreign(name)] = tensor
        }
        let path = run.temporary.file("weights.safetensors")
        try saveTensors(foreign, to: path)
        return (run, "train.encoderWeights=\(path)", store.state)
    }

    private static func foreign(_ name: String) -> String {
        let parts = name.split(separator: ".").map(String.init)
        let vectors = ["runningMean": "running_mean", "runningVariance": "running_var"]
        let last = vectors[parts[parts.count - 1]] ?? parts[parts.count - 1]
        let isNorm = parts[parts.count - 2] == "norm"
        if parts[1] == "stem" { return (isNorm ? "_bn0." : "_conv_stem.") + last }
        let norms = ["expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"]
        return "_blocks.\(parts[2])." + (isNorm ? norms[parts[3]] ?? "" : "_\(parts[3])_conv") + "." + last
    }

    /// The network's tensors in a run's last checkpoint.
    private func network(_ run: InstantRun, _ name: String) throws -> [String: [Float]] {
        var result: [String: [Float]] = [:]
        for (key, tensor) in try loadTensors(run.checkpoint(name)).tensors {
            guard let range = key.range(of: "network"), range.lowerBound == key.startIndex else { continue }
            result[String(key[range.upperBound...].drop { !$0.isLetter })] = tensor.floats()
        }
        return result
    }

    /// Names of the encoder's tensors that are not those of its file.
    private func moved(_ tensors: [String: [Float]], from own: [String: Tensor]) -> [String] {
        let encoder = tensors.filter { $0.key.hasPrefix("encoder.") }
        #expect(encoder.count == 45, "the first convolution, a block of two and two of three, 5 tensors each")
        return encoder.filter { own[$0.key]?.floats() != $0.value }.map(\.key).sorted()
    }

    @Test(
        "A search leaves the encoder as it came, to the bit, unless its learning rate is set: then its statistics stay")
    func frozen() throws {
        let (run, weights, own) = try instant(.search)
        let watcher = Watcher()
        try run.run("frozen", Self.search + [weights], watcher: watcher)
        #expect(watcher.noted.contains { $0.hasPrefix("efficientnet-lite0 has the weights of ") })
        #expect(moved(try network(run, "frozen"), from: own).isEmpty)
        try run.run("shorter", Self.search + [weights, "search.epochs=1"])
        for name in ["stem.adapter2.conv.weight", "stem.adapter4.conv.weight", "stem.adapter4.norm.runningMean"] {
            #expect(try #require(network(run, "frozen")[name]) != #require(network(run, "shorter")[name]), "\(name)")
        }
        try run.run("trained", Self.search + [weights, "search.encoderLearningRate=0.5"])
        let trained = moved(try network(run, "trained"), from: own)
        #expect(trained.contains("encoder.stem.conv.weight") && trained.contains("encoder.blocks.2.project.norm.bias"))
        #expect(!trained.contains { $0.contains("running") })
    }

    @Test(
        "A search goes on to the same bytes, with the encoder frozen and not, and needs no file of weights for it",
        arguments: [[], ["search.encoderLearningRate=0.5", "search.recompute=layers"]])
    func resume(settings: [String]) throws {
        let (run, weights, _) = try instant(.search)
        let settings = Self.search + settings
        try run.run("whole", settings + [weights])
        #expect(throws: Interrupted.self) {
            try run.run("stopped", settings + [weights], watcher: Watcher(stopAfter: 7))
        }
        try run.run("stopped", settings + ["train.encoderWeights=/nowhere"], resume: true)
        // The configuration tells which file was given.
        #expect(try network(run, "stopped") == network(run, "whole"))
        #expect(try run.logged("stopped") == run.logged("whole"))
        try run.expectSame(["genotype.json"], in: "whole", "stopped")
        #expect(throws: Interrupted.self) {
            try run.run("again", settings + [weights], watcher: Watcher(stopAfter: 3))
        }
        try run.run("again", settings + [weights], resume: true)
        #expect(try run.bytes("again") == run.bytes("whole"))
    }

    @Test(
        "What a search finds says its stem, and is trained, stopped, used, exported and described without being told again"
    )
    func road() throws {
        let (run, weights, own) = try instant(.search)
        try run.run(
            "search", Self.search + [weights, "search.architecture.price=0.1", "search.longSkips=on"])
        let found = try loadGenotype(run.folder("search"))
        #expect(found.stem == Self.stem)
        #expect(try decodeCheckpoint(run.folder("search")) == found)
        #expect(try LiveArchitecture(of: run.folder("search")).genotype == found)
        func train(
            _ name: String, _ settings: [String] = [], resume: Bool = false, watcher: Watcher = Watcher(),
            from start: (model: Model, path: String)? = nil
        ) throws {
            let configuration = try run.configuration(Self.train + [weights] + settings)
            _ = try Training(
                resume ? nil : found, configuration, from: start,
                folder: RunFolder(at: run.folder(name), resume: resume), reporter: watcher,
                interruption: watcher.interruption
            ).run()
        }
        let settings = ["train.encoderLearningRate=0.1", "train.freezeEpochs=1", "train.emaDecay=0.9"]
        try train("whole", settings)
        for step in [3, 11] {
            #expect(failure { try train("broken", settings, watcher: Watcher(stopAfter: step)) } != nil)
            try train("broken", settings, resume: true)
            #expect(try run.bytes("broken") == run.bytes("whole"), "stopped after step \(step)")
            try FileManager.default.removeItem(atPath: run.folder("broken"))
        }
        // 10 steps an epoch: the first is frozen, the second is not.
        #expect(try moved(network(run, "whole"), from: own).contains("encoder.stem.norm.runningMean"))
        try train("frozen", ["train.iterations=10", "train.freezeEpochs=1", "train.weightDecay=0.1"])
        #expect(try moved(network(run, "frozen"), from: own).isEmpty)
        try train("statistics", ["train.iterations=2", "train.freezeBatchNorm=true"])
        let moved = try moved(network(run, "statistics"), from: own)
        #expect(moved.contains("encoder.stem.conv.weight") && !moved.contains { $0.contains("running") })

        let folder = run.folder("whole")
        #expect(try loadGenotype(folder) == found)
        let model = try Model(at: folder)
        #expect(model.genotype == found)
        let images = Tensor.uniform([1, 3, 65, 97], from: -1, to: 1, generator: Generator(seed: 3))
        let store = VariableStore(generator: Generator(seed: 0))
        let plain = model.network.description.network(store: store)
        try store.load(loadTensors(folder + "/model.safetensors").tensors)
        let difference = (plain.coarseScores(images) - model.network.coarseScores(images)).abs()
        #expect(difference.reshape([-1]).max(0).item() < 1e-4)
        _ = try onnxModel(of: model.network, metadata: try model.metadata)
        let card = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
        #expect(
            card.contains(
                "| stem | efficientnet-lite0@4, with weights trained on ImageNet at first |\n| the encoder reads"))
        #expect(card.contains("| parameters | \(model.network.store.parameterCount) |"))
        #expect(try architectureDrawing(of: folder, title: nil).contains("efficientnet-lite0@4"))

        // From a model its encoder comes too, and the file of weights is not asked for.
        let watcher = Watcher()
        try train(
            "next", ["train.iterations=1", "train.encoderWeights=/nowhere"], watcher: watcher, from: (model, "m"))
        #expect(watcher.noted.contains("starting from m, whose classes are the same"))
    }

    @Test("Candidates of a race and of an evolution lie on the stem too", arguments: ["race", "evolution"])
    func candidates(method: String) throws {
        let (run, weights, _) = try instant(.train)
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "search.method=\(method)", "search.candidates=3", "search.reduction=3", "train.epochs=3",
                "search.stem=mobilenet-v2@4", "search.layers=4", weights,
            ])
        configuration.data.root = run.data
        let missing = failure { _ = try CandidateSearch(configuration, output: run.folder("a"), resume: false) }
        #expect(missing?.contains("weights.safetensors: ") == true, "weights of another encoder: \(missing ?? "")")
        configuration.search.stem = Self.stem
        let search = try CandidateSearch(configuration, output: run.folder(method), resume: false)
        let watcher = Watcher()
        let table = try search.run(reporter: watcher, interruption: watcher.interruption)
        #expect(table.rows.count == 3)
        #expect(try loadGenotype(run.folder(method)).stem == Self.stem)
        #expect(try Model(at: run.folder(method)).genotype?.stem == Self.stem)
    }

    @Test("Scores come from a supernet on the same stem alone")
    func scores() throws {
        let (run, weights, _) = try instant(.search)
        try run.run("supernet", Self.search + [weights])
        let configuration = try run.configuration(Self.search)
        let genotype = try KnownDesign.deeplabv3.genotype(layers: 3)
        let own = Genotype(
            path: genotype.path,
            cell: Cell(blocks: [
                Block(first: Branch(input: .previous, op: .skip), second: Branch(input: .previous2, op: .maxPool3x3))
            ]), stem: Self.stem)
        let scorer = try SupernetScorer(run: run.folder("supernet"), configuration, images: 1)
        #expect(try scorer.loss(of: own).isFinite)
        let plain = try run.configuration(["search.layers=3"])
        let line = failure { _ = try SupernetScorer(run: run.folder("supernet"), plain, images: 1) }
        #expect(line?.contains("stem efficientnet-lite0@4, and the search here") == true, "\(line ?? "")")
        #expect(line?.contains("set search.layers, search.blocks, search.stem, ") == true)
    }

    @Test("Any network is put on a stem by its name; what does not go together is refused in one line")
    func names() throws {
        let (run, _, _) = try instant(.train)
        let plain = try KnownDesign.deeplabv3.genotype(layers: 8)
        let own = try loadGenotype("efficientnet-lite0@4+deeplabv3:8")
        #expect(own == plain.on(Self.stem))
        let file = run.temporary.file("g.json")
        try own.json().write(to: URL(fileURLWithPath: file))
        #expect(try loadGenotype("efficientnet-lite0@4+\(file)") == own)
        #expect(
            failure { _ = try loadGenotype("mobilenet-v2@4+\(file)") }
                == "\(file): stem: the network begins on efficientnet-lite0@4, not on mobilenet-v2@4: leave that out")
        #expect(
            failure { _ = try loadGenotype("efficientnet-lite0@8+deeplabv3:8") }?
                .hasPrefix("stem: 'efficientnet-lite0@8' is not paper, efficientnet-lite0@4, ") == true)
        let names = try ComparedNetwork.named(by: [
            "efficientnet-lite0@4+deeplabv3:8",
            "mobilenet-v2@4+\(file)".replacing("mobilenet-v2", with: "efficientnet-lite0"),
        ])
        #expect(names.map(\.name) == ["efficientnet-lite0@4+deeplabv3-8", "efficientnet-lite0@4+g"])
        func refusal(_ settings: [String]) -> String? { failure { _ = try run.configuration(settings) } }
        #expect(
            refusal(["search.stem=mobilenet-v2@4", "data.channels=5"])
                == "search.stem: mobilenet-v2 sees 3 channels, and data.channels is 5: set search.stem to paper")
        #expect(
            refusal([
                "search.stem=mobilenet-v2@4", "search.space=decoders", "train.encoder=mobilenet-v2",
                "search.method=random",
            ])?.hasPrefix("search.stem: decoders lie behind the whole of train.encoder") == true)
        #expect(refusal(["search.stem=mobilenet-v2"])?.contains("search.stem: 'mobilenet-v2' is ") == true)
        var configuration = DiscreteConfiguration(filters: 4, classes: 2)
        configuration.imageChannels = 5
        #expect(
            failure { try NetworkDescription.discrete(own, configuration).validate() }
                == "stem: efficientnet-lite0@4 sees 3 channels, and the images have 5")
    }
}
