import Foundation
import SearchSpace
import Torch

extension ParameterKind {
    /// A parameter of a controller, which proposes networks.
    public static let controller = ParameterKind(rawValue: "controller")
}

/// A policy over sequences of choices: a recurrent network with a linear layer for each head (arXiv 1810.10804, ALGORITHM 15).
///
/// The first input is learned. What later ones are says the feedback. All parameters begin uniformly within ±0.1.
public struct Controller {
    /// The choices that it makes.
    public let sequence: ChoiceSequence
    /// What it is fed after a choice.
    public let feedback: ControllerFeedback
    private let memory: LSTM
    private let first: Tensor
    private let heads: [String: (weight: Tensor, bias: Tensor)]
    /// `[alternatives, hidden]` for each head; empty where outputs are fed back.
    private let embeddings: [String: Tensor]

    /// Makes the variables.
    ///
    /// - Parameters:
    ///   - sequence: The choices.
    ///   - feedback: What it is fed after a choice.
    ///   - hidden: Values of the recurrent network's inputs and outputs.
    ///   - layers: Layers of the recurrent network.
    ///   - path: Where they are.
    public init(
        _ sequence: ChoiceSequence, feedback: ControllerFeedback = .published, hidden: Int = 100, layers: Int = 2,
        at path: Path
    ) {
        let initializer = Initializer.uniform(0.1)
        func parameter(_ place: Path, _ name: String, _ shape: [Int]) -> Tensor {
            place.parameter(name, shape: shape, initializer: initializer, kind: .controller)
        }
        self.sequence = sequence
        self.feedback = feedback
        memory = LSTM(
            hidden: hidden, layers: layers, initializer: initializer, kind: .controller, at: path / "memory")
        first = parameter(path, "first", [1, hidden])
        var heads: [String: (Tensor, Tensor)] = [:]
        var embeddings: [String: Tensor] = [:]
        for head in sequence.heads {
            let place = path / "head" / head.head
            heads[head.head] = (
                parameter(place, "weight", [head.count, hidden]), parameter(place, "bias", [head.count])
            )
            if feedback == .autoregressive {
                embeddings[head.head] = parameter(place, "embedding", [head.count, hidden])
            }
        }
        self.heads = heads
        self.embeddings = embeddings
    }

    /// What the policy says of one sequence of choices.
    public struct Judgement {
        /// The choices.
        public let choices: [Int]
        /// Logarithm of their probability, a scalar with gradients.
        public let logProbability: Tensor
        /// Of each choice the logarithms of all alternatives' probabilities, `[1, alternatives]`.
        fileprivate let distributions: [Tensor]

        /// Sum over the choices of the entropy that each had, in nats; a scalar with gradients.
        public var entropy: Tensor {
            let terms = distributions.map { ($0.exp() * $0).sum([1], keep: true) }
            return -concatenate(terms, dim: 1).sum()
        }
    }

    /// Judges choices that were made.
    ///
    /// - Parameter choices: Choices that the sequence accepts.
    /// - Returns: What the policy says of them.
    public func judge(_ choices: [Int]) -> Judgement {
        precondition(sequence.accepts(choices), "\(choices) are no choices of the sequence")
        return walk { place, _, _ in choices[place] }
    }

    /// Draws choices.
    ///
    /// - Parameter uniform: Gives numbers from 0 up to, not including, 1.
    /// - Returns: The choices, with what the policy says of them.
    public func sample(_ uniform: () -> Double) -> Judgement {
        walk { _, legal, logProbabilities in
            let weights = zip(logProbabilities.detach().doubles(), legal).map { $1 && !$0.isNaN ? exp($0) : 0 }
            // Parameters that a damaged file could hold are no reason to stop.
            return Controller.index(uniform(), weights.contains { $0 > 0 } ? weights : legal.map { $0 ? 1 : 0 })
        }
    }

    /// Draws choices each of which is equally likely among those that are legal.
    ///
    /// - Parameter uniform: Gives numbers from 0 up to, not including, 1.
    /// - Returns: The choices, with what the policy says of them.
    public func sampleUniformly(_ uniform: () -> Double) -> Judgement {
        walk { _, legal, _ in Controller.index(uniform(), legal.map { $0 ? 1 : 0 }) }
    }

    /// Where a share of the sum of weights falls; never on a weight of 0.
    private static func index(_ share: Double, _ weights: [Double]) -> Int {
        var rest = share * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() where weight > 0 {
            if rest < weight { return index }
            rest -= weight
        }
        return weights.lastIndex { $0 > 0 } ?? 0
    }

    /// Goes through all choices; `choose` is told the place, what is legal there, and the logarithms of the probabilities.
    private func walk(_ choose: (Int, [Bool], Tensor) -> Int) -> Judgement {
        var pass = memory.pass()
        var input = first
        for _ in 0..<sequence.warmUp { input = pass.step(input) }
        var choices: [Int] = []
        var (chosen, distributions): ([Tensor], [Tensor]) = ([], [])
        for (place, choice) in sequence.choices.enumerated() {
            let output = pass.step(input)
            guard let head = heads[choice.head] else { preconditionFailure("no head \(choice.head)") }
            var logits = output.matmul(head.weight.transpose(0, 1)) + head.bias
            let legal = sequence.legal(after: choices)
            if let legal {
                // Not infinite: 0 times infinity in the entropy would be no number.
                let mask = legal.map { $0 ? 0 : -1e9 }
                logits = logits + Tensor(mask, shape: [1, choice.count]).to(logits.dtype)
            }
            let logProbabilities = logits.logSoftmax(1)
            let made = choose(place, legal ?? Array(repeating: true, count: choice.count), logProbabilities)
            choices.append(made)
            chosen.append(logProbabilities.narrow(1, start: made, length: 1))
            distributions.append(logProbabilities)
            input = embeddings[choice.head].map { $0.narrow(0, start: made, length: 1) } ?? output
        }
        return Judgement(
            choices: choices, logProbability: concatenate(chosen, dim: 1).sum(), distributions: distributions)
    }
}
