import Foundation
import Networks
import Testing
import Torch

/// Losses worked out by hand, of two classes; the third pixel's label is 1, the last is ignored.
@Suite("Segmentation loss")
struct SegmentationLossTests {
    private let scores = Tensor([0, 1, 2, 5, 0, 0, 4, 5] as [Double], shape: [1, 2, 2, 2])
    private let labels = Tensor([0, 0, 1, 255] as [Int64], shape: [1, 2, 2])
    /// -log p of the right class, pixel by pixel.
    private let losses = [log(2.0), log(1 + exp(-1.0)), log(1 + exp(-2.0))]

    private func value(_ loss: SegmentationLoss) -> Double {
        loss(scores, labels: labels, total: loss.weight(of: [labels], dtype: .float64)).item()
    }

    private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-12 }

    @Test("By default it is cross entropy")
    func plain() {
        #expect(isClose(value(SegmentationLoss()), losses.reduce(0, +) / 3))
    }

    @Test("The hardest pixels alone: their mean, and no gradient for the others")
    func hardest() {
        var loss = SegmentationLoss()
        loss.ohemFraction = 2.0 / 3
        #expect(isClose(value(loss), (losses[0] + losses[1]) / 2))
        loss.ohemFraction = 1.0 / 3
        #expect(isClose(value(loss), losses[0]))
        scores.requiresGrad = true
        let total = loss.weight(of: [labels], dtype: .float64)
        let found = gradients(of: loss(scores, labels: labels, total: total), withRespectTo: [scores])[0]?.doubles()
        #expect(found == [-0.5, 0, 0, 0, 0.5, 0, 0, 0])
    }

    @Test("Smoothed labels give every class its share")
    func smoothing() {
        var loss = SegmentationLoss()
        loss.labelSmoothing = 0.2
        // -log p of the wrong class is larger by the scores' difference: 0, 1, 2.
        let wanted = zip(losses, [0.0, 1, 2]).map { 0.9 * $0 + 0.1 * ($0 + $1) }.reduce(0, +) / 3
        #expect(isClose(value(loss), wanted))
    }

    @Test("Class weights count in the sum and in what it is divided by, with smoothing and the hardest pixels too")
    func weights() {
        var loss = SegmentationLoss()
        loss.classWeights = Tensor([1, 3] as [Double], shape: [2])
        #expect(isClose(value(loss), (losses[0] + losses[1] + 3 * losses[2]) / 5))
        loss.ohemFraction = 2.0 / 3
        // 0.69, 0.31 and 3 * 0.13: the first and the third.
        #expect(isClose(value(loss), (losses[0] + 3 * losses[2]) / (5 * 2.0 / 3)))
    }

    @Test("Dice is added: one minus the mean overlap of the labelled classes")
    func dice() {
        var loss = SegmentationLoss()
        loss.dice = 0.5
        let p = losses.map { exp(-$0) }
        // Class 0: overlap p0 + p1, sizes p0 + p1 + (1 - p2) and 2 pixels. Class 1: p2; (1 - p0) + (1 - p1) + p2 and 1.
        let first = 2 * (p[0] + p[1]) / (p[0] + p[1] + 1 - p[2] + 2)
        let second = 2 * p[2] / (1 - p[0] + 1 - p[1] + p[2] + 1)
        #expect(isClose(value(loss), losses.reduce(0, +) / 3 + 0.5 * (1 - (first + second) / 2)))
        // A class that is labelled nowhere is left out.
        let one = Tensor([0, 0, 255, 255] as [Int64], shape: [1, 2, 2])
        let alone = 2 * (p[0] + p[1]) / (p[0] + p[1] + 2)
        let found = loss(scores, labels: one, total: loss.weight(of: [one], dtype: .float64)).item()
        #expect(isClose(found, (losses[0] + losses[1]) / 2 + 0.5 * (1 - alone)))
    }

    @Test("Gradients of all of it together agree with finite differences")
    func gradient() {
        var loss = SegmentationLoss()
        (loss.ohemFraction, loss.labelSmoothing, loss.dice) = (0.6, 0.1, 0.7)
        loss.classWeights = Tensor([1, 2, 0.5] as [Double], shape: [3])
        let labels = Tensor((0..<18).map { [0, 1, 2, 255, 1, 0][$0 % 6] as Int64 }, shape: [2, 3, 3])
        let total = loss.weight(of: [labels], dtype: .float64)
        let start = Tensor.normal([2, 3, 3, 3], generator: Generator(seed: 4), dtype: .float64)
        start.requiresGrad = true
        let found = gradients(of: loss(start, labels: labels, total: total), withRespectTo: [start])[0]?.doubles() ?? []
        let values = start.doubles()
        for element in values.indices {
            func at(_ step: Double) -> Double {
                var moved = values
                moved[element] += step
                return loss(Tensor(moved, shape: start.shape), labels: labels, total: total).item()
            }
            #expect(abs((at(1e-6) - at(-1e-6)) / 2e-6 - found[element]) < 1e-7, "element \(element)")
        }
    }

    @Test("Without a labelled pixel every loss is 0")
    func nothing() {
        let none = Tensor([Int64](repeating: 255, count: 4), shape: [1, 2, 2])
        for (share, smoothing) in [(1.0, 0.0), (0.5, 0), (1, 0.1)] {
            var loss = SegmentationLoss()
            (loss.ohemFraction, loss.labelSmoothing) = (share, smoothing)
            #expect(loss(scores, labels: none, total: loss.weight(of: [none], dtype: .float64)).item() == 0)
        }
    }
}
