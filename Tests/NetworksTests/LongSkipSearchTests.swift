import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// Long skips of the supernet: gates, and the chances of paths that they go by.
@Suite("Long skips of the supernet")
struct LongSkipSearchTests {
    /// Random probabilities of the arrows that leave each node.
    private func arrows(_ space: NetworkSpace, seed: UInt64) -> [Double] {
        var random = SplitMix(state: seed)
        return space.outgoing(beta: space.arrows.map { _ in Double.random(in: -2...2, using: &random) })
    }

    private func weights(_ space: NetworkSpace, arrows: [Double], open: [Double]) -> Tensor {
        LongSkipWeights(space, dtype: .float64, device: .cpu)(
            arrows: Tensor(arrows, shape: [arrows.count]), open: Tensor(open, shape: [open.count]))
    }

    /// A gate's value and shares among those of all.
    private func parts(_ values: [Double], of space: NetworkSpace) -> [(value: Double, shares: [Double])] {
        var rest = values[...]
        return space.longSkipGates.map { gate in
            let own = Array(rest.prefix(1 + gate.sources.count))
            rest = rest.dropFirst(own.count)
            return (own[0], Array(own.dropFirst()))
        }
    }

    /// For each source the chance under the arrows that a path which is at the gate's arrow was last there at its target's
    /// stride, over all paths; H^{l-2} is the last.
    private func chances(_ gate: LongSkipGate, _ space: NetworkSpace, _ arrows: [Double]) -> [Double] {
        let layer = gate.arrow.target.layer
        var sums = [Double](repeating: 0, count: layer - 1)
        var total = 0.0
        func walk(_ path: [Stride], _ chance: Double) {
            guard path.count < layer else {
                guard path[layer - 1] == gate.arrow.source.stride else { return }
                let last = path.indices.last { path[$0] == gate.arrow.target.stride }
                if let last { sums[last] += chance }
                total += chance
                return
            }
            let node = Node(layer: path.count - 1, stride: path[path.count - 1])
            for arrow in space.arrows(from: node) { walk(path + [arrow.target.stride], chance * arrows[arrow.index]) }
        }
        walk([.s4], 1)
        return sums.map { $0 / total }
    }

    @Test("There are 27 gates with 136 sources in 12 layers, and none where H^{l-2} is the only source")
    func gates() {
        let space = NetworkSpace(layers: 12)
        let gates = space.longSkipGates
        #expect(gates.count == 27 && gates.map(\.index) == Array(0..<27))
        // Of 166 pairs of an arrow and an earlier map at its target's stride, 30 are H^{l-2}.
        #expect(gates.reduce(0) { $0 + $1.sources.count } == 136)
        for gate in gates {
            let (source, target) = (gate.arrow.source.stride, gate.arrow.target.stride)
            #expect(source.rawValue == 2 * target.rawValue)
            let found = (0..<gate.arrow.target.layer - 2).filter { space.strides(inLayer: $0).contains(target) }
            #expect(Array(gate.sources) == found && !found.isEmpty)
        }
        #expect(NetworkSpace(layers: 2).longSkipGates.isEmpty && NetworkSpace(layers: 3).longSkipGates.count == 1)
    }

    @Test(
        "A gate lets through its sources by the chances of paths, which are 1 together with that of H^{l-2}",
        arguments: [3, 5, 8])
    func pathChances(layers: Int) {
        let space = NetworkSpace(layers: layers)
        let arrows = arrows(space, seed: UInt64(layers))
        let open = space.longSkipGates.map { 0.1 + 0.8 * Double($0.index) / Double(space.longSkipGates.count) }
        let found = parts(weights(space, arrows: arrows, open: open).doubles(), of: space)
        for (gate, part) in zip(space.longSkipGates, found) {
            let all = chances(gate, space, arrows)
            #expect(abs(all.reduce(0, +) - 1) < 1e-12)
            let long = all.dropLast().reduce(0, +)
            #expect(abs(part.value - open[gate.index] * long) < 1e-12)
            let wanted = gate.sources.map { all[$0] / long }
            #expect(zip(part.shares, wanted).allSatisfy { abs($0 - $1) < 1e-12 })
            #expect(abs(part.shares.reduce(0, +) - 1) < 1e-12 && part.shares.count == wanted.count)
        }
    }

