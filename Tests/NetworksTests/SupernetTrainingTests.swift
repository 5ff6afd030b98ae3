import Networks
import SearchSpace
import Testing
import Torch

/// Modes, corners, sizes and the ways to compute the same.
@Suite struct SupernetTrainingTests {
    private func statistics(_ built: BuiltSupernet) -> [[Double]] { built.store.buffers.map { $0.tensor.doubles() } }

    /// Everything that a step sees, to the last bit; alpha's gradient by itself.
    private func numbers(
        _ configuration: SupernetConfiguration, recompute: Recomputation, workers: Int, dtype: DType
    ) -> (all: [[Double]], alpha: Tensor?) {
        let built = supernet(configuration, dtype: dtype)
        built.network.recompute = recompute
        built.network.workers = workers
        let (logits, gradients) = built.pass(images([2, 3, 50, 41], dtype: dtype), mode: .training)
        let alpha = built.store.parameters.firstIndex { $0.name == "architecture.alpha" }
        let others = gradients.enumerated().filter { $0.offset != alpha }.map { $0.element?.doubles() ?? [] }
        return ([logits.doubles()] + others + statistics(built), alpha.flatMap { gradients[$0] })
    }

    @Test(arguments: CellSharing.allCases, [DType.float32, .float64])
    func workersAndRecomputationChangeNoBit(cells: CellSharing, dtype: DType) {
        let configuration = SupernetConfiguration.tiny(layers: 4, blocks: 3, cells: cells)
        let want = numbers(configuration, recompute: .none, workers: 1, dtype: dtype)
        #expect(want.all.allSatisfy { $0.allSatisfy(\.isFinite) })
        for recompute in Recomputation.allCases {
            for workers in [1, 2, 3] {
                let have = numbers(configuration, recompute: recompute, workers: workers, dtype: dtype)
                #expect(have.all == want.all, "\(recompute) by \(workers)")
                guard let alpha = have.alpha, let wanted = want.alpha else {
                    Issue.record("no gradient of alpha")
                    continue
                }
                // All nodes give to it. Runs of layers sum theirs up first: another order, and so other last bits.
                let allowed = recompute == .layers ? (dtype == .float32 ? 1e-5 : 1e-14) : 0
                #expect(peak(alpha - wanted) <= allowed * peak(wanted), "\(recompute) by \(workers)")
            }
        }
    }

    @Test(arguments: Recomputation.allCases) func onlyTrainingMovesStatistics(recompute: Recomputation) {
        let built = supernet(.tiny(layers: 3))
        built.network.recompute = recompute
        let x = images([2, 3, 64, 64])
        let before = statistics(built)
        _ = built.pass(x, mode: .batchStatistics)
        #expect(statistics(built) == before)
        _ = built.pass(x, mode: .evaluation)
        #expect(statistics(built) == before)
        _ = built.pass(x, mode: .training)
        // Every group of every statistic moves: also those of arrows that share a cell.
        for (variable, old) in zip(built.store.buffers, before) {
            let new = variable.tensor.doubles()
            #expect(zip(old, new).allSatisfy { $0 != $1 }, "\(variable.name)")
        }
    }

    /// Under `perNode` arrows share weights, not statistics: each row is what its own arrow brought.
    @Test func statisticsArePerArrow() {
        let built = supernet(.tiny(layers: 3))
        _ = built(images([2, 3, 64, 64]), mode: .training)
        guard let mean = built.store.state["layer3.s8.cell.previous.norm.runningMean"] else {
            Issue.record("no statistics")
            return
        }
        #expect(mean.size(0) == 3)
        let rows = (0..<3).map { mean.select(0, $0).doubles() }
        #expect(rows[0] != rows[1] && rows[1] != rows[2] && rows[0] != rows[2])
    }

    @Test func trainingAndFrozenTrainingGiveTheSame() {
        let configuration = SupernetConfiguration.tiny(layers: 3)
        let x = images([2, 3, 40, 40])
        let free = supernet(configuration)(x, mode: .training)
        let frozen = supernet(configuration)(x, mode: .batchStatistics)
        #expect(free.doubles() == frozen.doubles())
    }

