import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import Testing
import Torch

/// Alpha and beta: their softmaxes, and what they do to the output.
@Suite struct SupernetArchitectureTests {
    private func totals(_ table: ArchitectureTable, _ space: NetworkSpace) -> [Double] {
        space.groups.map { $0.arrows.reduce(0) { $0 + table.arrows[$1.index] } }
    }

    private func decoded(_ built: BuiltSupernet) -> Genotype {
        ViterbiDecoder().decode(built.table, of: built.network.configuration)
    }

    /// No node's betas are scaled down at the borders (equation 7; a known port multiplies them by 2/3).
    @Test(arguments: [1, 2, 3, 5, 12]) func betasOfEachNodeSumToOne(layers: Int) {
        let built = supernet(.tiny(layers: layers, blocks: 1))
        let space = built.network.networkSpace
        let sums = totals(built.table, space)
        #expect(sums.allSatisfy { abs($0 - 1) < 1e-12 })
        #expect(built.table.arrows.count == space.arrows.count)
        if layers == 12 { #expect(sums.count == 42 && space.arrows.count == 105) }
        let logits = built.relaxation.beta.doubles()
        for group in space.groups {
            let values = group.arrows.map { logits[$0.index] }
            let chances = group.arrows.map { built.table.arrows[$0.index] }
            for (value, chance) in zip(values, chances) {
                // Ratios are those of the exponentials, among two or three arrows alike.
                #expect(abs(log(chance / chances[0]) - (value - values[0])) < 1e-9)
            }
        }
    }

    /// Each group's softmax ignores all other groups, even extreme ones.
    @Test func groupsDoNotMix() {
        let built = supernet(.tiny(layers: 4, blocks: 1))
        let architecture = built.relaxation
        let space = built.network.networkSpace
        let before = built.table.arrows
        for group in space.groups {
            let arrow = group.arrows[0].index
            let saved = architecture.beta.clone().detach()
            var values = saved.doubles()
            values[arrow] = 700
            withoutGradients { architecture.beta.copy(from: Tensor(values, shape: [values.count])) }
            let after = built.table.arrows
            let own = Set(group.arrows.map(\.index))
            #expect(before.indices.allSatisfy { own.contains($0) || before[$0] == after[$0] })
            #expect(abs(after[arrow] - 1) < 1e-12)
            withoutGradients { architecture.beta.copy(from: saved) }
        }
    }

    @Test func alphaIsASoftmaxOverEightOperators() {
        let built = supernet(.tiny(blocks: 5, filters: 1))
        let table = built.table.operators
        #expect(table.map(\.count) == Array(repeating: 8, count: 20))
        for row in table { #expect(abs(row.reduce(0, +) - 1) < 1e-12) }
        let raw = built.relaxation.alpha.doubles()
        for edge in table.indices {
            for op in 0..<8 {
                let distance = raw[edge * 8 + op] - raw[edge * 8]
                #expect(abs(log(table[edge][op] / table[edge][0]) - distance) < 1e-9)
            }
        }
    }

    @Test func decodedIsTheStrongestPath() {
        let built = supernet(.tiny(layers: 4, blocks: 3))
        let genotype = decoded(built)
        #expect(genotype.layers == 4 && genotype.blocks == 3 && genotype.atrous == .dense)
        let separable = supernet(.tiny(layers: 2, blocks: 1, atrous: .separable))
        #expect(decoded(separable).atrous == .separable)
        let space = built.network.networkSpace
        #expect(genotype.path == decodePath(outgoing: built.table.arrows, space: space))
    }

    /// First values are 1e-3 * N(0, 1), so that all operators and arrows start nearly alike.
    @Test func firstValues() {
        let store = VariableStore(generator: Generator(seed: 3))
        let configuration = SupernetConfiguration.tiny(layers: 12, blocks: 5, filters: 1)
        _ = SoftmaxRelaxation(store.root / "architecture", configuration)
        _ = Supernet(configuration, store: store)
        for variable in store.architecture {
            let values = variable.tensor.doubles()
            let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            #expect(variance.squareRoot() > 0.7e-3 && variance.squareRoot() < 1.3e-3)
        }
        #expect(store.architecture.count == 2)
        // No affine parameters: all weights are kernels and the class layers' biases.
        #expect(!store.parameters.contains { $0.kind == .normalization })
        #expect(store.parameters.filter { $0.kind == .bias }.count == 4)
    }

    /// Central differences of every alpha, beta and gamma; each has an influence.
    @Test(
        arguments: CellSharing.allCases,
        [
            (NormalizationMode.batchStatistics, false), (.evaluation, false), (.batchStatistics, true),
            (.evaluation, true),
        ])
    func finiteDifferences(cells: CellSharing, pass: (mode: NormalizationMode, longSkips: Bool)) {
        let mode = pass.mode
        var configuration = SupernetConfiguration.tiny(layers: 4, blocks: 2, filters: 1, cells: cells)
        configuration.longSkips = pass.longSkips
        let built = supernet(configuration)
        let x = images([2, 3, 36, 45])
        let (logits, all) = built.pass(x, mode: mode)
        let probe = Tensor.normal(logits.shape, generator: Generator(seed: 5), dtype: .float64)
        for (tensor, gradient) in zip(built.store.architecture.map(\.tensor), all) {
            guard let gradient else {
                Issue.record("no gradient at all")
                continue
            }
            let saved = tensor.doubles()
            let found = gradient.doubles()
            let scale = found.map(\.magnitude).max() ?? 0
            for place in saved.indices {
                func value(at shift: Double) -> Double {
                    var moved = saved
                    moved[place] += shift
                    return withoutGradients {
                        tensor.copy(from: Tensor(moved, shape: tensor.shape))
                        return (built(x, mode: mode) * probe).sum().item()
                    }
                }
                #expect(found[place] != 0, "\(tensor.shape) at \(place)")
                // The longer step may lead over a kink of a ReLU or a maximum.
                let isNear = [1e-5, 1e-7].contains { step in
                    let difference = (value(at: step) - value(at: -step)) / (2 * step)
                    return abs(difference - found[place]) < 1e-5 * scale
                }
                #expect(isNear, "\(tensor.shape) at \(place)")
            }
            withoutGradients { tensor.copy(from: Tensor(saved, shape: tensor.shape)) }
        }
    }

    /// The full trellis: 105 betas, 20 edges of 8 operators, all with a gradient (a known port has none at s = 32).
    @Test(arguments: CellSharing.allCases) func everyBetaAndAlphaHasAGradient(cells: CellSharing) {
        let built = supernet(.tiny(layers: 12, blocks: 5, filters: 1, cells: cells))
        let (_, all) = built.pass(images([1, 3, 64, 64]), mode: .batchStatistics)
        let counts = all.prefix(2).map { $0?.doubles().count { $0 != 0 && $0.isFinite } ?? 0 }
        #expect(counts == [160, 105])
    }
}
