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

/// Trainings of an encoder with a decoder.
@Suite("Training an encoder", .serialized)
struct EncoderTrainingTests {
    private static let settings = [
        "train.encoder=efficientnet-lite0", "train.encoderWeights=none", "train.unetChannels=[8, 8, 6, 4]",
        "train.lightChannels=8", "train.asppChannels=8", "train.decoderChannels=8", "train.lowLevelChannels=4",
        "train.cellChannels=6", "train.batchNormDecay=0.9", "train.iterations=12", "train.validateEvery=1",
        "train.crop=[33, 33]",
    ]

    /// A training without a genotype.
    @discardableResult
    private func train(
        _ instant: InstantRun, _ name: String, _ settings: [String] = [], genotype: Genotype? = nil,
        resume: Bool = false, watcher: Watcher = Watcher()
    ) throws -> Watcher {
        let configuration = try instant.configuration(Self.settings + settings)
        let training = try Training(
            genotype, configuration, folder: RunFolder(at: instant.folder(name), resume: resume), reporter: watcher,
            interruption: watcher.interruption)
        try training.run()
        return watcher
    }

    @Test(
        "A stop at any step goes on to the same bytes and the same log",
        arguments: [
            ["train.emaDecay=0.9"],
            ["train.decoder=deeplabv3+", "train.freezeEpochs=1", "train.encoderLearningRate=0.1"],
            ["train.decoder=light", "train.freezeBatchNorm=true", "train.accumulate=2", "train.iterations=6"],
            ["train.decoder=nekrasov:arch0", "train.emaDecay=0.9"],
        ])
    func resume(settings: [String]) throws {
        let instant = try InstantRun(.train)
        try train(instant, "whole", settings)
        for step in [3, settings.count == 4 ? 5 : 10] {
            #expect(failure { try train(instant, "broken", settings, watcher: Watcher(stopAfter: step)) } != nil)
            try train(instant, "broken", settings, resume: true)
            #expect(try instant.bytes("broken") == instant.bytes("whole"), "stopped after step \(step)")
            #expect(try instant.logged("broken") == instant.logged("whole"), "stopped after step \(step)")
            try FileManager.default.removeItem(atPath: instant.folder("broken"))
        }
    }

    @Test("A frozen encoder keeps its weights to the bit while the decoder learns, and moves afterwards")
    func freezing() throws {
        let instant = try InstantRun(.train)
        // 10 steps an epoch.
        try train(instant, "first", ["train.iterations=1", "train.freezeEpochs=1"])
        try train(instant, "frozen", ["train.iterations=10", "train.freezeEpochs=1", "train.weightDecay=0.1"])
        try train(instant, "moved", ["train.iterations=11", "train.freezeEpochs=1"])
        try train(instant, "statistics", ["train.iterations=2", "train.freezeBatchNorm=true"])
        func values(_ run: String, _ name: String) throws -> [Float] {
            // The last step's: the model file has the best validation's.
            let tensors = try loadTensors(instant.checkpoint(run)).tensors
            return try #require(tensors.first { $0.key.hasPrefix("network") && $0.key.hasSuffix(name) }?.value).floats()
        }
        let (stem, mean, logits) = (
            "encoder.stem.conv.weight", "encoder.stem.norm.runningMean", "decoder.logits.weight"
        )
        #expect(try values("frozen", stem) == values("first", stem))
        #expect(try values("frozen", mean) == values("first", mean))
        #expect(try values("frozen", logits) != values("first", logits))
        #expect(try values("moved", stem) != values("first", stem))
        #expect(try values("statistics", stem) != values("first", stem))
        #expect(try values("statistics", mean) == values("first", mean))
    }

