import Configurations
import Experiments
import Foundation
import Images
import Inference
import Runs
import SearchSpace
import TestSupport
import Testing
import Torch

/// What a training may have besides the paper's protocol.
@Suite("Options of training", .serialized)
struct TrainingOptionTests {
    /// All of them at once.
    private static let all = [
        "train.loss.ohemFraction=0.5", "train.loss.labelSmoothing=0.1", "train.loss.dice=0.5", "train.accumulate=2",
        "train.emaDecay=0.9", "train.auxiliary.layers=[2, 3]", "train.decayNormalization=true", "train.clip=5",
        "train.warmupSteps=2", "train.dropPathKeep=0.7", "train.iterations=7", "train.validateEvery=1",
    ]

    @Test("With everything on, a stop at any step goes on to the same bytes and the same log")
    func resume() throws {
        let instant = try InstantRun(.train)
        try instant.run("whole", Self.all)
        // 20 images in batches of 2, two to a step: 5 steps an epoch.
        #expect(try instant.logged("whole").map { $0["step"] } == [5, 7])
        for step in [2, 5, 6] {
            #expect(failure { try instant.run("broken", Self.all, watcher: Watcher(stopAfter: step)) } != nil)
            try instant.run("broken", Self.all, resume: true)
            #expect(try instant.bytes("broken") == instant.bytes("whole"), "stopped after step \(step)")
            #expect(try instant.logged("broken") == instant.logged("whole"), "stopped after step \(step)")
            try FileManager.default.removeItem(atPath: instant.folder("broken"))
        }
    }

    @Test("The model file has the averaged weights, the checkpoint the last ones too, and no head is in the model")
    func average() throws {
        let instant = try InstantRun(.train)
        // One validation, at the end, so that the model is of the last step.
        try instant.run("a", Self.all + ["train.validateEvery=100"])
        let (model, _) = try loadTensors(instant.folder("a") + "/model.safetensors")
        let (checkpoint, _) = try loadTensors(instant.checkpoint("a"))
        #expect(!model.keys.contains { $0.hasPrefix("auxiliary") })
        #expect(checkpoint.keys.contains { $0.contains("auxiliary.3.logits.weight") })
        let name = "decoder.logits.weight"
        func value(_ section: String) throws -> [Float] {
            try #require(checkpoint.first { $0.key.hasPrefix(section) && $0.key.hasSuffix(name) }?.value).floats()
        }
        #expect(try model[name]?.floats() == value("average"))
        #expect(try model[name]?.floats() != value("network"))
    }