    @Test("Where beta is decided the sources are, and places that no path reaches give zeros")
    func decidedPaths() {
        let space = NetworkSpace(layers: 7)
        let unet: [Stride] = [.s4, .s8, .s16, .s32, .s16, .s8, .s4]
        var arrows = [Double](repeating: 0, count: space.arrows.count)
        for arrow in space.arrows(along: unet) { arrows[arrow.index] = 1 }
        let open = space.longSkipGates.map { _ in 0.75 }
        let leaf = Tensor(arrows, shape: [arrows.count])
        leaf.requiresGrad = true
        let values = LongSkipWeights(space, dtype: .float64, device: .cpu)(
            arrows: leaf, open: Tensor(open, shape: [open.count]))
        let sources = LongSkips.sources(along: unet)
        for (gate, part) in zip(space.longSkipGates, parts(values.doubles(), of: space)) {
            let layer = gate.arrow.target.layer
            let isOnPath = space.arrows(along: unet).contains(gate.arrow)
            guard isOnPath, let source = sources[layer - 1] else {
                #expect(part.value == 0 && part.shares.allSatisfy { $0 == 0 }, "\(gate)")
                continue
            }
            #expect(part.value == 0.75)
            #expect(part.shares == gate.sources.map { $0 == source ? 1 : 0 })
        }
        #expect(gradients(of: values.sum(), withRespectTo: [leaf])[0].map(peak) ?? .infinity < .infinity)
    }

    @Test("Shut gates are a supernet without long skips", arguments: CellSharing.allCases)
    func shut(cells: CellSharing) {
        var configuration = SupernetConfiguration.tiny(layers: 5, cells: cells)
        let plain = supernet(configuration)
        configuration.longSkips = true
        let skipping = supernet(configuration, seed: 2)
        let own = plain.store.state
        withoutGradients {
            for variable in skipping.store.parameters {
                if let tensor = own[variable.name] { variable.tensor.copy(from: tensor) }
            }
        }
        let x = images([2, 3, 40, 50])
        let weights = plain.relaxation.weights
        let gates = skipping.network.networkSpace.longSkipGates.count
        func scores(open: Double) -> Tensor {
            skipping.network(
                x,
                weights: ArchitectureWeights(
                    operators: weights.operators, arrows: weights.arrows,
                    gates: .full(open, [gates], dtype: .float64)), mode: .batchStatistics)
        }
        let wanted = plain(x, mode: .batchStatistics)
        #expect(relativeDifference(scores(open: 0), wanted) < 1e-12)
        #expect(relativeDifference(scores(open: 0.5), wanted) > 1e-3)
        // Without long skips there is nothing of them in the store.
        #expect(!own.keys.contains { $0.contains("longSkip") || $0.contains("gamma") })
        #expect(plain.store.architecture.count == 2 && skipping.store.architecture.count == 3)
    }

    @Test("Decoding takes the most probable path, then the skips whose gates are more open than shut")
    func decoding() {
        let space = NetworkSpace(layers: 7)
        let unet: [Stride] = [.s4, .s8, .s16, .s32, .s16, .s8, .s4]
        var arrows = space.arrows.map { _ in 0.1 }
        for arrow in space.arrows(along: unet) { arrows[arrow.index] = 0.8 }
        let alpha = CellSpace(blocks: 2).edges.map { _ in [Double](repeating: 0.125, count: 8) }
        var configuration = SupernetConfiguration.tiny(layers: 7)
        configuration.longSkips = true
        func skips(_ open: [Double]?) -> [Int?] {
            let table = ArchitectureTable(operators: alpha, arrows: arrows, gates: open)
            return ViterbiDecoder().decode(table, of: configuration).skips
        }
        let last = space.longSkipGates.filter { $0.arrow.target.layer == 7 && $0.arrow.target.stride == .s4 }
        #expect(last.count == 1)
        var open = space.longSkipGates.map { _ in 0.5 }
        #expect(skips(open) == Array(repeating: nil, count: 7) && skips(nil) == skips(open))
        open[last[0].index] = 0.51
        #expect(skips(open) == [nil, nil, nil, nil, nil, nil, 1])
        #expect(skips(open.map { _ in 0.9 }) == [nil, nil, nil, nil, nil, 2, 1])
        let table = ArchitectureTable(operators: alpha, arrows: arrows, gates: open)
        let genotype = ViterbiDecoder().decode(table, of: configuration)
        #expect(table.fits(genotype))
        for gates in [Array(open.dropLast()), open.map { _ in -1 }, open.map { _ in .nan }] {
            #expect(!ArchitectureTable(operators: alpha, arrows: arrows, gates: gates).fits(genotype))
        }
    }

    @Test("The entropy of gates takes part in the penalty")
    func entropyPenalty() {
        var configuration = SupernetConfiguration.tiny(layers: 5)
        configuration.longSkips = true
        let built = supernet(configuration)
        let penalty = EntropyPenalty(configuration, weight: 2, from: 0)
        func value(_ weights: ArchitectureWeights) -> Double {
            penalty(weights, at: SearchStep(index: 10, total: 11, turn: .architecture)).item()
        }
        let weights = built.relaxation.weights
        let without = ArchitectureWeights(operators: weights.operators, arrows: weights.arrows)
        let gates = weights.gates?.doubles() ?? []
        #expect(!gates.isEmpty)
        let entropies = gates.map { -$0 * log($0) - (1 - $0) * log(1 - $0) }
        let mean = entropies.reduce(0, +) / Double(gates.count)
        #expect(abs(value(weights) - value(without) - 2 * mean) < 1e-9)
        #expect(abs(gateEntropy(gates) - mean / log(2)) < 1e-12)
    }
}
