import Foundation
import Testing
import Torch

/// Loss, batch normalisation, variables, random numbers.
@Suite struct LayerTests {
    @Test func crossEntropyByHand() {
        // Two classes; the logits' difference d gives -log p = log(1 + e^-d) for the right class.
        let logits = Tensor([0, 1, 2, 5, 0, 0, 4, 5] as [Double], shape: [1, 2, 2, 2])
        let labels = Tensor([0, 0, 1, 255] as [Int64], shape: [1, 2, 2])
        let wanted = (log(2.0) + log(1 + exp(-1.0)) + log(1 + exp(-2.0))) / 3
        #expect(isClose([crossEntropy(logits, labels: labels).item()], [wanted]))
        logits.requiresGrad = true
        let found = gradients(of: crossEntropy(logits, labels: labels), withRespectTo: [logits])
        let gradient = found[0]?.doubles() ?? []
        // (p - 1) / 3 for the right class, p / 3 for the other, nothing for the ignored pixel.
        #expect(isClose([gradient[0], gradient[4]], [-0.5 / 3, 0.5 / 3]))
        #expect(gradient[3] == 0 && gradient[7] == 0)
    }

    @Test func weightedCrossEntropyByHand() {
        let logits = Tensor([0, 1, 2, 5, 0, 0, 4, 5] as [Double], shape: [1, 2, 2, 2])
        let labels = Tensor([0, 0, 1, 255] as [Int64], shape: [1, 2, 2])
        let weights = Tensor([1, 3] as [Double], shape: [2])
        // The third pixel counts three times, and the pixels count 1 + 1 + 3.
        let wanted = (log(2.0) + log(1 + exp(-1.0)) + 3 * log(1 + exp(-2.0))) / 5
        #expect(isClose([crossEntropy(logits, labels: labels, classWeights: weights).item()], [wanted]))
    }

    @Test func nothingLabelled() {
        let logits = gaussian([2, 3, 2, 2])
        logits.requiresGrad = true
        let loss = crossEntropy(logits, labels: Tensor([Int64](repeating: 255, count: 8), shape: [2, 2, 2]))
        #expect(loss.item() == 0)
        #expect(gradients(of: loss, withRespectTo: [logits])[0]?.doubles() == [Double](repeating: 0, count: 24))
    }

    @Test func batchNormModes() {
        let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let norm = BatchNorm2d(store.root / "norm", channels: 1, affine: true, eps: 0, momentum: 0.25)
        withoutGradients {
            norm.weight?.fill(2)
            norm.bias?.fill(1)
        }
        // Mean 3, variance 5; unbiased 20 / 3.
        let x = Tensor([0, 2, 4, 6] as [Double], shape: [1, 1, 2, 2])
        let wanted = [-3, -1, 1, 3].map { 1 + 2 * $0 / 5.0.squareRoot() }
        #expect(isClose(norm(x, mode: .batchStatistics).doubles(), wanted))
        #expect(norm.runningMean.doubles() == [0] && norm.runningVariance.doubles() == [1])
        #expect(isClose(norm(x, mode: .training).doubles(), wanted))
        #expect(isClose(norm.runningMean.doubles() + norm.runningVariance.doubles(), [0.75, 0.75 + 5.0 / 3]))
        let (mean, variance) = (norm.runningMean.item(), norm.runningVariance.item())
        let evaluated = [0, 2, 4, 6].map { 1 + 2 * ($0 - mean) / variance.squareRoot() }
        #expect(isClose(norm(x, mode: .evaluation).doubles(), evaluated))
        // One value per channel: running statistics, and they stay.
        let single = Tensor([7.0], shape: [1, 1, 1, 1])
        for mode in [NormalizationMode.training, .batchStatistics, .evaluation] {
            #expect(isClose(norm(single, mode: mode).doubles(), [1 + 2 * (7 - mean) / variance.squareRoot()]))
        }
        #expect(norm.runningMean.item() == mean && norm.runningVariance.item() == variance)
    }

    @Test func generatorGoesOn() throws {
        let generator = Generator(seed: 5)
        _ = Tensor.normal([33], generator: generator)
        let state = generator.state
        func draw(_ generator: Generator) -> [[Float]] {
            [
                Tensor.uniform([5], generator: generator), .normal([40], generator: generator),
                .bernoulli([20], probability: 0.5, generator: generator), .normal([3], generator: generator),
            ].map { $0.floats() }
        }
        let wanted = draw(generator)
        let other = Generator(seed: 6)
        #expect(draw(other) != wanted)
        try other.restore(state: state)
        #expect(draw(other) == wanted)
        #expect(throws: TorchError.self) { try other.restore(state: Tensor([1, 2, 3] as [UInt8], shape: [3])) }
        #expect(throws: TorchError.self) { try other.restore(state: Tensor.zeros([5056])) }
        // A state that is refused leaves the stream as it was.
        try other.restore(state: state)
        #expect(draw(other) == wanted)
    }