    @Test("Heads on layers that are not there are refused in one line")
    func noSuchLayer() throws {
        let instant = try InstantRun(.train)
        #expect(
            failure { try instant.run("a", ["train.auxiliary.layers=[9]"]) }
                == "train.auxiliary.layers: 9, where the network has 3 layers")
    }

    /// A training from a model's weights, into a new run.
    private func fineTune(_ instant: InstantRun, _ name: String, from model: Model, data: String) throws -> Watcher {
        let watcher = Watcher()
        var configuration = try instant.configuration(["train.filters=8", "train.iterations=1"])
        configuration.data.root = data
        let (adopted, changes) = configuration.adopting(model)
        #expect(changes == ["train.filters is 4, as in the model to start from"])
        let training = try Training(
            nil, adopted, from: (model, "m"), folder: RunFolder(at: instant.folder(name), resume: false),
            reporter: watcher, interruption: watcher.interruption)
        try training.run()
        return watcher
    }

    @Test("Fine-tuning starts from a model's weights, with a new class layer where the classes are others")
    func fineTuning() throws {
        let instant = try InstantRun(.train)
        try instant.run("a")
        let model = try Model(at: instant.folder("a"))
        let same = try fineTune(instant, "same", from: model, data: instant.data)
        #expect(same.noted.contains("starting from m, whose classes are the same"))

        // Two classes instead of seven: grounds and things.
        let other = instant.folder("other")
        try FileManager.default.copyItem(atPath: instant.data, toPath: other)
        try Data("ground\nthing\n".utf8).write(to: URL(fileURLWithPath: other + "/classes.txt"))
        for case let file as String in FileManager.default.enumerator(atPath: other + "/masks") ?? .init()
        where file.hasSuffix(".png") {
            let path = other + "/masks/" + file
            let mask = try readMask(path: path)
            let labels = mask.labels.map { $0 == 255 ? $0 : $0 < 4 ? 0 : 1 }
            try writePNG(Mask(width: mask.width, height: mask.height, labels: labels), palette: [], to: path)
        }
        let fewer = try fineTune(instant, "fewer", from: model, data: other)
        #expect(
            fewer.noted.contains("starting from m, with a new class layer: its 7 classes are not these 2"))
        let (old, _) = try loadTensors(instant.folder("a") + "/model.safetensors")
        let (new, _) = try loadTensors(instant.folder("fewer") + "/model.safetensors")
        #expect(new["decoder.logits.weight"]?.shape == [2, 8, 1, 1])
        // One step of SGD from there is a small one; a network drawn anew would be elsewhere.
        let stem = try #require(old["stem.2.conv.weight"]).floats()
        let moved = try #require(new["stem.2.conv.weight"]).floats()
        let change = zip(stem, moved).map { abs($0 - $1) }.max() ?? 1
        let size = stem.map { abs($0) }.max() ?? 0
        #expect(change > 0 && change < size / 4, "\(change) of \(size)")
    }

    @Test("What residual connections need: cells that keep their stride, and the same in a model to start from")
    func residual() throws {
        let instant = try InstantRun(.train)
        let idle = Watcher()
        try instant.run("idle", ["train.residual=true", "train.iterations=1"], watcher: idle)
        let moves = try loadGenotype(instant.folder("idle") + "/genotype.json").moves
        #expect(idle.noted.contains { $0.contains("so that nothing is added") } == !moves.dropFirst().contains(.keep))

        let stays = try KnownDesign.deeplabv3.genotype(layers: 5)
        func train(_ name: String, residual: Bool, from start: Model? = nil, iterations: Int = 1) throws -> Model {
            var configuration = try instant.configuration(["train.iterations=\(iterations)"])
            configuration.train.residual = residual
            let training = try Training(
                start == nil ? stays : nil, configuration, from: start.map { ($0, "m") },
                folder: RunFolder(at: instant.folder(name), resume: true), reporter: SilentReporter(),
                interruption: Interruption())
            try training.run()
            return try Model(at: instant.folder(name))
        }
        let model = try train("with", residual: true)
        #expect(model.network.description.residualLayers > 0)
        let error = failure { _ = try train("without", residual: false, from: model) }
        #expect(error?.contains("set train.residual to true") == true, "\(error ?? "none")")
        _ = try train("more", residual: true, from: model)
        let changed = failure { _ = try train("with", residual: false, iterations: 2) }
        #expect(changed?.contains("train.residual") == true, "\(changed ?? "none")")
    }

    @Test("A search's network that is trained without the search's residual connections is told of")
    func residualWarning() throws {
        let folder = try TemporaryFolder()
        var configuration = Configuration()
        func warning() throws -> String? {
            try folder.write(configuration.yaml(), to: "search/config.yaml")
            return configuration.train.residualWarning(genotype: folder.file("search"))
        }
        configuration.search.residual = true
        #expect(try warning() == nil, "what a training was configured with says nothing of a search")
        try folder.write("", to: "search/genotypes/epoch-001.json")
        #expect(try warning()?.contains("set train.residual=true") == true)
        configuration.train.residual = true
        #expect(try warning() == nil)
        (configuration.search.residual, configuration.train.residual) = (false, false)
        #expect(try warning() == nil)
        #expect(configuration.train.residualWarning(genotype: "deeplabv3:4") == nil)
    }
}
