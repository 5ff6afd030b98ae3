import ArchitectureSearch
import Networks
import SearchSpace
import Testing
import Torch

/// Convolutions in bfloat16 over weights in 32 bits.
@Suite struct PrecisionTests {
    @Test(arguments: Recomputation.allCases, CellSharing.allCases)
    func supernetLearns(recompute: Recomputation, cells: CellSharing) {
        let store = VariableStore(generator: Generator(seed: 1))
        let configuration = SupernetConfiguration.tiny(layers: 3, cells: cells)
        let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
        let network = Supernet(configuration, store: store)
        network.recompute = recompute
        network.workers = 2
        let x = images([2, 3, 49, 49], dtype: .float32)
        #expect(learns(x, store: store) { network(x, weights: relaxation.weights, mode: .training) })
        let architecture = gradients(
            of: withBFloat16(true, on: .cpu) {
                crossEntropy(network(x, weights: relaxation.weights, mode: .batchStatistics), labels: labels(x))
            },
            withRespectTo: store.architecture.map(\.tensor))
        #expect(architecture.allSatisfy { $0?.dtype == .float32 && ($0?.abs().sum().item() ?? 0) > 0 })
    }

    @Test func discreteNetworkLearns() {
        let built = network(.everything, dtype: .float32)
        let x = images([2, 3, 49, 49], dtype: .float32)
        #expect(learns(x, store: built.store) { built(x, mode: .training) })
    }

    /// What is computed anew is computed in the same precision: not one bit differs, but for alpha's sum over layers.
    @Test func recomputationKeepsThePrecision() {
        func found(_ recompute: Recomputation) -> [[Double]] {
            let store = VariableStore(generator: Generator(seed: 1))
            let relaxation = SoftmaxRelaxation(store.root / "architecture", .tiny(layers: 4))
            let network = Supernet(.tiny(layers: 4), store: store)
            network.recompute = recompute
            let x = images([2, 3, 49, 49], dtype: .float32)
            let loss = withBFloat16(true, on: .cpu) {
                crossEntropy(network(x, weights: relaxation.weights, mode: .training), labels: labels(x))
            }
            return gradients(of: loss, withRespectTo: store.parameters.map(\.tensor)).map { $0?.doubles() ?? [] }
        }
        let want = found(.none)
        #expect(found(.cells) == want)
        #expect(found(.layers).dropFirst() == want.dropFirst())
    }

    private func labels(_ x: Tensor) -> Tensor { x.select(1, 0).isLess(than: 0).to(.int64) }

    /// Whether the loss falls by a fifth in thirty steps, and 8 bits were really all that products had.
    private func learns(_ x: Tensor, store: VariableStore, scores: () -> Tensor) -> Bool {
        let exact = withoutGradients(scores)
        let coarse = withoutGradients { withBFloat16(true, on: .cpu, scores) }.to(.float32)
        let difference = peak(exact - coarse) / peak(exact)
        guard difference > 1e-4, difference < 0.3 else {
            Issue.record("scores differ by \(difference) of the largest")
            return false
        }
        let optimizer = SGD(
            groups: [ParameterGroup(parameters: store.weights, weightDecay: 0)],
            momentum: 0.9)
        var losses: [Double] = []
        for _ in 0..<30 {
            let loss = withBFloat16(true, on: .cpu) { crossEntropy(scores(), labels: labels(x)) }
            losses.append(loss.item())
            let found = gradients(of: loss, withRespectTo: optimizer.parameters)
            guard found.allSatisfy({ $0.map { $0.dtype == .float32 } ?? true }) else { return false }
            optimizer.step(found, rate: 0.05)
        }
        return losses[29] < 0.8 * losses[0] && store.parameters.allSatisfy { $0.tensor.dtype == .float32 }
    }
}
