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

/// Trainings that begin with the decoder alone, on maps of crops that are drawn once.
@Suite("Training a decoder on kept maps", .serialized)
struct FrozenStageTests {
    private static let settings = [
        "train.encoder=mobilenet-v2", "train.encoderWeights=none", "train.decoder=nekrasov:arch0",
        "train.cellChannels=4", "train.cellRepeats=1", "train.batchNormDecay=0.9", "train.stepsPerEpoch=4",
        "train.epochs=3", "train.freezeEpochs=2", "train.frozenImages=6", "train.frozenBatch=3",
        "train.learningRate=0.01",
        "train.batch=2", "seed=4",
    ]

    @discardableResult
    private func train(
        _ instant: InstantRun, _ name: String, _ settings: [String] = [], resume: Bool = false,
        watcher: Watcher = Watcher(), features: FrozenFeatures? = nil
    ) throws -> FrozenFeatures {
        let configuration = try instant.configuration(Self.settings + settings)
        let features = features ?? FrozenFeatures(megabytes: configuration.train.frozenMegabytes)
        let training = try Training(
            nil, configuration, folder: RunFolder(at: instant.folder(name), resume: resume), reporter: watcher,
            interruption: watcher.interruption, features: features)
        try training.run()
        return features
    }

    private func tensors(_ instant: InstantRun, _ name: String, _ prefix: String = "network") throws -> [String:
        [Float]]
    {
        try loadTensors(instant.checkpoint(name)).tensors.filter { $0.key.hasPrefix(prefix) }.mapValues { $0.floats() }
    }

    @Test(
        "Maps that are kept and maps that are computed anew teach the same, to the bit, and a step of the former sees none"
    )
    func kept() throws {
        let instant = try InstantRun(.train)
        let kept = try train(instant, "kept")
        let watcher = Watcher()
        let none = try train(instant, "none", ["train.frozenMegabytes=0"], watcher: watcher)
        // Two epochs of four steps of three crops, of which there are six.
        #expect(kept.computed == 6 && kept.count == 6)
        #expect(none.computed == 24 && none.count == 0)
        #expect(watcher.noted.count { $0.contains("maps of 0 of 6 crops fit into train.frozenMegabytes") } == 1)
        #expect(try instant.logged("kept") == instant.logged("none"))
        #expect(try tensors(instant, "kept") == tensors(instant, "none"))
        // What one training has computed serves the next one, whatever its decoder is; not one on other crops.
        try train(instant, "other", ["train.decoder=nekrasov:arch1", "train.epochs=2"], features: kept)
        #expect(kept.computed == 6)
        try train(instant, "seed", ["train.epochs=2", "seed=5"], features: kept)
        #expect(kept.computed == 12)
    }

