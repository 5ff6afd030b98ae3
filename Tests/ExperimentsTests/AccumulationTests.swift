import Experiments
import Foundation
import Networks
import Testing
import Torch

/// Gradients of several batches, and the moving average of weights.
@Suite("Accumulation and averages")
struct AccumulationTests {
    /// Two convolutions without batch normalisation, the auxiliary scores after the first.
    private final class Plain {
        let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let first: Conv2d
        let second: Conv2d

        init() {
            first = Conv2d(store.root / "first", inputChannels: 3, outputChannels: 4, kernelSize: 3, bias: true)
            second = Conv2d(store.root / "second", inputChannels: 4, outputChannels: 4, kernelSize: 3, bias: true)
        }

        func callAsFunction(_ x: Tensor) -> AuxiliaryLogits {
            let map = first(x).relu()
            return AuxiliaryLogits(main: second(map), auxiliary: [map], auxiliaryWeight: 0.3)
        }

        var parameters: [Tensor] { store.parameters.map(\.tensor) }
    }

    @Test("Two batches of one image are one batch of two, however many pixels of each are labelled")
    func accumulation() {
        let network = Plain()
        let images = Tensor.normal([2, 3, 6, 5], generator: Generator(seed: 2), dtype: .float64)
        // The second image has few labels, so a mean of the batches' means would be another number.
        let values = (0..<60).map { (pixel: Int) -> Int64 in pixel < 30 || pixel % 7 == 0 ? Int64(pixel % 4) : 255 }
        let labels = Tensor(values, shape: [2, 6, 5])
        var loss = SegmentationLoss()
        loss.classWeights = Tensor([1, 2, 0.5, 1] as [Double], shape: [4])
        loss.labelSmoothing = 0.1
        func parts(_ size: Int) -> [(images: () -> Tensor, labels: Tensor)] {
            stride(from: 0, to: 2, by: size).map { start in
                ({ images.narrow(0, start: start, length: size) }, labels.narrow(0, start: start, length: size))
            }
        }
        let whole = accumulatedGradients(of: parts(2), loss: loss, parameters: network.parameters) { network($0) }
        let halves = accumulatedGradients(of: parts(1), loss: loss, parameters: network.parameters) { network($0) }
        #expect(abs(whole.loss.item() - halves.loss.item()) < 1e-12)
        #expect(whole.gradients.count == 4)
        for (one, other) in zip(whole.gradients, halves.gradients) {
            let (a, b) = (one?.doubles() ?? [], other?.doubles() ?? [])
            #expect(a.count == b.count && a.contains { abs($0) > 1e-3 })
            for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-12) }
        }
    }

    @Test("A teacher's part counts by labelled pixels too, and is mixed with the labels' for each head")
    func distillation() {
        let network = Plain()
        let images = Tensor.normal([2, 3, 6, 5], generator: Generator(seed: 2), dtype: .float64)
        let values = (0..<60).map { (pixel: Int) -> Int64 in pixel < 30 || pixel % 7 == 0 ? Int64(pixel % 4) : 255 }
        let labels = Tensor(values, shape: [2, 6, 5])
        let store = VariableStore(generator: Generator(seed: 8), dtype: .float64)
        let teacher = Conv2d(store.root / "teacher", inputChannels: 3, outputChannels: 4, kernelSize: 3, bias: true)
        var loss = SegmentationLoss()
        // Weights of classes have no part in what the teacher says.
        loss.classWeights = Tensor([1, 2, 0.5, 1] as [Double], shape: [4])
        let soft = DistillationLoss(weight: 0.3, temperature: 2)
        func found(_ size: Int) -> (loss: Tensor, gradients: [Tensor?]) {
            accumulatedGradients(
                of: stride(from: 0, to: 2, by: size).map { start in
                    ({ images.narrow(0, start: start, length: size) }, labels.narrow(0, start: start, length: size))
                }, loss: loss, distillation: (soft, { teacher($0) }), parameters: network.parameters
            ) { network($0) }
        }
        let (whole, halves) = (found(2), found(1))
        let scores = network(images)
        func mixed(_ scores: Tensor) -> Tensor {
            let hard = loss(scores, labels: labels, total: loss.weight(of: [labels], dtype: .float64))
            let distance = soft(
                scores, teacher: teacher(images), labels: labels, pixels: soft.pixels(of: [labels], dtype: .float64))
            return hard * 0.7 + distance * 0.3
        }
        let wanted = mixed(scores.main) + mixed(scores.auxiliary[0]) * 0.3
        #expect(abs(whole.loss.item() - wanted.item()) < 1e-12)
        #expect(abs(halves.loss.item() - wanted.item()) < 1e-12)
        let slopes = gradients(of: wanted, withRespectTo: network.parameters)
        for (slope, others) in zip(slopes, zip(whole.gradients, halves.gradients)) {
            let all = [slope, others.0, others.1].map { $0?.doubles() ?? [] }
            #expect(all[0].contains { abs($0) > 1e-3 })
            for other in all.dropFirst() {
                #expect(other.count == all[0].count)
                for (x, y) in zip(all[0], other) { #expect(abs(x - y) < 1e-12) }
            }
        }
    }

    @Test("The average by hand, in the network's place and out of it again")
    func average() throws {
        let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let weight = (store.root / "a").parameter("weight", shape: [1], initializer: .zeros, kind: .convolution)
        withoutGradients { weight.fill(1) }
        let average = ExponentialMovingAverage(of: store, decay: 0.15)
        // d is min(0.15, (1 + t) / (10 + t)): 0.1 at first, then 0.15.
        withoutGradients { weight.fill(2) }
        average.update(step: 0)
        withoutGradients { weight.fill(4) }
        average.update(step: 1)
        let first = 0.1 * 1 + 0.9 * 2
        let wanted = 0.15 * first + 0.85 * 4
        #expect(abs(try #require(average.state["a.weight"]).item() - wanted) < 1e-12)
        #expect(average.inPlace { abs(weight.item() - wanted) < 1e-12 })
        #expect(weight.item() == 4)
        let other = ExponentialMovingAverage(of: store, decay: 0.15)
        try other.load(average.state)
        #expect(abs(try #require(other.state["a.weight"]).item() - wanted) < 1e-12)
    }
}
