import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// The network against its plain re-implementation, in float64.
@Suite struct DiscreteReferenceTests {
    private func literal(of network: DiscreteNetwork, training: Bool) -> ReferenceDiscreteNetwork {
        ReferenceDiscreteNetwork(
            genotype: network.layout.genotype, configuration: network.configuration, weights: network.store.state,
            training: training)
    }

    /// Compares outputs and the gradients of all parameters.
    private func compare(_ network: DiscreteNetwork, _ x: Tensor, training: Bool) {
        let names = network.store.parameters.map(\.name)
        let weights = network.store.parameters.map(\.tensor)
        let want = literal(of: network, training: training)(x)
        let probe = Tensor.normal(want.shape, generator: Generator(seed: 5), dtype: .float64)
        let wanted = gradients(of: (want * probe).sum(), withRespectTo: weights)
        let have = network(x, mode: training ? .batchStatistics : .evaluation)
        #expect(relativeDifference(have, want) < 1e-9)
        let found = gradients(of: (have * probe).sum(), withRespectTo: weights)
        let scale = wanted.compactMap { $0?.abs().reshape([-1]).max(0).item() }.max() ?? 1
        for (name, (a, b)) in zip(names, zip(found, wanted)) {
            let zeros = Tensor.zeros([1], dtype: .float64)
            switch (a, b) {
            case (let a?, let b?):
                let difference = (a - b).abs().reshape([-1]).max(0).item()
                #expect(difference < 1e-8 * scale, "gradient of \(name)")
            case (nil, nil): break
            case (let a, let b):
                // What reads zeros may be left out of one of the graphs.
                #expect((a ?? b ?? zeros).abs().reshape([-1]).max(0).item() == 0, "gradient of \(name)")
            }
        }
    }

    @Test(arguments: [true, false]) func everyOperatorOnEveryInput(training: Bool) {
        let built = network(.everything)
        randomizeVectors(of: built.store, seed: 3)
        compare(built, images([2, 3, 41, 50]), training: training)
    }

    /// Layers 1 and 5 stay at a stride, and layer 1 reads the stem.
    @Test(arguments: [true, false]) func residual(training: Bool) throws {
        let built = network(.everything.withAllSkips, .tinyResidual)
        #expect(built.layout.cells.filter(\.isResidual).map(\.layer) == [5])
        randomizeVectors(of: built.store, seed: 3)
        let x = images([2, 3, 41, 50])
        compare(built, x, training: training)
        // The map is added to something: without it the scores are others.
        var other = literal(of: built, training: training)
        other.configuration.residual = false
        #expect(relativeDifference(built(x, mode: training ? .batchStatistics : .evaluation), other(x)) > 1e-3)
    }

    /// The stem's map has as many channels as the first cell's output, and is not added.
    @Test func residualAfterTheStem() throws {
        var configuration = DiscreteConfiguration.tinyResidual
        configuration.stemChannels[2] = 4 * 5
        let built = network(Genotype(path: [.s4, .s4], cell: .published), configuration)
        #expect(built.layout.cells.map(\.isResidual) == [false, true])
        compare(built, images([2, 3, 41, 50]), training: true)
    }

    /// A file of a network without says what it said before there were residual ones.
    @Test func residualInFiles() throws {
        func text(_ configuration: DiscreteConfiguration) throws -> String {
            String(decoding: try JSONEncoder().encode(configuration), as: UTF8.self)
        }
        #expect(try !text(.tiny()).contains("residual") && text(.tinyResidual).contains("\"residual\":true"))
        for configuration in [DiscreteConfiguration.tiny(), .tinyResidual] {
            let read = try JSONDecoder().decode(
                DiscreteConfiguration.self, from: Data(try text(configuration).utf8))
            #expect(read == configuration)
        }
    }

    /// The path rises to 16 with layer 3 as its source, and to 8 with layer 2.
    @Test(arguments: [true, false]) func longSkips(training: Bool) throws {
        let genotype = Genotype.everything.withAllSkips
        #expect(genotype.skips == [nil, nil, nil, nil, nil, 3, 2])
        let built = network(genotype)
        randomizeVectors(of: built.store, seed: 3)
        compare(built, images([2, 3, 41, 50]), training: training)
    }

    @Test func longSkipFromTheStem() throws {
        let genotype = Genotype(path: [.s8, .s16, .s8, .s4], cell: .published).withAllSkips
        #expect(genotype.skips == [nil, nil, nil, 0])
        let built = network(genotype)
        randomizeVectors(of: built.store, seed: 3)
        let x = images([2, 3, 41, 50])
        compare(built, x, training: true)
        // The stem's map is what is read: without it the last layer's second input is another one.
        var other = literal(of: built, training: true)
        other.genotype.skips[3] = nil
        other.weights["cells.4.previous2.pointwise.weight"] = .zeros([4, 5 * 16, 1, 1], dtype: .float64)
        #expect(relativeDifference(built(x, mode: .batchStatistics), other(x)) > 1e-3)
    }