    @Test func seedsGiveOneStream() {
        func draw(_ seed: UInt64) -> [Float] { Tensor.normal([64], generator: Generator(seed: seed)).floats() }
        #expect(draw(1) == draw(1) && draw(1) != draw(2))
    }

    @Test(arguments: [
        (Initializer.uniformFanIn, 1 / 6.0, 1 / 6.0 / 3.0.squareRoot()),
        (.glorotUniform, 0.1, 0.1 / 3.0.squareRoot()),
        (.truncatedNormal(0.01), 0.02, 0.008_796),
        (.normal(0.1), 0.6, 0.1),
        (.zeros, 0, 0),
    ])
    func initializers(initializer: Initializer, bound: Double, deviation: Double) {
        // Fan in is 36 in both shapes; fan out of the second is 564, and 6 / (36 + 564) is 0.1 squared.
        let shape = initializer == .glorotUniform ? [564, 36, 1, 1] : [564, 4, 3, 3]
        let store = VariableStore(generator: Generator(seed: 3))
        let tensor = store.root.parameter("w", shape: shape, initializer: initializer, kind: .convolution)
        #expect(tensor.abs().reshape([-1]).max(0).item() <= bound * (1 + 1e-6))
        #expect(abs(tensor.pow(2).mean().item().squareRoot() - deviation) <= 0.02 * deviation)
        #expect(abs(tensor.mean().item()) <= 0.02 * deviation)
        #expect(tensor.requiresGrad)
    }

    private func store() -> VariableStore {
        let store = VariableStore(generator: Generator(seed: 1))
        _ = Conv2d(store.root / "a" / 1, inputChannels: 2, outputChannels: 3, kernelSize: 3, bias: true)
        _ = BatchNorm2d(store.root / "norm", channels: 3, affine: false, eps: 1e-5, momentum: 0.1)
        _ = (store.root / "own").parameter(
            "value", shape: [2], initializer: .zeros, kind: ParameterKind(rawValue: "own"))
        return store
    }

    @Test func names() {
        let store = store()
        #expect(store.parameters.map(\.name) == ["a.1.weight", "a.1.bias", "own.value"])
        #expect(store.parameters.map(\.kind) == [.convolution, .bias, ParameterKind(rawValue: "own")])
        #expect(store.buffers.map(\.name) == ["norm.runningMean", "norm.runningVariance"])
        #expect(store.parameterCount == 3 * 2 * 9 + 3 + 2)
    }

    @Test func loadErrors() throws {
        let store = store()
        let before = store.state.mapValues { $0.floats() }
        func message(_ change: (inout [String: Tensor]) -> Void) -> String {
            var state = self.store().state.mapValues { $0.detach() + 1 }
            change(&state)
            do {
                try store.load(state)
                return "loaded"
            } catch { return "\(error)" }
        }
        #expect(message { $0["a.1.bias"] = nil }.hasPrefix("a.1.bias: missing"))
        #expect(message { $0["b"] = Tensor.zeros([1]) }.hasPrefix("b: unknown"))
        let shape = message { $0["norm.runningMean"] = Tensor.zeros([4]) }
        #expect(shape.hasPrefix("norm.runningMean: shape [4] in the file"))
        #expect(store.state.mapValues { $0.floats() } == before)
        #expect(message { _ in } == "loaded")
        #expect(store.state["norm.runningMean"]?.floats() == [1, 1, 1])
        #expect(store.parameters.allSatisfy { $0.tensor.requiresGrad })
    }

    @Test func devices() throws {
        #expect(try Device.named("cpu") == .cpu)
        #expect(try Device.named("auto").isAvailable)
        let wrong = [
            "", "tpu", "CPU", "cpu:", "cpu:x", "cpu:1", "cuda:-1", "cuda:0:0", "cuda:99", "cuda:99999999999999999999",
        ]
        for name in wrong {
            #expect(throws: TorchError.self, "\(name)") { try Device.named(name) }
        }
        #expect(Device(.cuda, index: 1).description == "cuda:1" && Device.cpu.description == "cpu")
    }
}
