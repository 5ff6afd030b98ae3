import Networks
import SearchSpace
import Testing
import Torch

/// The supernet against its plain re-implementation, in float64.
@Suite struct SupernetReferenceTests {
    /// Compares logits, the gradients of all parameters and the running statistics.
    private func compare(
        _ configuration: SupernetConfiguration, _ shape: [Int], mode: NormalizationMode = .training,
        recompute: Recomputation = .none, workers: Int = 1, encoder: EncoderTraining = .frozen, seed: UInt64 = 1
    ) {
        let built = supernet(configuration, seed: seed)
        built.network.encoderTraining = encoder
        built.network.recompute = recompute
        built.network.workers = workers
        let x = images([shape[0], 3, shape[1], shape[2]], seed: seed + 7)
        let literal = ReferenceSupernet(copying: built.network, built.store, mode: mode)
        let want = built.differentiated(literal(x))
        let have = built.pass(x, mode: mode)
        // One list, not thousands of failures.
        var wrong: [String] = []
        if !(relativeDifference(have.logits, want.logits) < 1e-8) { wrong.append("logits") }
        let scale = want.gradients.compactMap { $0.map(peak) }.max() ?? 0
        for (variable, (have, want)) in zip(built.store.parameters, zip(have.gradients, want.gradients)) {
            guard let have, let want else {
                // What one value per channel cuts off, or reads zeros, may be left out of one of the graphs.
                if (have ?? want).map(peak) ?? 0 != 0 { wrong.append("gradient of \(variable.name)") }
                continue
            }
            let near = peak(have - want) <= 1e-6 * peak(want) + 1e-11 * scale
            if !near { wrong.append("gradient of \(variable.name)") }
        }
        for buffer in built.store.buffers {
            let near = relativeDifference(buffer.tensor, literal.get(buffer.name)) < 1e-10
            if !near { wrong.append(buffer.name) }
        }
        #expect(wrong.isEmpty, "\(wrong.count) differ, first \(wrong.prefix(3))")
    }

    @Test(arguments: CellSharing.allCases, AtrousKind.allCases)
    func cellsAndAtrous(cells: CellSharing, atrous: AtrousKind) {
        compare(.tiny(layers: 4, blocks: 3, cells: cells, atrous: atrous), [2, 50, 41])
    }

    @Test(arguments: CellSharing.allCases, [2, 3, 4, 5]) func layers(cells: CellSharing, layers: Int) {
        compare(.tiny(layers: layers, cells: cells), [1, 64, 47], seed: UInt64(layers))
    }

    @Test(arguments: CellSharing.allCases, [1, 2, 3, 4, 5]) func blocks(cells: CellSharing, blocks: Int) {
        compare(.tiny(blocks: blocks, filters: 1 + blocks % 3, cells: cells), [2, 33, 48], seed: UInt64(blocks))
    }

    /// At F = 3 and s = 32 a block has 24 channels, more than are composed.
    @Test(arguments: CellSharing.allCases, AtrousKind.allCases)
    func wideBlocks(cells: CellSharing, atrous: AtrousKind) {
        compare(.tiny(layers: 4, filters: 3, cells: cells, atrous: atrous), [2, 65, 40])
        compare(.tiny(layers: 2, filters: 20, cells: cells, atrous: atrous), [1, 24, 24])
    }

    @Test(arguments: CellSharing.allCases, [NormalizationMode.batchStatistics, .evaluation])
    func modes(cells: CellSharing, mode: NormalizationMode) {
        compare(.tiny(layers: 4, cells: cells), [2, 45, 38], mode: mode)
    }

    @Test(arguments: CellSharing.allCases, [Recomputation.cells, .layers])
    func recomputed(cells: CellSharing, recompute: Recomputation) {
        compare(.tiny(layers: 4, cells: cells), [2, 40, 50], recompute: recompute)
        compare(.tiny(layers: 5, cells: cells), [2, 40, 50], recompute: recompute, workers: 2)
    }

