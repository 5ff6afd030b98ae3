import Foundation
import Networks
import SearchSpace
import Torch

/// Seconds of a weight step, an architecture step and a discrete training step, as median and spread.
@main
struct Steps {
    static func main() {
        let size = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 129
        let workers = ProcessInfo.processInfo.activeProcessorCount
        print("libtorch \(Engine.version), \(workers) threads, \(size)x\(size), batch 2, 19 classes, float32")
        searchSteps(size: size, workers: workers)
        discreteStep(size: size, workers: workers)
    }

    /// The paper's supernet: 12 layers, 5 blocks, F = 8.
    private static func searchSteps(size: Int, workers: Int) {
        Engine.threads = 1
        let generator = Generator(seed: 1)
        let store = VariableStore(generator: generator)
        let supernet = Supernet(SupernetConfiguration(classes: 19), store: store)
        supernet.workers = workers
        let sgd = SGD(
            groups: [SGD.Group(parameters: store.parameters.filter { $0.kind != .architecture }, weightDecay: 3e-4)],
            momentum: 0.9)
        let adam = Adam(store.parameters.filter { $0.kind == .architecture }, rate: 3e-3, weightDecay: 1e-3)
        let (images, labels) = batch(size: size, generator: generator)
        measure("search, weight step") {
            let loss = crossEntropy(supernet(images, mode: .training), labels: labels)
            sgd.step(gradients(of: loss, withRespectTo: sgd.parameters), rate: 0.025)
        }
        measure("search, architecture step") {
            let loss = crossEntropy(supernet(images, mode: .trainingFrozen), labels: labels)
            adam.step(gradients(of: loss, withRespectTo: adam.parameters))
        }
    }

    /// The published network, F = 20.
    private static func discreteStep(size: Int, workers: Int) {
        guard let genotype = try? KnownDesign.autoDeepLab.genotype(layers: 12) else { return }
        Engine.threads = workers
        let generator = Generator(seed: 1)
        let store = VariableStore(generator: generator)
        let network = DiscreteNetwork(genotype, DiscreteConfiguration(), store: store)
        let sgd = SGD(groups: [SGD.Group(parameters: store.parameters, weightDecay: 4e-5)], momentum: 0.9)
        let (images, labels) = batch(size: size, generator: generator)
        measure("published network, training step") {
            let loss = crossEntropy(network(images, mode: .training), labels: labels)
            sgd.step(gradients(of: loss, withRespectTo: sgd.parameters), rate: 0.01)
        }
        measure("published network, inference of 2") {
            withoutGradients { _ = network(images, mode: .evaluation) }
        }
    }

    private static func batch(size: Int, generator: Generator) -> (Tensor, Tensor) {
        let images = Tensor.uniform([2, 3, size, size], from: -1, to: 1, generator: generator)
        let labels = Tensor.uniform([2, size, size], from: 0, to: 19, generator: generator).floor().to(.int64)
        return (images, labels)
    }

    /// Runs `body` once to warm up, then five times.
    private static func measure(_ name: String, _ body: () -> Void) {
        body()
        let seconds = (0..<5).map { _ in
            let start = Date()
            body()
            return Date().timeIntervalSince(start)
        }.sorted()
        print(
            name.padding(toLength: 36, withPad: " ", startingAt: 0)
                + String(format: "median %.3f s, %.3f to %.3f s", seconds[2], seconds[0], seconds[4]))
    }
}
