import ArchitectureSearch
import Datasets
import Experiments
import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// A search on one's own loop, on generated scenes: what `autodeeplab search` does without files and checkpoints.
@main
struct OwnSearch {
    static func main() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("own-search").path
        try DemoScenes(train: 24, val: 0, test: 0).write(to: folder)
        let data = try Dataset(root: folder)
        let samples = try data.samples(.train)
        let reader = SampleReader(labels: data.labels)

        /// Batches of one half of the images, in an order of their own.
        func loader(_ half: ArraySlice<Sample>, seed: UInt64) throws -> BatchLoader {
            try BatchLoader(
                samples: Array(half), reader: reader,
                augmentation: Augmentation(cropHeight: 65, cropWidth: 65),
                options: BatchLoader.Options(batchSize: 2, seed: seed, workers: 1))
        }
        let loaderA = try loader(samples[..<12], seed: 1)
        let loaderB = try loader(samples[12...], seed: 2)

        var configuration = SupernetConfiguration(classes: data.classes.count)
        configuration.layers = 4
        configuration.blocks = 2
        configuration.filters = 2
        let store = VariableStore(generator: Generator(seed: 0))
        let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
        let supernet = Supernet(configuration, store: store)
        let weights = SGD(
            groups: [ParameterGroup(parameters: store.weights, weightDecay: 3e-4)], momentum: 0.9)
        let architecture = Adam(store.architecture, rate: 3e-3, weightDecay: 1e-3)

        for step in 0..<30 {
            // The weights learn from half A, alpha and beta from half B under the new weights.
            let a = try loaderA.next()
            let scores = supernet(a.imageTensor(), weights: relaxation.weights, mode: .training)
            let loss = crossEntropy(scores, labels: a.labelTensor())
            weights.step(gradients(of: loss, withRespectTo: weights.parameters), rate: 0.025)
            if step >= 10 {
                let b = try loaderB.next()
                let scores = supernet(b.imageTensor(), weights: relaxation.weights, mode: .batchStatistics)
                let loss = crossEntropy(scores, labels: b.labelTensor())
                architecture.step(gradients(of: loss, withRespectTo: architecture.parameters))
            }
            if step % 10 == 9 { print("step \(step + 1): loss \(loss.item())") }
        }
        let genotype = ViterbiDecoder().decode(relaxation.weights.table, of: configuration)
        print(String(decoding: genotype.json(), as: UTF8.self), terminator: "")
    }
}