    /// The seven corners read a finer map by a strided 3x3; none is dropped (as known ports do).
    @Test(arguments: CellSharing.allCases) func corners(cells: CellSharing) {
        let configuration = SupernetConfiguration.tiny(layers: 6, blocks: 1, cells: cells)
        let built = supernet(configuration)
        var expected: [String: Int] = [:]
        for (layer, stride, from) in [
            (1, 4, 2), (1, 8, 2), (2, 8, 4), (2, 16, 4), (3, 16, 8), (3, 32, 8), (4, 32, 16),
        ] { expected["layer\(layer).s\(stride)"] = from }
        #expect(expected.count == 7)
        let (_, gradients) = built.pass(images([2, 3, 64, 64]), mode: .batchStatistics)
        var corners: Set<String> = []
        for (variable, gradient) in zip(built.store.parameters, gradients)
        where variable.name.hasSuffix("entry2.conv.weight") {
            let parts = variable.name.split(separator: ".")
            let node = parts[..<2].joined(separator: ".")
            let stride = Int(parts[1].dropFirst()) ?? 0
            let from = expected[node] ?? stride
            let kernel = from == stride ? 1 : 3
            // One block of F * s / 4 channels, from maps of as many at their stride.
            #expect(variable.tensor.shape == [2 * stride / 4, 2 * from / 4, kernel, kernel], "\(variable.name)")
            #expect(gradient.map(peak) ?? 0 > 0, "\(variable.name)")
            if kernel == 3 { corners.insert(node) }
        }
        #expect(corners == Set(expected.keys))
    }

    /// Batch 1 at 33 pixels has maps of 2x2 at s = 32, at 32 pixels of one value: no NaN, no error.
    @Test(arguments: [33, 32, 17, 1], [DType.float32, .float64])
    func oneImage(size: Int, dtype: DType) {
        var configuration = SupernetConfiguration.tiny(layers: 5, blocks: 2)
        for normalizes in [false, true] {
            configuration.normalizesImagePooling = normalizes
            let built = supernet(configuration, dtype: dtype)
            for _ in 0..<2 {
                let (logits, gradients) = built.pass(images([1, 3, size, size], dtype: dtype), mode: .training)
                #expect(logits.shape == [1, 3, size, size])
                #expect(peak(logits).isFinite)
                #expect(gradients.allSatisfy { $0.map(peak)?.isFinite ?? true })
            }
            #expect(statistics(built).allSatisfy { $0.allSatisfy(\.isFinite) })
            #expect(peak(built(images([1, 3, size, size], dtype: dtype), mode: .evaluation)).isFinite)
        }
    }

    @Test(arguments: CellSharing.allCases) func float32IsCloseToFloat64(cells: CellSharing) {
        let configuration = SupernetConfiguration.tiny(layers: 4, blocks: 3, filters: 4, cells: cells)
        let wide = supernet(configuration)
        let narrow = supernet(configuration, dtype: .float32)
        withoutGradients {
            for (name, tensor) in narrow.store.state {
                if let values = wide.store.state[name] { tensor.copy(from: values.to(.float32)) }
            }
        }
        let x = images([2, 3, 65, 65])
        let want = wide.pass(x, mode: .batchStatistics)
        let have = narrow.pass(x.to(.float32), mode: .batchStatistics)
        #expect(relativeDifference(have.logits.to(.float64), want.logits) < 1e-3)
    }

    @Test func stateSurvivesALoad() throws {
        let configuration = SupernetConfiguration.tiny(layers: 3)
        let first = supernet(configuration, seed: 1)
        let second = supernet(configuration, seed: 2)
        let x = images([1, 3, 40, 40])
        #expect(first(x, mode: .evaluation).doubles() != second(x, mode: .evaluation).doubles())
        try second.store.load(first.store.state)
        #expect(first(x, mode: .evaluation).doubles() == second(x, mode: .evaluation).doubles())
    }
}
