import ArchitectureSearch
import Configurations
import Foundation
import Inference
import Networks
import Runs
import SearchSpace
import Torch

/// Seconds that a network takes on this machine, measured on random values.
package struct StepTimer {
    private let configuration: Configuration

    /// A timer of the networks, batches and crops of a configuration.
    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Seconds of a training step, and the most memory that the process has taken by then.
    ///
    /// - Parameters:
    ///   - network: The network.
    ///   - repetitions: Steps that are timed at least, after one that is not; short ones are more, for up to a second.
    /// - Returns: Seconds of the fastest step, and bytes. Whatever else the machine does makes steps slower, by a hundred
    ///   times where threads wait for one another at each operation, and never faster.
    package func step(_ network: NetworkDescription, repetitions: Int = 3) -> (seconds: Double, bytes: Int) {
        let train = configuration.train
        Engine.threads = configuration.workerThreads
        let generator = Generator(seed: 0)
        let (forward, optimizer, loss) = parts(of: network, generator: generator)
        let shape = [train.batch, train.crop.height, train.crop.width, configuration.data.channels]
        let images = Tensor.uniform(shape, from: -1, to: 1, generator: generator, dtype: .float32)
            .permute([0, 3, 1, 2])
        let labels = Tensor.zeros(Array(shape.prefix(3)), dtype: .int64)
        var times: [Double] = []
        // The first one allocates.
        while times.count <= repetitions || times.count < 12 && times.dropFirst().reduce(0, +) < 1 {
            let start = DispatchTime.now().uptimeNanoseconds
            let (value, found) = accumulatedGradients(
                of: [({ images }, labels)], loss: loss, parameters: optimizer.parameters
            ) { forward.logits(of: $0, progress: 0, encoder: train.encoderTraining(inEpoch: train.freezeEpochs)) }
            optimizer.step(found, rate: 1e-6)
            _ = value.item()
            times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9)
        }
        return (times.dropFirst().min() ?? times[0], ProcessMemory.resident)
    }

    /// What a step trains: the network, and the classifiers beside it, by the configured loss.
    ///
    /// - Parameters:
    ///   - network: The network.
    ///   - generator: Draws the variables.
    /// - Returns: The network with its classifiers, the optimizer of all, and the loss. Classifiers that the network has no
    ///   place for, and weights of other classes, are left out here: its training refuses them.
    package func parts(
        of network: NetworkDescription, generator: Generator
    ) -> (forward: TrainingForward, optimizer: any Optimizer, loss: SegmentationLoss) {
        let train = configuration.train
        let classes = network.classes
        let network = network.network(store: VariableStore(generator: generator))
        let auxiliary = try? AuxiliaryClassifiers(train, of: network, generator: generator)
        let forward = TrainingForward(
            network: network, auxiliary: auxiliary, generator: generator, device: .cpu, isBFloat16: false)
        let loss = try? train.segmentationLoss(classes: classes, device: .cpu)
        return (forward, train.optimizer(of: forward.parameters), loss ?? SegmentationLoss())
    }

    /// Seconds of a search's step in which the weights learn, and of what is added where alpha and beta do.
    package func searchStep(classes: Int) -> (weights: Double, architecture: Double) {
        let search = configuration.search
        Engine.threads = 1
        let generator = Generator(seed: 0)
        let store = VariableStore(generator: generator)
        let shape = search.supernet(classes: classes, channels: configuration.data.channels)
        let relaxation = SoftmaxRelaxation(store.root / "architecture", shape)
        let supernet = Supernet(shape, store: store)
        supernet.recompute = search.recompute
        supernet.workers = configuration.workerThreads
        let size = [search.batch, search.crop.height, search.crop.width, configuration.data.channels]
        let images = Tensor.uniform(size, from: -1, to: 1, generator: generator, dtype: .float32)
            .permute([0, 3, 1, 2])
        let labels = Tensor.zeros(Array(size.prefix(3)), dtype: .int64)
        func seconds(_ mode: NormalizationMode, of parameters: [Tensor]) -> Double {
            let times = (0..<3).map { _ in
                let start = DispatchTime.now().uptimeNanoseconds
                let loss = crossEntropy(supernet(images, weights: relaxation.weights, mode: mode), labels: labels)
                _ = gradients(of: loss, withRespectTo: parameters)
                return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
            }
            // The first one allocates.
            return min(times[1], times[2])
        }
        return (
            seconds(.training, of: store.weights.map(\.tensor)),
            seconds(.batchStatistics, of: store.architecture.map(\.tensor))
        )
    }

    /// Seconds of a pass over one image as it is evaluated.
    package func pass(_ network: NetworkDescription, height: Int, width: Int) -> Double {
        Engine.threads = configuration.workerThreads
        let channels = network.imageChannels
        let network = network.network(store: VariableStore(generator: Generator(seed: 0)))
        network.fold()
        let image = Tensor.zeros([1, height, width, channels], dtype: .float32).permute([0, 3, 1, 2])
        return withoutGradients {
            let times = (0..<3).map { _ in
                let start = DispatchTime.now().uptimeNanoseconds
                _ = network(image, mode: .evaluation).argmax(1).select(0, 0).reshape([-1]).select(0, 0).item()
                return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
            }
            return min(times[1], times[2])
        }
    }
}
