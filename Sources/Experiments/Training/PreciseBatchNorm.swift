import Configurations
import Networks
import Segmentation
import Torch

/// Statistics of batch normalisation measured anew for the weights as they are, before they are validated (precise batch
/// normalisation, arXiv 2105.07576).
///
/// Running statistics are means over steps of which each had other weights. Where a learning rate is large, or where weights
/// are averaged, they fit none: maps grow or vanish from layer to layer, and a network that sees well seems to see nothing.
struct PreciseBatchNorm {
    private let crops: FixedCrops
    private let batches: [[Int]]
    private let setup: StageSetup

    /// Crops of the training images, the same each time; nil where the configuration asks for none.
    ///
    /// - Throws: `DataError` for settings that cannot be used.
    init?(_ setup: StageSetup) throws {
        let train = setup.configuration.train
        guard train.preciseBatchNorm > 0 else { return nil }
        crops = try FixedCrops(
            of: setup.samples, limit: train.preciseBatchNorm, reader: setup.reader, augmentation: train.augmentation,
            seed: setup.seed)
        // One that is not full would count as much as the others do.
        batches = (0..<max(1, crops.count / train.batch)).map { [crops] in crops.batch($0, of: train.batch) }
        self.setup = setup
    }

    /// Does something with measured statistics in the place of the running ones, which come back after it.
    ///
    /// They are the means over the batches, of each of which every process of a group computes its part.
    ///
    /// - Parameters:
    ///   - network: Whose weights they are measured for.
    ///   - training: What a training step does with the encoder now: one that keeps its statistics keeps them here.
    ///   - body: What is done.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, or an error that names an image which cannot be read.
    func inPlace<Value>(
        of network: SegmentationNetwork, training: EncoderTraining, _ body: () throws -> Value
    ) throws -> Value {
        let buffers = network.store.buffers
        return try buffers.restoringValues {
            var means: [Tensor] = []
            for (number, batch) in batches.enumerated() {
                let images = try images(batch)
                withoutGradients {
                    withBFloat16(setup.configuration.precision == .bfloat16, on: setup.device) {
                        _ = network(images, mode: .measuring, training: training)
                    }
                    for (mean, buffer) in zip(means, buffers) {
                        mean.add(buffer.tensor - mean, scaled: 1 / Double(number + 1))
                    }
                }
                if means.isEmpty { means = buffers.copiedValues() }
            }
            buffers.assign(means)
            return try body()
        }
    }

    private func images(_ numbers: [Int]) throws -> Tensor {
        let own = numbers.dropFirst((ProcessGroup.current?.rank ?? 0) * setup.ownBatch).prefix(setup.ownBatch)
        let read = try RankSync.all { try own.map { try crops($0).imageTensor(on: setup.device) } }
        return concatenate(read, dim: 0)
    }
}
