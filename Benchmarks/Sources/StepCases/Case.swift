import ArchitectureSearch
import Foundation
import Networks
import Runs
import SearchSpace
import Torch

/// What is measured: steps of the paper's supernet (12 layers, 5 blocks, F = 8) and of the published network (F = 20).
package enum Case: String, CaseIterable, Sendable {
    case searchWeights = "search, weight step"
    case searchWeightsCells = "search, weight step, cells anew"
    case searchWeightsLayers = "search, weight step, layers anew"
    case searchWeightsPlain = "search, weight step, plain"
    case searchArchitecture = "search, architecture step"
    case searchArchitecturePlain = "search, architecture step, plain"
    case training = "published network, training"
    case inference = "published network, inference"

    /// The same step by a loop over arrows, edges and operators, one convolution and one normalisation each.
    package var plainForm: Case? {
        switch self {
        case .searchWeights: .searchWeightsPlain
        case .searchArchitecture: .searchArchitecturePlain
        default: nil
        }
    }

    /// Takes one step unmeasured, then some with a watch.
    ///
    /// - Parameters:
    ///   - size: Height and width of the images.
    ///   - batch: Images of a step.
    ///   - repetitions: Measured steps.
    ///   - device: Where to compute; each step is waited for.
    ///   - bfloat16: Whether convolutions compute in bfloat16.
    /// - Returns: What was measured.
    package func measure(
        size: Int, batch: Int = 2, repetitions: Int, device: Device = .cpu, bfloat16: Bool = false
    ) -> Run {
        let threads = ProcessInfo.processInfo.activeProcessorCount
        let generator = Generator(seed: 1)
        let images = Tensor.uniform([batch, 3, size, size], from: -1, to: 1, generator: generator).to(device)
        let labels = Tensor.uniform([batch, size, size], from: 0, to: 19, generator: generator).floor().to(.int64)
            .to(device)
        let store = VariableStore(generator: generator, device: device)
        let (step, multiplyAdds) =
            switch self {
            case .training, .inference: discreteStep(images, labels, store, threads: threads)
            default: searchStep(images, labels, store, threads: threads)
            }
        let one = Tensor.ones([1], device: device)
        // A GPU computes what was asked for before in order: where this number is read, all of it is done.
        let waited = {
            withBFloat16(bfloat16, on: device) { step() }
            if device.kind != .cpu { _ = one.item() }
        }
        waited()
        let seconds = (0..<repetitions).map { _ in
            let start = Date()
            waited()
            return Date().timeIntervalSince(start)
        }
        return Run(seconds: seconds, peakMemory: ProcessMemory.peak, multiplyAdds: multiplyAdds)
    }

    private func searchStep(
        _ images: Tensor, _ labels: Tensor, _ store: VariableStore, threads: Int
    ) -> (step: () -> Void, multiplyAdds: Int) {
        let configuration = SupernetConfiguration(classes: 19)
        let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
        let supernet = Supernet(configuration, store: store)
        // A GPU takes one stream of operations, whoever sends them.
        supernet.workers = images.device.kind == .cpu ? threads : 1
        if self == .searchWeightsCells { supernet.recompute = .cells }
        if self == .searchWeightsLayers { supernet.recompute = .layers }
        let isPlain = self == .searchWeightsPlain || self == .searchArchitecturePlain
        let trainsWeights = self != .searchArchitecture && self != .searchArchitecturePlain
        // The plain form has no nodes side by side, so its operations get all threads.
        Engine.threads = isPlain ? threads : 1
        let sgd = SGD(
            groups: [ParameterGroup(parameters: store.weights, weightDecay: 3e-4)],
            momentum: 0.9)
        let adam = Adam(store.architecture, rate: 3e-3, weightDecay: 1e-3)
        let mode: NormalizationMode = trainsWeights ? .training : .batchStatistics
        let step = {
            let scores =
                isPlain
                ? ReferenceSupernet(supernet.configuration, state: store.state, mode: mode)(images.channelsLast())
                : supernet(images, weights: relaxation.weights, mode: mode)
            let loss = crossEntropy(scores, labels: labels)
            if trainsWeights {
                sgd.step(gradients(of: loss, withRespectTo: sgd.parameters), rate: 0.025)
            } else {
                adam.step(gradients(of: loss, withRespectTo: adam.parameters))
            }
        }
        // Forward, gradients of the maps, and, in a weight step, of the weights: one pass over all products each.
        let passes = trainsWeights ? 3 : 2
        return (step, passes * images.size(0) * SupernetCost(supernet.configuration, size: images.size(2)).multiplyAdds)
    }

    private func discreteStep(
        _ images: Tensor, _ labels: Tensor, _ store: VariableStore, threads: Int
    ) -> (step: () -> Void, multiplyAdds: Int) {
        guard let genotype = try? KnownDesign.autoDeepLab.genotype(layers: 12) else {
            preconditionFailure("the published network has 12 layers")
        }
        Engine.threads = threads
        let network = DiscreteNetwork(genotype, DiscreteConfiguration(), store: store)
        let size = images.size(2)
        let cost = Cost.of(genotype, filters: 20, classes: 19, height: size, width: size).multiplyAdds
        guard self == .training else {
            return ({ withoutGradients { _ = network(images, mode: .evaluation) } }, images.size(0) * cost)
        }
        let sgd = SGD(groups: [ParameterGroup(parameters: store.parameters, weightDecay: 4e-5)], momentum: 0.9)
        return (
            {
                let loss = crossEntropy(network(images, mode: .training), labels: labels)
                sgd.step(gradients(of: loss, withRespectTo: sgd.parameters), rate: 0.01)
            }, 3 * images.size(0) * cost
        )
    }
}
