import Configurations
import Networks
import Torch

/// A network's scores in a step of training, with those of the classifiers that are trained beside it.
package struct TrainingForward {
    let network: SegmentationNetwork
    let auxiliary: AuxiliaryClassifiers?
    /// Draws what regularization takes away.
    let generator: Generator
    let device: Device
    /// Whether products are taken in bfloat16.
    let isBFloat16: Bool

    /// What a step trains, the network's first.
    var parameters: [Variable] { network.store.parameters + (auxiliary?.store.parameters ?? []) }

    /// What a step changes besides.
    var buffers: [Variable] { network.store.buffers + (auxiliary?.store.buffers ?? []) }

    /// The scores of images `[N, C, H, W]`.
    ///
    /// - Parameters:
    ///   - images: The images.
    ///   - progress: The part of the training that is done, from 0 to 1.
    ///   - encoder: What the step does with the encoder, where there is one.
    /// - Returns: The scores of the network and of the classifiers.
    func logits(of images: Tensor, progress: Double, encoder: EncoderTraining) -> AuxiliaryLogits {
        logits(height: images.size(2), width: images.size(3), progress: progress) { regularization, keep in
            switch network {
            case .encoded(let network):
                network(images, mode: .training, regularization: regularization, training: encoder, block: keep)
            case .discrete(let network):
                network.forward(
                    images, mode: .training, regularization: regularization, training: encoder, observe: keep)
            }
        }
    }

    /// The scores of an encoder's maps that were kept.
    func logits(of batch: FrozenStage.Batch, progress: Double) -> AuxiliaryLogits {
        logits(height: batch.height, width: batch.width, progress: progress) { regularization, keep in
            guard case .encoded(let network) = network else { preconditionFailure("maps without an encoder") }
            return network.scores(
                ofFeatures: batch.maps, height: batch.height, width: batch.width, mode: .training,
                regularization: regularization, block: keep)
        }
    }

    private func logits(
        height: Int, width: Int, progress: Double, scores: (Regularization, (Int, Tensor) -> Void) -> Tensor
    ) -> AuxiliaryLogits {
        withBFloat16(isBFloat16, on: device) {
            var maps: [Int: Tensor] = [:]
            let main = scores(Regularization(progress: progress, generator: generator)) { place, map in
                if auxiliary?.places.contains(place) == true { maps[place] = map }
            }
            return auxiliary?.logits(main: main, maps, height: height, width: width, progress: progress)
                ?? AuxiliaryLogits(main: main)
        }
    }
}

extension TrainConfiguration {
    /// What a step does with the encoder.
    ///
    /// - Parameter epoch: The step's epoch, from 0.
    /// - Returns: Whether the encoder is trained, and its statistics.
    func encoderTraining(inEpoch epoch: Int) -> EncoderTraining {
        if epoch < freezeEpochs { return .frozen }
        return freezeBatchNorm ? .fixedStatistics : .whole
    }
}
