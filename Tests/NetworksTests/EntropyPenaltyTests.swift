import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

@Suite("Entropy of the architecture as penalty")
struct EntropyPenaltyTests {
    private let configuration: SupernetConfiguration = {
        var configuration = SupernetConfiguration(classes: 2)
        configuration.layers = 4
        configuration.blocks = 2
        return configuration
    }()

    /// Softmaxes and entropies by loops.
    private func literal(_ alpha: [Double], _ beta: [Double]) -> Double {
        func entropy(_ logits: [Double]) -> Double {
            let total = logits.reduce(0) { $0 + exp($1) }
            return logits.reduce(0) { $0 - exp($1) / total * log(exp($1) / total) }
        }
        let edges = stride(from: 0, to: alpha.count, by: 8).map { entropy(Array(alpha[$0..<$0 + 8])) }
        let groups = NetworkSpace(layers: 4).groups.map { entropy($0.arrows.map { beta[$0.index] }) }
        return edges.reduce(0, +) / Double(edges.count) + groups.reduce(0, +) / Double(groups.count)
    }

    @Test("Its value and gradients are those of the entropies, and its weight grows from 0")
    func equation() {
        let (edges, arrows) = (configuration.operatorShape[0], configuration.arrowShape[0])
        var random = SplitMix(state: 4)
        func draw(_ count: Int) -> [Double] { (0..<count).map { _ in Double(random.next() >> 11) * 0x1p-53 * 4 - 2 } }
        let (alpha, beta) = (draw(edges * 8), draw(arrows))
        let a = Tensor(alpha, shape: [edges, 8])
        let b = Tensor(beta, shape: [arrows])
        a.requiresGrad = true
        b.requiresGrad = true
        let softmax = ArchitectureSoftmax(configuration, device: .cpu)
        let penalty = EntropyPenalty(configuration, weight: 3, from: 10)
        func value(at index: Int) -> Tensor {
            penalty(
                softmax(operators: a, arrows: b),
                at: SearchStep(index: index, total: 21, turn: .architecture))
        }
        #expect(value(at: 10).doubles() == [0])
        #expect(abs(value(at: 15).doubles()[0] - 1.5 * literal(alpha, beta)) < 1e-9)
        let last = value(at: 20)
        #expect(abs(last.doubles()[0] - 3 * literal(alpha, beta)) < 1e-9)
        let found = gradients(of: last, withRespectTo: [a, b]).map { $0?.doubles() ?? [] }
        func difference(_ values: [Double], _ place: Int, _ function: ([Double]) -> Double) -> Double {
            var (up, down) = (values, values)
            up[place] += 1e-5
            down[place] -= 1e-5
            return 3 * (function(up) - function(down)) / 2e-5
        }
        for place in stride(from: 0, to: alpha.count, by: 5) {
            let wanted = difference(alpha, place) { literal($0, beta) }
            #expect(abs(found[0][place] - wanted) < 1e-7)
        }
        for place in beta.indices {
            let wanted = difference(beta, place) { literal(alpha, $0) }
            #expect(abs(found[1][place] - wanted) < 1e-7)
        }
    }
}
