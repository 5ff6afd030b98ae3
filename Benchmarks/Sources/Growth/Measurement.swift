import ArchitectureSearch
import Foundation
import Networks
import Runs
import StepCases
import Torch

/// A weight step of the supernet with one quantity set to a value.
struct Measurement: Codable {
    var quantity: Quantity
    var value: Int
    /// Seconds of a step on one thread, the least of those measured.
    var seconds: Double
    /// The most bytes that the process ever had.
    var memory: Int
    /// Multiply-adds of this process in a step.
    var multiplyAdds: Double

    /// Takes one step unmeasured, then some.
    ///
    /// Processor time of one thread, so that other programs on the machine count for little; where processes wait for one
    /// another, elapsed time.
    init(_ quantity: Quantity, _ value: Int, repetitions: Int) {
        func set(_ other: Quantity, _ usual: Int) -> Int { other == quantity ? value : usual }
        var configuration = SupernetConfiguration(classes: 19)
        configuration.layers = set(.layers, 8)
        configuration.filters = set(.filters, 8)
        configuration.blocks = set(.blocks, 5)
        let size = set(.pixels, 129)
        let batch = quantity == .processes ? Quantity.sharedBatch / value : set(.batch, 2)
        let clock = quantity == .processes ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID
        Engine.threads = 1
        let generator = Generator(seed: 1)
        let images = Tensor.uniform([batch, 3, size, size], from: -1, to: 1, generator: generator)
        let labels = Tensor.uniform([batch, size, size], from: 0, to: 19, generator: generator).floor().to(.int64)
        let store = VariableStore(generator: generator)
        let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
        let supernet = Supernet(configuration, store: store)
        let sgd = SGD(groups: [ParameterGroup(parameters: store.weights, weightDecay: 3e-4)], momentum: 0.9)
        let step = {
            let loss = crossEntropy(supernet(images, weights: relaxation.weights, mode: .training), labels: labels)
            sgd.step(allReducedGradients(of: loss, withRespectTo: sgd.parameters), rate: 0.025)
        }
        step()
        let times = (0..<repetitions).map { _ in
            let start = now(by: clock)
            step()
            return now(by: clock) - start
        }
        self.quantity = quantity
        self.value = value
        seconds = times.min() ?? .nan
        memory = ProcessMemory.peak
        // Forward, gradients of the maps and of the weights: one pass over all products each.
        multiplyAdds = 3 * Double(batch) * Double(SupernetCost(configuration, size: size).multiplyAdds)
    }
}

private func now(by clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
