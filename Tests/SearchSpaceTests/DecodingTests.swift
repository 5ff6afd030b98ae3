import Foundation
import SearchSpace
import TestSupport
import Testing

@Suite struct PathDecodingTests {
    /// The best path by multiplying every path's probabilities; `ties` says how close products count as equal.
    func bruteForce(_ outgoing: [Double], layers: Int) -> [Stride] {
        // Looked up by layer and strides, so that nothing of the library's trellis but its numbering is used.
        var table: [[Int]: Double] = [:]
        for arrow in NetworkSpace(layers: layers).arrows {
            table[[arrow.target.layer, arrow.source.stride.rawValue, arrow.target.stride.rawValue]] =
                outgoing[arrow.index]
        }
        var best: (path: [Stride], product: Double)?
        for path in allPaths(layers: layers) {
            var product = 1.0
            var before = 4
            for (index, stride) in path.enumerated() {
                product *= table[[index + 1, before, stride.rawValue]] ?? .nan
                before = stride.rawValue
            }
            guard let current = best else {
                best = (path, product)
                continue
            }
            let tied = abs(product - current.product) <= 1e-11 * current.product
            let finer = path.reversed().lexicographicallyPrecedes(current.path.reversed())
            if tied ? finer : product > current.product { best = (path, product) }
        }
        return best?.path ?? []
    }

    /// Softmaxed betas of pure noise.
    private func noise(_ space: NetworkSpace, deviation: Double, _ generator: inout SplitMix) -> [Double] {
        var result = [Double](repeating: 0, count: space.arrows.count)
        for group in space.groups {
            // A sum of twelve uniform numbers is nearly normal.
            let logits = group.arrows.map { _ in
                (0..<12).reduce(-6.0) { sum, _ in sum + Double(generator.next() >> 11) * 0x1p-53 } * deviation
            }
            let total = logits.reduce(0) { $0 + exp($1) }
            for (arrow, logit) in zip(group.arrows, logits) { result[arrow.index] = exp(logit) / total }
        }
        return result
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7]) func balancedEqualsBruteForce(layers: Int) {
        let space = NetworkSpace(layers: layers)
        var generator = SplitMix(state: UInt64(layers))
        for _ in 0..<20 {
            let outgoing = noise(space, deviation: 0.5, &generator)
            // Two ways out of the finest and the coarsest stride, three of the others.
            let weighed = zip(space.arrows, outgoing).map { arrow, probability in
                probability * ([.s4, .s32].contains(arrow.source.stride) ? 2 : 3)
            }
            #expect(
                decodePath(outgoing: outgoing, space: space, by: .balanced) == bruteForce(weighed, layers: layers))
        }
    }

    @Test func noiseIsNoReasonForTheBorders() {
        let space = NetworkSpace(layers: 12)
        var generator = SplitMix(state: 9)
        var shares: [PathDecoding: Double] = [:]
        for _ in 0..<200 {
            let outgoing = noise(space, deviation: 0.1, &generator)
            for decoding in PathDecoding.allCases {
                let path = decodePath(outgoing: outgoing, space: space, by: decoding)
                shares[decoding, default: 0] += Double(path.count { $0 == .s4 || $0 == .s32 }) / 12 / 200
            }
        }
        #expect(shares[.probability] ?? 0 > 0.8 && shares[.balanced] ?? 1 < 0.6, "\(shares)")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8]) func viterbiEqualsBruteForce(layers: Int) {
        let space = NetworkSpace(layers: layers)
        var generator = SplitMix(state: UInt64(layers))
        for _ in 0..<10 {
            let beta = space.arrows.map { _ in Double.random(in: -2...2, using: &generator) }
            let outgoing = space.outgoing(beta: beta)
            #expect(decodePath(outgoing: outgoing, space: space) == bruteForce(outgoing, layers: layers))
        }
    }

    @Test(arguments: [10, 12]) func viterbiEqualsBruteForceOnDeepNetworks(layers: Int) {
        let space = NetworkSpace(layers: layers)
        var generator = SplitMix(state: 7)
        let beta = space.arrows.map { _ in Double.random(in: -1...1, using: &generator) }
        let outgoing = space.outgoing(beta: beta)
        #expect(decodePath(outgoing: outgoing, space: space) == bruteForce(outgoing, layers: layers))
    }

    @Test(arguments: 1...7) func tiesGoToTheFinerResolution(layers: Int) {
        let space = NetworkSpace(layers: layers)
        var generator = SplitMix(state: 100 + UInt64(layers))
        for _ in 0..<20 {
            // Few distinct values make many exactly equal products.
            let outgoing = space.arrows.map { _ in [0.5, 0.25, 1.0 / 3].randomElement(using: &generator) ?? 0.5 }
            #expect(decodePath(outgoing: outgoing, space: space) == bruteForce(outgoing, layers: layers))
        }
    }

    @Test func uniformWeightsStayFine() {
        // At 4 two arrows leave (1/2 each), elsewhere three: staying at 4 is the most probable path.
        let space = NetworkSpace()
        let outgoing = space.outgoing(beta: Array(repeating: 0, count: 105))
        #expect(decodePath(outgoing: outgoing, space: space) == Array(repeating: .s4, count: 12))
    }

    @Test func theProductCountsAndNotTheGreedyChoice() {
        // Greedy takes 8 first (0.6), but its best continuation is weak: 0.6 * 0.34 < 0.4 * 0.9.
        let space = NetworkSpace(layers: 2)
        let outgoing = [0.4, 0.6, 0.9, 0.34, 0.1, 0.33, 0.33]
        #expect(decodePath(outgoing: outgoing, space: space) == [.s4, .s4])
    }

    @Test func impossibleArrowsAreAvoided() {
        let space = NetworkSpace(layers: 3)
        var outgoing = Array(repeating: 0.0, count: space.arrows.count)
        let wanted: [Stride] = [.s8, .s16, .s32]
        for arrow in space.arrows(along: wanted) { outgoing[arrow.index] = 1e-300 }
        #expect(decodePath(outgoing: outgoing, space: space) == wanted)
    }
}

