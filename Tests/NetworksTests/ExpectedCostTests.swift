import ArchitectureSearch
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// The mean cost of the networks that the architecture's weights describe.
@Suite("Expected cost of an architecture")
struct ExpectedCostTests {
    private static let size = (height: 65, width: 97)

    private func cost(
        _ supernet: SupernetConfiguration, _ network: DiscreteConfiguration = .tiny(),
        price: (NetworkOperation) -> Double = { Double($0.cost.multiplyAdds) }
    ) -> ExpectedCost {
        ExpectedCost(
            supernet, network: network, height: Self.size.height, width: Self.size.width, device: .cpu,
            dtype: .float64, prepare: { _ in }, price: price)
    }

    private func weights(_ supernet: SupernetConfiguration, seed: UInt64) -> (alpha: Tensor, beta: Tensor) {
        let generator = Generator(seed: seed)
        return (
            .normal(supernet.operatorShape, generator: generator, dtype: .float64),
            .normal(supernet.arrowShape, generator: generator, dtype: .float64)
        )
    }

    /// All paths of so many layers.
    private func paths(_ layers: Int) -> [[Stride]] {
        (0..<layers).reduce([[]]) { paths, _ in
            paths.flatMap { path in (path.last ?? .s4).neighbours.map { path + [$0] } }
        }
    }

    /// What is counted of a network, but of the image's share in ASPP's projection one pixel, as tensors compute it.
    private func counted(_ genotype: Genotype, _ network: DiscreteConfiguration) -> Double {
        let cost = NetworkDescription.discrete(genotype, network).cost(height: Self.size.height, width: Self.size.width)
        guard let aspp = network.layout(of: genotype).aspp else { return Double(cost.multiplyAdds) }
        let (rows, columns) = (
            scaledSize(Self.size.height, stride: aspp.stride.rawValue),
            scaledSize(Self.size.width, stride: aspp.stride.rawValue)
        )
        return Double(cost.multiplyAdds - aspp.channels * aspp.channels * (rows * columns - 1))
    }

    @Test("It is the mean over all paths and all draws of branches", arguments: [1, 2, 3, 4])
    func brute(layers: Int) {
        let supernet = SupernetConfiguration.tiny(layers: layers, blocks: 1)
        let (alpha, beta) = weights(supernet, seed: UInt64(layers))
        let softmax = ArchitectureSoftmax(supernet, device: .cpu)(operators: alpha, arrows: beta)
        let table = softmax.table
        let space = NetworkSpace(layers: layers)
        let operators = Operator.allCases
        // One block: its edges are H^{l-1} and H^{l-2}.
        let draws = [CellInput.previous, .previous2].enumerated().flatMap { edge, input in
            operators.filter { $0 != .none }.map { (Branch(input: input, op: $0), table.operators[edge][$0.index]) }
        }
        let mass = draws.reduce(0) { $0 + $1.1 }
        for head in [HeadKind.dense, .plain] {
            var network = DiscreteConfiguration.tiny()
            network.head = head
            var mean = 0.0
            for path in paths(layers) {
                let chance = space.arrows(along: path).reduce(1) { $0 * table.arrows[$1.index] }
                for (first, p) in draws {
                    // A cost is a sum over branches, so that each draw may stand for both.
                    let cell = Cell(blocks: [Block(first: first, second: first)])
                    mean += chance * p / mass * counted(Genotype(path: path, cell: cell), network)
                }
            }
            let found = cost(supernet, network)(softmax).item()
            #expect(abs(found / mean - 1) < 1e-10, "\(found), \(mean)")
        }
    }

    @Test("Of weights that are 0 and 1 it is the cost of the network that they say", arguments: 0..<6)
    func oneHot(seed: Int) throws {
        let sampler = try GenotypeSampler(layers: 5, blocks: 3)
        var random = SplitMix(state: UInt64(seed))
        let genotype = sampler.genotype { random.next() }
        let supernet = SupernetConfiguration.tiny(layers: 5, blocks: 3)
        let found = cost(supernet)(ArchitectureWeights(of: genotype, dtype: .float64, device: .cpu)).item()
        #expect(abs(found / counted(genotype, .tiny()) - 1) < 1e-12)
        var onEncoder = supernet
        onEncoder.stem = .encoder(.efficientNetLite0)
        let own = cost(onEncoder)(ArchitectureWeights(of: genotype, dtype: .float64, device: .cpu)).item()
        #expect(abs(own / counted(genotype.on(onEncoder.stem), .tiny()) - 1) < 1e-12 && own != found)
    }

    @Test("Residual connections cost a sum where the network that weights of 0 and 1 say has one")
    func residual() throws {
        func sums(_ operation: NetworkOperation) -> Double {
            if case .add = operation { 1 } else { 0 }
        }
        for path in [[Stride.s4, .s4, .s4], [.s4, .s8, .s8], [.s8, .s16, .s8]] {
            let cell = Cell(blocks: [
                Block(first: .init(input: .previous, op: .skip), second: .init(input: .previous2, op: .skip))
            ])
            let genotype = Genotype(path: path, cell: cell)
            func difference(_ count: (SupernetConfiguration, DiscreteConfiguration) -> Double) -> Double {
                let plain = (SupernetConfiguration.tiny(layers: 3, blocks: 1), DiscreteConfiguration.tiny())
                var residual = plain
                (residual.0.residual, residual.1.residual) = (true, true)
                return count(residual.0, residual.1) - count(plain.0, plain.1)
            }
            let expected = difference { supernet, network in
                cost(supernet, network, price: sums)(ArchitectureWeights(of: genotype, dtype: .float64, device: .cpu))
                    .item()
            }
            let counted = difference { _, network in
                NetworkDescription.discrete(genotype, network).operations(height: 65, width: 97).map(sums).reduce(0, +)
            }
            let staying = zip(path, path.dropFirst()).count { $0 == $1 }
            #expect(counted == Double(staying) && abs(expected - counted) < 1e-9, "\(path): \(expected)")
        }
    }

    @Test("Its gradients are the slopes that central differences find")
    func gradient() {
        let supernet = SupernetConfiguration.tiny(layers: 3, blocks: 2)
        let (alpha, beta) = weights(supernet, seed: 9)
        // Prices of other operations than convolutions count too.
        let own = cost(supernet) { Double($0.key.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) % 97 }) }
        let softmax = ArchitectureSoftmax(supernet, device: .cpu)
        #expect(gradientError([alpha, beta]) { own(softmax(operators: $0[0], arrows: $0[1])) * 1e-3 } < 1e-6)
    }

    @Test("A penalty is a share of what undecided weights cost")
    func penalty() {
        let supernet = SupernetConfiguration.tiny(layers: 3, blocks: 2)
        let cost = ExpectedCost(
            supernet, network: .tiny(), height: 65, width: 97, device: .cpu,
            prepare: { _ in }, price: { Double($0.cost.multiplyAdds) })
        let penalty = PricePenalty(cost, weight: 0.25, of: supernet, device: .cpu)
        let even = ArchitectureSoftmax(supernet, device: .cpu)(
            operators: .zeros(supernet.operatorShape), arrows: .zeros(supernet.arrowShape))
        let step = SearchStep(index: 0, total: 1, turn: .architecture)
        #expect(abs(penalty(even, at: step).item() - 0.25) < 1e-5)
    }
}
