import Foundation
import Networks
import SearchSpace
import Testing
import Torch

/// The distance from a teacher's scores, pixel by pixel in plain numbers.
@Suite("Distillation loss")
struct DistillationLossTests {
    private let shape = [2, 3, 3, 2]
    private let labels = Tensor([0, 1, 255, 2, 2, 255, 1, 1, 0, 255, 0, 2] as [Int64], shape: [2, 3, 2])

    private func scores(seed: UInt64) -> Tensor {
        Tensor.normal(shape, generator: Generator(seed: seed), dtype: .float64) * 3
    }

    private func value(_ loss: DistillationLoss, _ student: Tensor, _ teacher: Tensor) -> Tensor {
        loss(student, teacher: teacher, labels: labels, pixels: loss.pixels(of: [labels], dtype: .float64))
    }

    /// T^2 times the weighted mean over the labelled pixels of the sum over classes of p log(p / q).
    private func literal(
        _ student: [Double], _ teacher: [Double], temperature: Double, weights: [Double] = [1, 1, 1]
    ) -> Double {
        let labels = labels.int64s()
        var (sum, count) = (0.0, 0.0)
        for image in 0..<2 {
            for pixel in 0..<6 where labels[image * 6 + pixel] != 255 {
                func softmax(_ values: [Double]) -> [Double] {
                    let powers = (0..<3).map { exp(values[(image * 3 + $0) * 6 + pixel] / temperature) }
                    return powers.map { $0 / powers.reduce(0, +) }
                }
                let weight = weights[Int(labels[image * 6 + pixel])]
                sum += weight * zip(softmax(teacher), softmax(student)).map { $0 * log($0 / $1) }.reduce(0, +)
                count += weight
            }
        }
        return temperature * temperature * sum / count
    }

    @Test("It is that of the literal sums, and its gradient that of finite differences", arguments: [0.5, 1, 4])
    func literal(temperature: Double) {
        let loss = DistillationLoss(weight: 0.3, temperature: temperature)
        let (student, teacher) = (scores(seed: 1), scores(seed: 2))
        student.requiresGrad = true
        teacher.requiresGrad = true
        let (values, wanted) = (student.doubles(), teacher.doubles())
        let found = value(loss, student, teacher)
        #expect(abs(found.item() - literal(values, wanted, temperature: temperature)) < 1e-12)
        let slopes = gradients(of: found, withRespectTo: [student, teacher])
        #expect(slopes[1] == nil, "the teacher learns")
        let slope = slopes[0]?.doubles() ?? []
        for element in values.indices {
            func at(_ step: Double) -> Double {
                var moved = values
                moved[element] += step
                return literal(moved, wanted, temperature: temperature)
            }
            #expect(abs((at(1e-5) - at(-1e-5)) / 2e-5 - slope[element]) < 1e-8, "element \(element)")
        }
    }

    @Test("By weights of classes a pixel counts as much as its label's")
    func weighted() {
        let weights = [0.5, 1, 4.0]
        let loss = DistillationLoss(temperature: 2, classWeights: Tensor(weights, shape: [3]))
        let (student, teacher) = (scores(seed: 1), scores(seed: 2))
        let wanted = literal(student.doubles(), teacher.doubles(), temperature: 2, weights: weights)
        #expect(abs(value(loss, student, teacher).item() - wanted) < 1e-12)
        #expect(abs(literal(student.doubles(), teacher.doubles(), temperature: 2) - wanted) > 1e-3)
    }

    @Test("A network that is its own teacher has nothing to learn from it", arguments: [1.0, 3])
    func itself(temperature: Double) {
        let store = VariableStore(generator: Generator(seed: 3), dtype: .float64)
        let network = DiscreteNetwork(.random(seed: 4, layers: 3, blocks: 2), .tiny(), store: store)
        let images = Tensor.normal([2, 3, 33, 33], generator: Generator(seed: 5), dtype: .float64)
        let labels = Tensor.zeros([2, 33, 33], dtype: .int64)
        let loss = DistillationLoss(weight: 1, temperature: temperature)
        func slope(teacher: Tensor) -> Double {
            let found = loss(
                network(images, mode: .evaluation), teacher: teacher, labels: labels,
                pixels: loss.pixels(of: [labels], dtype: .float64))
            let all = gradients(of: found, withRespectTo: store.parameters.map(\.tensor))
            return all.map { $0?.abs().reshape([-1]).max(0).item() ?? 0 }.max() ?? 0
        }
        let own = withoutGradients { network(images, mode: .evaluation) }
        #expect(slope(teacher: own) < 1e-15)
        // Another teacher's slope is not lost in the network.
        let other = Tensor.normal(own.shape, generator: Generator(seed: 6), dtype: .float64)
        #expect(slope(teacher: other) > 1e-4)
    }

    @Test("Scores in 16 bits are compared in 32")
    func precision() {
        let loss = DistillationLoss(temperature: 2)
        let (student, teacher) = (scores(seed: 1).to(.bfloat16), scores(seed: 2).to(.bfloat16))
        let found = loss(student, teacher: teacher, labels: labels, pixels: loss.pixels(of: [labels]))
        #expect(found.dtype == .float32)
        #expect(abs(found.item() - literal(student.doubles(), teacher.doubles(), temperature: 2)) < 1e-5)
    }

    @Test("Without a labelled pixel it is 0")
    func nothing() {
        let none = Tensor([Int64](repeating: 255, count: 12), shape: [2, 3, 2])
        let loss = DistillationLoss()
        let student = scores(seed: 1)
        student.requiresGrad = true
        let found = loss(
            student, teacher: scores(seed: 2), labels: none, pixels: loss.pixels(of: [none], dtype: .float64))
        #expect(found.item() == 0)
        #expect(gradients(of: found, withRespectTo: [student])[0]?.abs().sum().item() == 0)
    }
}