    /// Every path's beginning, with and without a long skip from the stem, and a decoder that reads the stem's maps.
    @Test(arguments: EncoderKind.allCases, [true, false]) func encoderStems(kind: EncoderKind, training: Bool) throws {
        for path in [[Stride.s8, .s16, .s8, .s4], [.s4, .s8]] {
            var configuration = DiscreteConfiguration.tiny()
            configuration.decoderStride = 2
            let genotype = Genotype(path: path, cell: .published, stem: .encoder(kind)).withAllSkips
            #expect(genotype.stem.encoder == kind && genotype.hasSkips == (path.count == 4))
            let built = network(genotype, configuration)
            randomizeVectors(of: built.store, seed: 3)
            let x = images([2, 3, 46, 65])
            compare(built, x, training: training)
            guard training else { continue }
            // A frozen encoder does not look at the batch, which would be seen.
            var frozen = literal(of: built, training: true)
            frozen.encoderTraining = false
            for step in [EncoderTraining.frozen, .fixedStatistics] {
                #expect(relativeDifference(built(x, mode: .batchStatistics, training: step), frozen(x)) < 1e-9)
            }
            #expect(relativeDifference(built(x, mode: .batchStatistics), frozen(x)) > 1e-3)
        }
    }

    @Test func publishedNetwork() throws {
        let built = network(try KnownDesign.autoDeepLab.genotype())
        randomizeVectors(of: built.store, seed: 3)
        compare(built, images([1, 3, 65, 38]), training: true)
    }

    @Test(arguments: 0..<12) func randomGenotypes(seed: Int) {
        let seed = UInt64(seed)
        var random = SplitMix(state: seed)
        var genotype = Genotype.random(
            seed: seed, layers: .random(in: 1...7, using: &random), blocks: .random(in: 1...5, using: &random))
        genotype.atrous = seed % 3 == 0 ? .separable : .dense
        if seed % 2 == 1 { genotype = genotype.withAllSkips }
        let built = network(genotype, .tiny(filters: .random(in: 1...6, using: &random)), seed: seed)
        randomizeVectors(of: built.store, seed: seed)
        let (height, width) = (Int.random(in: 33...50, using: &random), Int.random(in: 33...50, using: &random))
        compare(built, images([Int(seed % 2) + 1, 3, height, width], seed: seed), training: seed % 4 != 3)
    }

    @Test(arguments: DiscreteConfiguration.heads) func heads(configuration: DiscreteConfiguration) {
        for (path, training) in [([Stride.s4, .s8, .s16], true), ([.s8, .s8], false)] {
            let genotype = Genotype(path: path, cell: .published)
            let built = network(genotype, configuration)
            randomizeVectors(of: built.store, seed: 5)
            compare(built, images([2, 3, 37, 44]), training: training)
            let coarse = built.coarseScores(images([1, 3, 37, 44]))
            #expect(Array(coarse.shape.suffix(2)) == [37, 44].map { scaledSize($0, stride: built.layout.scoreStride) })
        }
    }

    @Test func separableAtrousOnEveryInput() {
        var genotype = Genotype.everything
        genotype.atrous = .separable
        let built = network(genotype)
        #expect(built.store.state.keys.filter { $0.hasSuffix(".dense.weight") }.isEmpty)
        randomizeVectors(of: built.store, seed: 4)
        compare(built, images([2, 3, 41, 50]), training: true)
    }

    /// Where H^{l-2} has the block's channels there is no 1x1, and a skip hands on the map itself.
    @Test func equalChannelsNeedNoProjection() {
        let cell = Cell(blocks: [
            Block(
                first: Branch(input: .previous2, op: .skip), second: Branch(input: .previous2, op: .separable3x3)),
            Block(
                first: Branch(input: .previous2, op: .maxPool3x3), second: Branch(input: .previous, op: .atrous3x3)),
        ])
        // F s / 4 at s = 16 is twice that at s = 8: two blocks at 8, two layers on one block at 16.
        let built = network(Genotype(path: [.s8, .s8, .s16, .s16], cell: cell))
        #expect(built.layout.cells[2].previous2Projection == nil && built.layout.cells[2].move == .down)
        #expect(built.layout.cells[3].previous2Projection == nil)
        randomizeVectors(of: built.store, seed: 3)
        compare(built, images([2, 3, 37, 44]), training: true)
    }

    /// A known port exchanges the operators of a block's two branches (ALGORITHM 10).
    @Test func swappedOperatorsAreNotTheSame() {
        let genotype = Genotype(
            path: [.s4, .s8],
            cell: Cell(blocks: [
                Block(
                    first: Branch(input: .previous, op: .separable3x3),
                    second: Branch(input: .previous2, op: .separable5x5))
            ]))
        let built = network(genotype)
        let x = images([2, 3, 40, 40])
        let have = built(x, mode: .batchStatistics)
        var other = literal(of: built, training: true)
        #expect(relativeDifference(have, other(x)) < 1e-9)
        // The swap: each operator, with its own weights, on the other one's input.
        other.genotype.cell.blocks[0].first.input = .previous2
        other.genotype.cell.blocks[0].second.input = .previous
        #expect(relativeDifference(have, other(x)) > 1e-3)
    }

    @Test func dropPathActsOnTheRightBranches() {
        var configuration = DiscreteConfiguration.tiny()
        configuration.dropPathKeep = 0.5
        configuration.dropoutKeep = 1
        let built = network(.everything, configuration)
        let x = images([4, 3, 35, 35])
        let have = built(
            x, mode: .batchStatistics, regularization: Regularization(progress: 0.7, generator: Generator(seed: 11)))
        let again = Regularization(progress: 0.7, generator: Generator(seed: 11))
        var plain = literal(of: built, training: true)
        let branches = Genotype.everything.cell.blocks.flatMap(\.branches).count { $0.op != .skip && $0.op != .none }
        plain.masks = { cell in
            built.dropPath.masks(inCell: cell, branches: branches, samples: 4, regularization: again, like: x)
        }
        #expect(relativeDifference(have, plain(x)) < 1e-9)
    }
}