    @Test("An encoder's statistics move as fast as is set")
    func statisticsAreMoved() throws {
        let instant = try InstantRun(.train)
        func mean(_ name: String, _ settings: [String]) throws -> [Float] {
            try train(instant, name, ["train.iterations=1"] + settings)
            return try #require(
                loadTensors(instant.folder(name) + "/model.safetensors").tensors["encoder.stem.norm.runningMean"]
            ).floats()
        }
        let (half, tenth) = (
            try mean("half", ["train.batchNormDecay=0.5"]), try mean("tenth", ["train.batchNormDecay=0.9"])
        )
        #expect(zip(half, tenth).allSatisfy { abs($0 - 5 * $1) < 1e-5 } && half.contains { abs($0) > 1e-3 })
    }

    @Test("The model file says what it is, is used as it was trained, exported, and described")
    func model() throws {
        let instant = try InstantRun(.train)
        try train(instant, "a")
        let folder = instant.folder("a")
        #expect(!FileManager.default.fileExists(atPath: folder + "/genotype.json"))
        let description = try ModelDescription(at: folder)
        var expected = EncodedConfiguration(.efficientNetLite0, .unet, classes: description.classes.count)
        expected.unetChannels = [8, 8, 6, 4]
        expected.lightChannels = 8
        expected.asppChannels = 8
        expected.decoderChannels = 8
        expected.lowLevelChannels = 4
        expected.cellChannels = 6
        expected.batchNormDecay = 0.9
        #expect(description.network == .encoded(expected))
        let model = try Model(at: folder)
        #expect(model.genotype == nil)
        // Folded and not.
        let plain = expected
        let store = VariableStore(generator: Generator(seed: 0))
        let network = EncodedNetwork(plain, store: store)
        try store.load(loadTensors(folder + "/model.safetensors").tensors)
        let images = Tensor.uniform([1, 3, 65, 97], from: -1, to: 1, generator: Generator(seed: 3))
        let difference = (network.coarseScores(images) - model.network.coarseScores(images)).abs()
        #expect(difference.reshape([-1]).max(0).item() < 1e-4)
        _ = try onnxModel(of: model.network, metadata: try model.metadata)
        let card = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
        #expect(card.contains("| encoder | efficientnet-lite0, trained from scratch |"))
        #expect(card.contains("| the encoder reads (x - mean) / deviation of bytes x | mean 127, 127, 127; "))
        #expect(card.contains("| parameters | \(model.network.store.parameterCount) |"))
        let report = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        #expect(report.contains("train"))
    }

    @Test("Auxiliary cells change what is learnt, and no file of the model has anything of them")
    func auxiliaryCells() throws {
        let instant = try InstantRun(.train)
        let decoder = ["train.decoder=nekrasov:arch1", "train.iterations=2"]
        try train(instant, "with", decoder)
        try train(instant, "without", decoder + ["train.auxiliaryCells=0"])
        func tensors(_ name: String) throws -> [String: Tensor] {
            try loadTensors(instant.folder(name) + "/model.safetensors").tensors
        }
        let (with, without) = (try tensors("with"), try tensors("without"))
        #expect(Set(with.keys) == Set(without.keys) && !with.keys.contains { $0.contains("auxiliary") })
        let name = "decoder.block1.first.node0.pair1.conv.weight"
        #expect(try #require(with[name]).floats() != #require(without[name]).floats())
        let checkpoint = try loadTensors(instant.checkpoint("with")).tensors.keys
        #expect(checkpoint.contains { $0.hasPrefix("auxiliary") && $0.hasSuffix("auxiliary.3.logits.bias") })
        #expect(try !loadTensors(instant.checkpoint("without")).tensors.keys.contains { $0.hasPrefix("auxiliary") })
        // The model's file says the decoder whole.
        let description = try ModelDescription(at: instant.folder("with"))
        if case .encoded(let own) = description.network {
            #expect(own.decoder == .searched(KnownDecoder.arch1.genotype) && own.cellRepeats == 2)
        } else {
            Issue.record("the model is no encoder's")
        }
    }

    @Test("A model is a start for other classes, and brings its encoder and decoder with it")
    func fineTuning() throws {
        let instant = try InstantRun(.train)
        try train(instant, "a", ["train.iterations=2"])
        let model = try Model(at: instant.folder("a"))
        let plain = try instant.configuration(["train.iterations=1"])
        let (adopted, changes) = plain.adopting(model)
        #expect(adopted.train.encoder.kind == .efficientNetLite0 && adopted.train.unetChannels == [8, 8, 6, 4])
        #expect(changes.contains("train.encoder is efficientnet-lite0, as in the model to start from"))
        let watcher = Watcher()
        let training = try Training(
            nil, adopted, from: (model, "m"), folder: RunFolder(at: instant.folder("b"), resume: false),
            reporter: watcher, interruption: watcher.interruption)
        try training.run()
        #expect(watcher.noted.contains("starting from m, whose classes are the same"))
    }

    @Test("What does not go together, or is not there, is refused in one line")
    func refusals() throws {
        let instant = try InstantRun(.train)
        let genotype = try KnownDesign.deeplabv3.genotype(layers: 3)
        #expect(
            failure { try train(instant, "a", genotype: genotype) }
                == "train.encoder is efficientnet-lite0, and a genotype is given: leave one of them out "
                + "(train.encoder=none)")
        #expect(
            failure { try train(instant, "b", ["train.auxiliary.layers=[2]"]) }
                == "train.auxiliary.layers: efficientnet-lite0 has no layers of a genotype: leave them out, or "
                + "train.encoder")
        let missing = failure { try train(instant, "c", ["train.encoder=mobilenet-v2", "train.encoderWeights="]) }
        #expect(missing?.contains("no weights of mobilenet-v2 here, nor in ") == true, "\(missing ?? "")")
        #expect(missing?.contains("\n") == false)
        let path = instant.temporary.file("other.safetensors")
        try saveTensors(["weight": .zeros([2])], to: path)
        #expect(
            failure { try train(instant, "d", ["train.encoderWeights=\(path)"]) }?
                .hasPrefix("\(path): holds no encoder") == true)
        // A run of an encoder does not go on as another one.
        #expect(failure { try train(instant, "e", watcher: Watcher(stopAfter: 2)) } != nil)
        #expect(
            failure { try train(instant, "e", ["train.decoder=light"], resume: true) }?
                .contains("train.decoder was unet and is light") == true)
        #expect(
            failure { try train(instant, "e", ["train.encoder=none"], resume: true) }?
                .contains("the run trains no genotype") == true)
    }

    /// Files of models without a kind are those of genotypes' networks.
    @Test("A kind of network that nobody knows is refused")
    func unknownKind() throws {
        let instant = try InstantRun(.train)
        try train(instant, "a", ["train.iterations=1"])
        let path = instant.folder("a") + "/model.safetensors"
        var (tensors, metadata) = try loadTensors(path)
        metadata["xxh64"] = nil
        metadata["network"] = "future"
        try saveTensors(tensors, metadata: metadata, to: path)
        #expect(failure { _ = try Model(at: path) }?.contains("of a kind that this version does not know") == true)
        metadata["network"] = "encoded"
        metadata["configuration"] = metadata["configuration"]?.replacing("[8,8,6,4]", with: "[8,8,6]")
        try saveTensors(tensors, metadata: metadata, to: path)
        #expect(
            failure { _ = try Model(at: path) }?.contains("number of unetChannels: 3 is not between 4 and 4") == true)
        tensors = [:]
    }
}