    /// The first step is the same up to its rounding.
    ///
    /// Of that later ones make more, since maps of 2 x 2 pixels are normalised over 12 values: there the losses tell that
    /// crops, learning rate and momentum are those of the literal training.
    @Test(
        "The decoder learns what it learns step by step behind a frozen encoder that sees the same crops",
        arguments: [(1, 1e-6), (8, 2e-4)])
    func literal(steps: Int, tolerance: Double) throws {
        let instant = try InstantRun(.train)
        let extra = ["train.auxiliaryCells=0", "train.momentum=0.5", "train.weightDecay=0.001"]
        try train(
            instant, "run", extra + ["train.stepsPerEpoch=1", "train.epochs=\(steps)", "train.freezeEpochs=\(steps)"])
        let configuration = try instant.configuration(Self.settings + extra)
        let train = configuration.train
        let dataset = try configuration.data.dataset()
        let crops = try FixedCrops(
            of: dataset.samples(.train), limit: 6, reader: configuration.data.trainingReader(dataset, resize: 1),
            augmentation: train.augmentation, seed: 4)
        let description = NetworkDescription.encoded(train.network(.mobileNetV2, classes: dataset.classes.count))
        let model = Model(ModelDescription(description), generator: Generator(seed: 4), device: .cpu)
        guard case .encoded(let network) = model.network else { preconditionFailure("no encoder") }
        let optimizer = train.optimizer(of: network.store.parameters.filter { $0.name.hasPrefix("decoder.") })
        var losses: [Double] = []
        for step in 0..<steps {
            let batches = try crops.batch(step, of: 3).map { try crops($0) }
            let labels = concatenate(batches.map { $0.labelTensor() }, dim: 0)
            let maps = withoutGradients { batches.map { network.encoder($0.imageTensor(), mode: .evaluation) } }
            let scores = network.scores(
                // But for the one at stride 2.
                ofFeatures: (1..<5).map { place in concatenate(maps.map { $0[place] }, dim: 0).channelsLast() },
                height: 33, width: 33, mode: .training)
            let loss = SegmentationLoss()(scores, labels: labels, total: SegmentationLoss().weight(of: [labels]))
            // As behind an encoder that sees all images at once, up to its rounding.
            let images = concatenate(batches.map { $0.imageTensor() }, dim: 0)
            let behind = withoutGradients { network(images, mode: .batchStatistics, training: .frozen) }
            #expect(abs(crossEntropy(behind, labels: labels).item() - loss.item()) < 1e-3 * loss.item())
            losses.append(loss.item())
            let slopes = gradients(of: loss, withRespectTo: optimizer.parameters)
            optimizer.step(slopes, rate: 0.01 * pow(1 - Double(step) / Double(steps), 0.9))
        }
        let logged = try instant.logged("run")
        #expect(logged.count == steps)
        for (line, loss) in zip(logged, losses) {
            #expect(abs((line["loss"] ?? 0) - loss) < tolerance * loss, "\(line) \(loss)")
        }
        guard steps == 1 else { return }
        let saved = try tensors(instant, "run")
        for variable in network.store.parameters + network.store.buffers {
            let own = try #require(saved.first { $0.key.hasSuffix(variable.name) }?.value)
            let difference = zip(own, variable.tensor.floats()).map { abs($0 - $1) }.max() ?? 1
            let size = own.map(abs).max() ?? 0
            #expect(difference < 1e-5 * max(1, size), "\(variable.name) \(difference) of \(size)")
        }
    }

    @Test("A stop in either stage goes on to the same bytes and the same log", arguments: [2, 4, 7, 8, 10])
    func resume(step: Int) throws {
        let instant = try InstantRun(.train)
        let settings = ["train.emaDecay=0.9", "train.optimizer=adamw"]
        try train(instant, "whole", settings)
        #expect(failure { try train(instant, "broken", settings, watcher: Watcher(stopAfter: step)) } != nil)
        try train(instant, "broken", settings, resume: true)
        #expect(try instant.bytes("broken") == instant.bytes("whole"))
        #expect(try instant.logged("broken") == instant.logged("whole"))
    }

    @Test("The encoder keeps its weights to the bit while the decoder learns, and moves in the second stage")
    func stages() throws {
        let instant = try InstantRun(.train)
        try train(instant, "first", ["train.epochs=1", "train.freezeEpochs=1"])
        try train(instant, "second", ["train.epochs=2", "train.freezeEpochs=1", "train.weightDecay=0.1"])
        try train(instant, "frozen", ["train.epochs=2", "train.weightDecay=0.1"])
        let (first, second, frozen) = try (
            tensors(instant, "first"), tensors(instant, "second"), tensors(instant, "frozen")
        )
        let encoder = first.keys.filter { $0.contains("encoder.") }
        #expect(encoder.count > 100 && encoder.allSatisfy { first[$0] == frozen[$0] })
        #expect(encoder.contains { first[$0] != second[$0] })
        #expect(first.keys.contains { $0.contains("decoder.") && first[$0] != frozen[$0] })
    }

    @Test("A teacher teaches in the first stage too, on the same crops")
    func teacher() throws {
        let instant = try InstantRun(.train)
        try train(instant, "teacher", ["train.epochs=1"])
        let settings = ["train.teacher=\(instant.folder("teacher"))", "train.decoder=nekrasov:arch1"]
        try train(instant, "kept", settings)
        try train(instant, "none", settings + ["train.frozenMegabytes=0"])
        try train(instant, "alone", ["train.decoder=nekrasov:arch1"])
        #expect(try instant.logged("kept") == instant.logged("none"))
        #expect(try instant.logged("kept")[0]["loss"] != instant.logged("alone")[0]["loss"])
    }
}