    @Test(arguments: CellSharing.allCases, [Recomputation.none, .layers])
    func residual(cells: CellSharing, recompute: Recomputation) {
        var configuration = SupernetConfiguration.tiny(layers: 4, cells: cells)
        configuration.residual = true
        for mode in [NormalizationMode.training, .batchStatistics] {
            compare(configuration, [2, 50, 41], mode: mode, recompute: recompute)
        }
        configuration.resizesPrevious = true
        configuration.longSkips = true
        compare(configuration, [2, 50, 41], recompute: recompute, workers: 2)
    }

    private func skipping(_ layers: Int, _ cells: CellSharing, atrous: AtrousKind = .dense) -> SupernetConfiguration {
        var configuration = SupernetConfiguration.tiny(layers: layers, cells: cells, atrous: atrous)
        configuration.longSkips = true
        return configuration
    }

    @Test(arguments: CellSharing.allCases, [2, 3, 4, 6]) func longSkips(cells: CellSharing, layers: Int) {
        compare(skipping(layers, cells), [2, 50, 41], seed: UInt64(layers))
    }

    @Test(arguments: CellSharing.allCases, [NormalizationMode.batchStatistics, .evaluation])
    func longSkipModes(cells: CellSharing, mode: NormalizationMode) {
        compare(skipping(5, cells, atrous: .separable), [2, 45, 38], mode: mode)
    }

    @Test(arguments: CellSharing.allCases, [Recomputation.cells, .layers])
    func recomputedLongSkips(cells: CellSharing, recompute: Recomputation) {
        compare(skipping(5, cells), [2, 40, 50], recompute: recompute)
        compare(skipping(6, cells), [1, 40, 50], recompute: recompute, workers: 2)
    }

    /// Fewer layers than are kept between two segments.
    @Test(arguments: [1, 2]) func recomputedLayersOfShallowNetworks(layers: Int) {
        compare(.tiny(layers: layers), [2, 40, 50], recompute: .layers)
    }

    /// H^{l-2} where the path was, by every way to compute.
    @Test(arguments: CellSharing.allCases, Recomputation.allCases)
    func resizedPrevious(cells: CellSharing, recompute: Recomputation) {
        for layers in [2, 3, 5] {
            var configuration = SupernetConfiguration.tiny(layers: layers, cells: cells)
            configuration.resizesPrevious = true
            compare(configuration, [2, 47, 66], recompute: recompute, workers: 2, seed: UInt64(layers))
            compare(configuration, [2, 47, 66], mode: .evaluation, recompute: recompute)
            configuration.longSkips = true
            compare(configuration, [1, 47, 66], recompute: recompute, seed: UInt64(layers))
        }
    }

    /// Every size of a map from one value on.
    @Test(arguments: [1, 2, 31, 32, 33, 34, 64, 65]) func sizes(size: Int) {
        compare(.tiny(layers: 4), [1, size, size])
        compare(.tiny(layers: 4, cells: .perArrow), [2, size, 33])
    }

    /// The first blocks of an encoder in the stem's place, trained by statistics that stay, or frozen.
    @Test(arguments: EncoderKind.allCases, [EncoderTraining.frozen, .fixedStatistics])
    func encoderStems(kind: EncoderKind, training: EncoderTraining) {
        var configuration = SupernetConfiguration.tiny(layers: 2)
        configuration.stem = .encoder(kind)
        compare(configuration, [2, 46, 65], encoder: training)
        compare(configuration, [1, 33, 48], mode: .batchStatistics, encoder: training)
        compare(configuration, [2, 40, 50], mode: .evaluation, recompute: .layers, encoder: training)
    }

    @Test func separableHeads() {
        var configuration = SupernetConfiguration.tiny(layers: 2)
        configuration.separableHeads = true
        compare(configuration, [2, 40, 41])
    }

    @Test func normalizedImagePooling() {
        var configuration = SupernetConfiguration.tiny(layers: 2)
        configuration.normalizesImagePooling = true
        compare(configuration, [3, 40, 40])
        compare(configuration, [1, 40, 40])
    }
}
