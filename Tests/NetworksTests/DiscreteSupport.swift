import Networks
import SearchSpace
import TestSupport
import Torch

extension Genotype {
    /// A random valid genotype: any inputs (equal ones too), any of `operators`, any path.
    static func random(
        seed: UInt64, layers: Int = 6, blocks: Int = 4, operators: [Operator] = Operator.allCases
    ) -> Genotype {
        var random = SplitMix(state: seed)
        var path: [Stride] = []
        for _ in 0..<layers {
            path.append((path.last ?? .s4).neighbours.randomElement(using: &random) ?? .s4)
        }
        func branch(_ block: Int) -> Branch {
            Branch(
                input: CellInput(index: Int.random(in: 0..<(block + 2), using: &random)),
                op: operators.randomElement(using: &random) ?? .skip)
        }
        let cell = Cell(blocks: (0..<blocks).map { Block(first: branch($0), second: branch($0)) })
        return Genotype(path: path, cell: cell)
    }

    /// Every operator on each of H^{l-1}, H^{l-2} and block 1, along a path with all moves.
    static let everything = Genotype(
        path: [.s4, .s8, .s16, .s32, .s32, .s16, .s8],
        cell: Cell(
            blocks: [CellInput.previous, .previous2, .block(1)].flatMap { input in
                let operators = Operator.allCases
                return stride(from: 0, to: operators.count, by: 2).map { first in
                    Block(
                        first: Branch(input: input, op: operators[first]),
                        second: Branch(input: input, op: operators[(first + 1) % operators.count]))
                }
            }))
}

extension DiscreteConfiguration {
    /// Every form of the head at every stride of its scores, in small.
    static var heads: [DiscreteConfiguration] {
        HeadKind.allCases.flatMap { head in
            (head == .plain ? [4] : [4, 2, 1]).map { stride in
                var configuration = tiny()
                configuration.head = head
                configuration.decoderStride = stride
                configuration.fineChannels = 6
                return configuration
            }
        }
    }

    /// ``tiny(filters:classes:)`` with residual connections.
    static var tinyResidual: DiscreteConfiguration {
        var configuration = tiny()
        configuration.residual = true
        return configuration
    }

    /// A network of a few thousand parameters.
    static func tiny(filters: Int = 4, classes: Int = 3) -> DiscreteConfiguration {
        var configuration = DiscreteConfiguration(filters: filters, classes: classes)
        configuration.stemChannels = [4, 6, 8]
        configuration.asppChannels = 6
        configuration.decoderChannels = 7
        configuration.lowLevelChannels = 5
        configuration.batchNormDecay = 0.9
        return configuration
    }
}

/// A network with its own store.
func network(
    _ genotype: Genotype, _ configuration: DiscreteConfiguration = .tiny(), seed: UInt64 = 1, dtype: DType = .float64
) -> DiscreteNetwork {
    DiscreteNetwork(
        genotype, configuration, store: VariableStore(generator: Generator(seed: seed), dtype: dtype))
}

/// Random images with values of the right range.
func images(_ shape: [Int], seed: UInt64 = 7, dtype: DType = .float64) -> Tensor {
    .uniform(shape, from: -1, to: 1, generator: Generator(seed: seed), dtype: dtype)
}

/// Makes all vectors (scales, shifts, statistics) random, so that none of them is without effect.
func randomizeVectors(of store: VariableStore, seed: UInt64) {
    let generator = Generator(seed: seed)
    withoutGradients {
        for (name, tensor) in store.state.sorted(by: { $0.key < $1.key }) where tensor.rank == 1 {
            let isPositive = name.hasSuffix("Variance") || name.hasSuffix("weight")
            tensor.copy(
                from: .uniform(
                    tensor.shape, from: isPositive ? 0.5 : -0.5, to: isPositive ? 1.5 : 0.5, generator: generator,
                    dtype: tensor.dtype))
        }
    }
}

/// The largest difference, as a share of the largest value.
func relativeDifference(_ a: Tensor, _ b: Tensor) -> Double {
    precondition(a.shape == b.shape, "\(a.shape) and \(b.shape)")
    let (left, right) = (a.doubles(), b.doubles())
    let scale = (left + right).map { $0.magnitude }.max() ?? 0
    let difference = zip(left, right).map { ($0 - $1).magnitude }.max() ?? 0
    // max() passes over NaN, which must not count as equal.
    guard (left + right).allSatisfy(\.isFinite) else { return .infinity }
    return difference / max(scale, 1e-300)
}
