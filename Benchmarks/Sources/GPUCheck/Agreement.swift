import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import StepCases
import Torch

/// Outputs, loss and gradients of one network on one device, as plain numbers.
struct Pass {
    var scores: [Float]
    var loss: Double
    var gradients: [String: [Float]]
}

/// How far two passes lie apart.
struct Difference: Codable {
    var name: String
    /// Norm of the scores' difference, of the scores' own.
    var scores: Double
    /// The loss's difference, of the loss.
    var loss: Double
    /// Norm of the difference of all gradients together, of their own.
    var gradients: Double
    /// The same of the one that differs most among those of a thousandth of the largest norm and more.
    var worst: Double
    var worstName: String
    /// Bounds of scores, loss and gradients.
    var allowed: [Double]

    /// Whether bounds of scores and gradients exclude numbers that have nothing to do with each other.
    ///
    /// Those of a deep network with fresh weights do not in bfloat16: what is told is told by its loss alone.
    var isTelling: Bool { allowed[0] < 1 && allowed[2] < 1 }

    var isAllowed: Bool { scores <= allowed[0] && loss <= allowed[1] && gradients <= allowed[2] }

    init(_ name: String, _ pass: Pass, from reference: Pass, allowed: [Double]) {
        self.name = name
        self.allowed = allowed
        scores = relative(pass.scores, reference.scores)
        loss = abs(pass.loss - reference.loss) / abs(reference.loss)
        let names = reference.gradients.keys.sorted()
        func all(_ pass: Pass) -> [Float] { names.flatMap { pass.gradients[$0] ?? [] } }
        gradients = relative(all(pass), all(reference))
        let largest = reference.gradients.values.map(norm).max() ?? 0
        (worst, worstName) = (0, "")
        for name in names {
            guard let own = reference.gradients[name], norm(own) > 1e-3 * largest else { continue }
            let difference = relative(pass.gradients[name] ?? [], own)
            // NaN is the worst of all.
            if !(difference <= worst) { (worst, worstName) = (difference, name) }
        }
    }
}

private func norm(_ values: [Float]) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() }

/// Infinite where there are not as many values.
private func relative(_ values: [Float], _ reference: [Float]) -> Double {
    guard values.count == reference.count else { return .infinity }
    return norm(zip(values, reference).map { $0 - $1 }) / norm(reference)
}

/// Passes of the supernet and of the published network, whose weights and images are the same on every device.
enum Network: String, CaseIterable {
    case supernetWeights = "supernet, weights"
    case supernetArchitecture = "supernet, architecture"
    case discrete = "published network"

    /// - Parameters:
    ///   - device: Where to compute.
    ///   - bfloat16: Whether convolutions compute in bfloat16.
    ///   - roundsWeights: Whether the weights are rounded to bfloat16 first, and all else is computed in float32.
    /// - Returns: The pass.
    func pass(on device: Device, bfloat16: Bool = false, roundsWeights: Bool = false) -> Pass {
        let size = 129
        let draws = Generator(seed: 2)
        let images = Tensor.uniform([2, 3, size, size], from: -1, to: 1, generator: draws).to(device)
        let labels = Tensor.uniform([2, size, size], from: 0, to: 5, generator: draws).floor().to(.int64).to(device)
        let store = VariableStore(generator: Generator(seed: 1), device: device)
        func round() {
            guard roundsWeights else { return }
            withoutGradients {
                for variable in store.parameters {
                    variable.tensor.copy(from: variable.tensor.to(.bfloat16).to(.float32))
                }
            }
        }
        let scores: Tensor
        let parameters: [Variable]
        switch self {
        case .discrete:
            guard let genotype = try? KnownDesign.autoDeepLab.genotype(layers: 12) else {
                preconditionFailure("the published network has 12 layers")
            }
            let network = DiscreteNetwork(genotype, DiscreteConfiguration(classes: 5), store: store)
            round()
            scores = withBFloat16(bfloat16, on: device) { network(images, mode: .training) }
            parameters = store.parameters
        case .supernetWeights, .supernetArchitecture:
            var configuration = SupernetConfiguration(classes: 5)
            configuration.layers = 6
            configuration.filters = 4
            let relaxation = SoftmaxRelaxation(store.root / "architecture", configuration)
            let supernet = Supernet(configuration, store: store)
            let isArchitecture = self == .supernetArchitecture
            round()
            scores = withBFloat16(bfloat16, on: device) {
                supernet(
                    images, weights: relaxation.weights, mode: isArchitecture ? .batchStatistics : .training)
            }
            parameters = isArchitecture ? store.architecture : store.weights
        }
        let loss = crossEntropy(scores, labels: labels)
        let found = gradients(of: loss, withRespectTo: parameters.map(\.tensor))
        var byName: [String: [Float]] = [:]
        for (parameter, gradient) in zip(parameters, found) { byName[parameter.name] = gradient?.floats() ?? [] }
        return Pass(scores: scores.floats(), loss: loss.item(), gradients: byName)
    }

    /// Against the processor in float32.
    ///
    /// bfloat16 has 8 bits, and a network that normalises by few pixels makes much of the last one: it may be as far off as
    /// four times what rounding the weights alone does to float32. That tells a wrong kernel from a right one.
    func differences(on device: Device) -> [Difference] {
        let reference = pass(on: .cpu)
        let rounded = Difference("", pass(on: .cpu, roundsWeights: true), from: reference, allowed: [])
        let allowed = [max(0.02, 4 * rounded.scores), max(0.01, 4 * rounded.loss), max(0.1, 4 * rounded.gradients)]
        return [
            Difference(
                "\(rawValue), float32", pass(on: device), from: reference, allowed: [1e-3, 1e-4, 1e-2]),
            Difference("\(rawValue), bfloat16", pass(on: device, bfloat16: true), from: reference, allowed: allowed),
        ]
    }
}
