import ArchitectureSearch
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Options of the relaxation: temperature, and the first layer's beta.
@Suite("Options of the relaxation")
struct ArchitectureOptionTests {
    private let configuration = SupernetConfiguration.tiny(layers: 3)

    private func step(_ index: Int) -> SearchStep { SearchStep(index: index, total: 11, turn: .architecture) }

    @Test("A temperature goes from its first value to its last in equal steps, and divides alpha and beta")
    func temperature() {
        let falling = SoftmaxRelaxation.Temperature(first: 5, last: 1, from: 2)
        #expect([0, 2, 4, 6, 10].map { falling(at: step($0)) } == [5, 5, 4, 3, 1])
        let store = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let relaxation = SoftmaxRelaxation(store.root, configuration, temperature: falling)
        withoutGradients {
            for tensor in [relaxation.alpha, relaxation.beta] {
                tensor.copy(from: .normal(tensor.shape, generator: Generator(seed: 2), dtype: .float64))
            }
        }
        let softmax = ArchitectureSoftmax(configuration, device: .cpu)
        func wanted(_ temperature: Double) -> ArchitectureTable {
            let divisor = Tensor.full(temperature, [1], dtype: .float64)
            return softmax(operators: relaxation.alpha / divisor, arrows: relaxation.beta / divisor).table
        }
        #expect(relaxation.weights.table == wanted(5))
        #expect(relaxation.weights(at: step(4)).table == wanted(4))
        // Without a step: those that were trained last, also when the search has gone on from a checkpoint.
        #expect(relaxation.weights.table == wanted(4))
        let other = VariableStore(generator: Generator(seed: 3), dtype: .float64)
        let resumed = SoftmaxRelaxation(other.root, configuration, temperature: falling)
        #expect(throws: Never.self) { try other.load(store.state) }
        #expect(resumed.weights.table == wanted(4))
        // A constant one needs no state.
        let plain = VariableStore(generator: Generator(seed: 1), dtype: .float64)
        let constant = SoftmaxRelaxation(plain.root, configuration, temperature: .init(first: 2, last: 2))
        #expect(plain.buffers.isEmpty)
        #expect(constant.weights.table == softmax(operators: constant.alpha / 2, arrows: constant.beta / 2).table)
    }

    /// The gradient of the stem's two betas, and the largest of all.
    private func gradients(carried: Bool, layers: Int) -> (stem: Double, all: Double) {
        var configuration = SupernetConfiguration.tiny(layers: layers)
        // What eps leaves of a scale before a normalisation is no gradient to learn from.
        configuration.normalization.eps = 1e-14
        let built = supernet(configuration)
        let carry = CarriedFirstLayer(configuration, device: .cpu)
        let weights = carried ? carry(built.relaxation.weights) : built.relaxation.weights
        let logits = built.network(
            images([2, 3, 65, 65]), weights: weights, mode: .batchStatistics)
        let probe = Tensor.normal(logits.shape, generator: Generator(seed: 5), dtype: .float64)
        let found = Torch.gradients(of: (logits * probe).sum(), withRespectTo: [built.relaxation.beta])[0]?.doubles()
        let stem = NetworkSpace(layers: layers).groups[0].arrows.map { abs(found?[$0.index] ?? 0) }.max() ?? 0
        return (stem, (found ?? []).map(\.magnitude).max() ?? 0)
    }

    @Test("Carried into the second layer the first layer's beta has a gradient, which it has not else")
    func firstLayer() {
        let paper = gradients(carried: false, layers: 4)
        #expect(paper.stem < 1e-6 * paper.all, "\(paper)")
        let carried = gradients(carried: true, layers: 4)
        #expect(carried.stem > 1e-2 * carried.all, "\(carried)")
    }

    @Test("What is carried are the factors of the second layer's arrows alone")
    func carried() {
        let space = NetworkSpace(layers: 3)
        let values = (0..<space.arrows.count).map { Double($0 + 2) }
        let weights = ArchitectureWeights(
            operators: .zeros([1, 8]), arrows: Tensor(values, shape: [values.count]))
        let found = CarriedFirstLayer(configuration, device: .cpu)(weights)
        for arrow in space.arrows {
            let first = space.arrows.first { $0.target == arrow.source }
            let factor = arrow.target.layer == 2 ? values[first?.index ?? 0] : 1
            #expect(found.arrows.doubles()[arrow.index] == values[arrow.index] * factor)
        }
        #expect(found.probabilities.doubles() == values)
    }
}
