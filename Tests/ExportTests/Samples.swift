import Networks
import SearchSpace
import TestSupport
import Torch

extension Genotype {
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

    /// A random valid genotype whose blocks may also give nothing at all.
    static func random(using generator: inout some RandomNumberGenerator) -> Genotype {
        var path: [Stride] = []
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            path.append((path.last ?? .s4).neighbours.randomElement(using: &generator) ?? .s4)
        }
        let blocks = (0..<Int.random(in: 1...5, using: &generator)).map { number in
            let branches = (0..<2).map { _ in
                Branch(
                    input: CellInput(index: Int.random(in: 0..<(number + 2), using: &generator)),
                    op: Operator.allCases.randomElement(using: &generator) ?? .skip)
            }
            return Block(first: branches[0], second: branches[1])
        }
        return Genotype(path: path, cell: Cell(blocks: blocks))
    }
}

/// A small seeded generator (SplitMix64), so that random tests repeat.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Draws a class layer anew: untrained, scores would be its bias, whatever comes before it.
func drawClassLayer(of network: SegmentationNetwork) {
    guard let weight = network.store.state["decoder.logits.weight"],
        let bias = network.store.state["decoder.logits.bias"]
    else { return }
    withoutGradients {
        weight.copy(from: .uniform(weight.shape, from: -1, to: 1, generator: Generator(seed: 4)))
        bias.fill(0)
    }
}

/// A network whose scales, shifts and statistics are random, so that none of them is without effect.
func network(_ description: NetworkDescription, seed: UInt64 = 1) -> SegmentationNetwork {
    let generator = Generator(seed: seed)
    let network = description.network(store: VariableStore(generator: generator))
    withoutGradients {
        for (name, tensor) in network.store.state.sorted(by: { $0.key < $1.key }) where tensor.rank == 1 {
            let isPositive = name.hasSuffix("Variance") || name.hasSuffix("weight")
            tensor.copy(
                from: .uniform(
                    tensor.shape, from: isPositive ? 0.5 : -0.5, to: isPositive ? 1.5 : 0.5, generator: generator))
        }
    }
    return network
}

/// The network of a genotype.
func network(_ genotype: Genotype, _ configuration: DiscreteConfiguration, seed: UInt64 = 1) -> SegmentationNetwork {
    network(.discrete(genotype, configuration), seed: seed)
}

extension EncodedConfiguration {
    /// An encoder with a narrow decoder.
    static func tiny(_ encoder: EncoderKind, _ decoder: DecoderKind) -> EncodedConfiguration {
        var configuration = EncodedConfiguration(encoder, decoder, classes: 5)
        configuration.unetChannels = [8, 6, 5, 4]
        configuration.lightChannels = 6
        configuration.asppChannels = 6
        configuration.decoderChannels = 7
        configuration.lowLevelChannels = 5
        configuration.cellChannels = 5
        return configuration
    }
}

extension DecoderGenotype {
    /// Genotypes that have all operations between them.
    static var everyOperation: [DecoderGenotype] {
        (0..<11).compactMap { number in
            var choices = [3, 0, number % 5, 1, number % 6, 5, number]
            for node in 0..<3 {
                let positions = 3 * node + 2
                choices += [number % positions, (number + 1) % positions]
                choices += [(number + node) % 11, (number + 5) % 11]
            }
            return try? DecoderGenotype(choices: choices)
        }
    }
}

extension DiscreteConfiguration {
    /// A network of a few thousand parameters.
    static func tiny(filters: Int = 4, classes: Int = 5) -> DiscreteConfiguration {
        var configuration = DiscreteConfiguration(filters: filters, classes: classes)
        configuration.stemChannels = [4, 6, 8]
        configuration.asppChannels = 6
        configuration.decoderChannels = 7
        configuration.lowLevelChannels = 5
        return configuration
    }
}