@Suite struct CellDecodingTests {
    @Test func strongestTwoPredecessorsWithoutNone() {
        let space = CellSpace(blocks: 2)
        var alpha = Array(repeating: [0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.65], count: 5)
        // Block 2 (edges 2, 3, 4): the edge from H^{l-2} has the largest value, but it is none's.
        alpha[2] = [0.1, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
        alpha[3] = [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.92]
        alpha[4] = [0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.2, 0.7]
        let cell = decodeCell(alpha: alpha, space: space)
        #expect(cell.blocks[1].first == Branch(input: .previous, op: .separable5x5))
        #expect(cell.blocks[1].second == Branch(input: .block(1), op: .skip))
    }

    @Test func tiesGoToTheLowerIndex() {
        let cell = decodeCell(
            alpha: Array(repeating: Array(repeating: 0.125, count: 8), count: 20), space: CellSpace())
        for block in cell.blocks {
            #expect(block.first == Branch(input: .previous, op: .separable3x3))
            #expect(block.second == Branch(input: .previous2, op: .separable3x3))
        }
    }

    @Test func decodedCellsAreValidAndMaximal() throws {
        var generator = SplitMix(state: 3)
        let space = CellSpace()
        for _ in 0..<20 {
            let alpha = space.probabilities(
                alpha: space.edges.map { _ in (0..<8).map { _ in Double.random(in: -2...2, using: &generator) } })
            let cell = decodeCell(alpha: alpha, space: space)
            try Genotype(path: [.s4], cell: cell).validate()
            for (number, block) in cell.blocks.enumerated() {
                let kept = Set(block.branches.map(\.input.index))
                #expect(kept.count == 2)
                let edges = space.edges(into: number + 1)
                func strength(_ edge: CellEdge) -> Double { alpha[edge.index][..<7].max() ?? 0 }
                let weakestKept = edges.filter { kept.contains($0.input.index) }.map(strength).min() ?? 0
                #expect(edges.allSatisfy { kept.contains($0.input.index) || strength($0) <= weakestKept })
                for branch in block.branches {
                    let row = edges.filter { $0.input == branch.input }.map { alpha[$0.index] }.first ?? []
                    #expect(row[branch.op.index] == row[..<7].max())
                }
            }
        }
    }
}

@Suite struct ProbabilitiesTests {
    @Test func softmaxByHand() {
        let result = softmax([0, log(3)])
        #expect(abs(result[0] - 0.25) < 1e-15 && abs(result[1] - 0.75) < 1e-15)
        #expect(softmax([1e4, 1e4]) == [0.5, 0.5])
    }

    @Test func outgoingWeightsSumToOneEverywhere() {
        let space = NetworkSpace()
        var generator = SplitMix(state: 5)
        let beta = space.arrows.map { _ in Double.random(in: -3...3, using: &generator) }
        let outgoing = space.outgoing(beta: beta)
        for group in space.groups {
            let sum = group.arrows.reduce(0) { $0 + outgoing[$1.index] }
            #expect(abs(sum - 1) < 1e-12)
            for arrow in group.arrows {
                let whole = group.arrows.reduce(0) { $0 + exp(beta[$1.index]) }
                #expect(abs(outgoing[arrow.index] - exp(beta[arrow.index]) / whole) < 1e-12)
            }
        }
        let equal = space.outgoing(beta: Array(repeating: 0.7, count: 105))
        #expect(space.groups.allSatisfy { equal[$0.arrows[0].index] == 1 / Double($0.arrows.count) })
    }

    @Test func entropyByHand() {
        #expect(entropy([1, 0]) == 0)
        #expect(abs(entropy([0.25, 0.25, 0.5]) - 1.5 * log(2)) < 1e-15)
        let cell = CellSpace(blocks: 1)
        let decided = [1.0, 0, 0, 0, 0, 0, 0, 0]
        let open = Array(repeating: 0.125, count: 8)
        #expect(abs(cell.normalizedEntropy([decided, open]) - 0.5) < 1e-15)
        #expect(cell.operatorShares([decided, open]) == [0.5625] + Array(repeating: 0.0625, count: 7))
        let space = NetworkSpace()
        let uniform = space.outgoing(beta: Array(repeating: 0, count: 105))
        #expect(abs(space.normalizedEntropy(outgoing: uniform) - 1) < 1e-12)
    }
}
