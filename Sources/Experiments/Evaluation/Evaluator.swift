import Configurations
import Datasets
import Foundation
import Images
import Inference
import Segmentation
import Torch

extension Batch {
    /// `[N, channels, H, W]`, channels last in memory.
    public func imageTensor(on device: Device = .cpu) -> Tensor {
        Tensor(images, shape: [count, height, width, channels]).to(device).permute([0, 3, 1, 2])
    }

    /// `[N, H, W]` of 64-bit integers.
    public func labelTensor(on device: Device = .cpu) -> Tensor {
        Tensor(labels, shape: [count, height, width]).to(device).to(.int64)
    }
}

/// Measures a network on labelled images, at the labels' own resolution.
struct Evaluator {
    let samples: [Sample]
    let reader: SampleReader
    let classes: Int
    let inference: Predictor
    /// The channels of images that pictures show.
    let shownChannels: [Int]

    /// - Parameters:
    ///   - samples: The images.
    ///   - reader: Reads them, and says how they are normalised.
    ///   - classes: The number of classes.
    ///   - inference: How images are looked at.
    ///   - shownChannels: The channels that pictures show; none for the first three.
    init(samples: [Sample], reader: SampleReader, classes: Int, inference: Predictor, shownChannels: [Int] = []) {
        var inference = inference
        inference.normalization = reader.normalization
        self.samples = samples
        self.reader = reader
        self.classes = classes
        self.inference = inference
        self.shownChannels = shownChannels
    }

    /// - Parameters:
    ///   - network: Scores of a batch of images.
    ///   - judged: Told each image with its prediction, at the labels' resolution, and its confusion matrix.
    ///   - scored: Told each image with its scores, or probabilities, at the labels' resolution.
    ///   - stop: Asked after every image whether to give up.
    ///   - advanced: Told how many images are done.
    /// - Returns: The confusion matrix over all images, which the processes of a group share; nil if one gave up.
    /// - Throws: An error that names the image which cannot be read.
    func callAsFunction(
        network: @escaping Predictor.Network, judged: (EvaluationItem, Mask, ConfusionMatrix) -> Void = { _, _, _ in },
        scored: (EvaluationItem, ClassMap) -> Void = { _, _ in },
        stop: () -> Bool = { false }, advanced: (Int) -> Void = { _ in }
    ) throws -> ConfusionMatrix? {
        let own = try RankSync.all {
            try measureOwn(network: network, judged: judged, scored: scored, stop: stop, advanced: advanced)
        }
        return ConfusionMatrix.sum(own, classes: classes)
    }

    /// The images of this process.
    private func measureOwn(
        network: @escaping Predictor.Network, judged: (EvaluationItem, Mask, ConfusionMatrix) -> Void,
        scored: (EvaluationItem, ClassMap) -> Void,
        stop: () -> Bool, advanced: (Int) -> Void
    ) throws -> ConfusionMatrix? {
        let (rank, size) = (ProcessGroup.current?.rank ?? 0, ProcessGroup.size)
        let own = size == 1 ? samples : stride(from: rank, to: samples.count, by: size).map { samples[$0] }
        let loader = EvaluationLoader(samples: own, reader: reader)
        defer { loader.stop() }
        var matrix = ConfusionMatrix(classes: classes)
        var done = 0
        while let item = try loader.next() {
            let scores = inference.map(of: item.image, network: network)
                .resized(height: item.mask.height, width: item.mask.width, alignCorners: false)
            let prediction = scores.mask()
            scored(item, scores)
            var own = ConfusionMatrix(classes: classes)
            own.add(labels: item.mask.labels, predictions: prediction.labels)
            matrix.merge(own)
            judged(item, prediction, own)
            done += 1
            advanced(done)
            if stop() { return nil }
        }
        return matrix
    }
}

extension Evaluator {
    /// Measures on the validation split, on the first so many images of it (0: all), at one scale.
    init(
        validating dataset: Dataset, reader: SampleReader, limit: Int, configuration: Configuration, device: Device
    ) throws {
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.val))
        self.init(
            samples: limit > 0 ? Array(samples.prefix(limit)) : samples, reader: reader,
            classes: dataset.classes.count, inference: Predictor(device: device),
            shownChannels: configuration.data.shown)
    }
}
