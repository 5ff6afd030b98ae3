import Configurations
import Datasets
import Experiments
import Foundation
import Inference
import Networks
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// Statistics of batch normalisation that are measured for the weights that are validated.
@Suite("Precise batch normalisation", .serialized)
struct PreciseBatchNormTests {
    private static let settings = [
        "train.preciseBatchNorm=7", "train.batch=2", "train.validateEvery=100", "train.emaDecay=0.9", "seed=3",
    ]

    /// Batches of a training's crops, as one that knows nothing of the class makes them.
    private func batches(_ configuration: Configuration, count: Int) throws -> [Tensor] {
        let dataset = try configuration.data.dataset()
        let crops = try FixedCrops(
            of: dataset.samples(.train), limit: 7, reader: configuration.data.trainingReader(dataset, resize: 1),
            augmentation: configuration.train.augmentation, seed: 3)
        return try (0..<count).map { number in
            concatenate(try crops.batch(number, of: 2).map { try crops($0).imageTensor() }, dim: 0)
        }
    }

    /// A training of two epochs that rests after its first, whose model is that of the validation there.
    private func restedModel(_ instant: InstantRun, _ name: String, _ settings: [String]) throws -> Model {
        let configuration = try instant.configuration(Self.settings + settings)
        let watcher = Watcher()
        let genotype = configuration.train.encoder == .none ? try KnownDesign.deeplabv3.genotype(layers: 3) : nil
        let training = try Training(
            genotype, configuration, folder: RunFolder(at: instant.folder(name), resume: false), reporter: watcher,
            interruption: watcher.interruption, features: FrozenFeatures(megabytes: 0))
        #expect(try training.run(through: 1) == nil)
        return try Model(at: instant.folder(name))
    }

    @Test("The model that is kept has the mean statistics of the batches under its averaged weights")
    func statistics() throws {
        let instant = try InstantRun(.train)
        let model = try restedModel(instant, "run", [])
        let buffers = model.network.store.buffers
        let kept = buffers.map { $0.tensor.floats() }
        // Seven crops make three whole batches.
        let all = try batches(instant.configuration(Self.settings), count: 3).map { images in
            withoutGradients {
                _ = model.network(images, mode: .measuring)
                return buffers.map { $0.tensor.floats() }
            }
        }
        for (place, buffer) in buffers.enumerated() {
            for (channel, own) in kept[place].enumerated() {
                let mean = all.map { $0[place][channel] }.reduce(0, +) / 3
                let size = max(1e-3, abs(mean))
                #expect(abs(own - mean) < 1e-4 * size, "\(buffer.name) \(channel): \(own) \(mean)")
            }
        }
        let running = try restedModel(instant, "running", ["train.preciseBatchNorm=0"])
        #expect(running.network.store.buffers.map { $0.tensor.floats() } != kept)
    }

    @Test("After the last step it has the running ones")
    func lastStep() throws {
        let instant = try InstantRun(.train)
        try instant.run("measured", Self.settings)
        try instant.run("running", Self.settings + ["train.preciseBatchNorm=0"])
        try instant.expectSame(["model.safetensors"], in: "measured", "running")
    }

    @Test("Steps go on as if nothing had been measured, and a stop at any of them to the same bytes")
    func steps() throws {
        let instant = try InstantRun(.train)
        let often = Self.settings + ["train.validateEvery=1"]
        try instant.run("whole", often)
        try instant.run("without", often + ["train.preciseBatchNorm=0"])
        let (network, without) = (try state(instant, "whole"), try state(instant, "without"))
        #expect(network == without)
        #expect(try instant.logged("whole") != instant.logged("without"))
        for step in [5, 10, 13] {
            #expect(failure { try instant.run("broken", often, watcher: Watcher(stopAfter: step)) } != nil)
            try instant.run("broken", often, resume: true)
            #expect(try instant.bytes("broken") == instant.bytes("whole"))
            #expect(try instant.logged("broken") == instant.logged("whole"))
            try FileManager.default.removeItem(atPath: instant.folder("broken"))
        }
    }

    private func state(_ instant: InstantRun, _ name: String) throws -> [String: [Float]] {
        try loadTensors(instant.checkpoint(name)).tensors.filter { !$0.key.hasPrefix("random") }
            .mapValues { $0.floats() }
    }

    @Test("An encoder that keeps its statistics keeps them here")
    func encoder() throws {
        let instant = try InstantRun(.train)
        let settings = [
            "train.encoder=mobilenet-v2", "train.encoderWeights=none", "train.decoder=light", "train.lightChannels=4",
            "train.stepsPerEpoch=3",
        ]
        func statistics(_ name: String, _ further: [String]) throws -> (encoder: [[Float]], decoder: [[Float]]) {
            let buffers = try restedModel(instant, name, settings + further).network.store.buffers
            return (
                buffers.filter { $0.name.hasPrefix("encoder.") }.map { $0.tensor.floats() },
                buffers.filter { !$0.name.hasPrefix("encoder.") }.map { $0.tensor.floats() }
            )
        }
        for further in [["train.freezeBatchNorm=true"], ["train.freezeEpochs=1"]] {
            let measured = try statistics("measured" + further[0], further)
            let running = try statistics("running" + further[0], further + ["train.preciseBatchNorm=0"])
            #expect(measured.encoder == running.encoder)
            #expect(measured.decoder != running.decoder)
        }
        #expect(try statistics("whole", []).encoder != statistics("old", ["train.preciseBatchNorm=0"]).encoder)
    }

    @Test("What is measured is a batch's statistics, whatever the running ones were")
    func mode() {
        let store = VariableStore(generator: Generator(seed: 1))
        let layer = BatchNorm2d(store.root / "bn", channels: 2, affine: false, eps: 1e-5, momentum: 0.1)
        let x = Tensor.normal([3, 2, 4, 5], generator: Generator(seed: 2)) * 3 + 1
        withoutGradients { layer.runningMean.copy(from: .full(7, [2])) }
        let measured = layer(x, mode: .measuring)
        let values = x.permute([1, 0, 2, 3]).reshape([2, -1])
        for channel in 0..<2 {
            let own = values.select(0, channel).floats().map(Double.init)
            let mean = own.reduce(0, +) / 60
            let variance = own.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 59
            #expect(abs(Double(layer.runningMean.floats()[channel]) - mean) < 1e-5)
            #expect(abs(Double(layer.runningVariance.floats()[channel]) - variance) < 1e-4)
        }
        #expect(measured.floats() == layer(x, mode: .batchStatistics).floats())
    }
}
