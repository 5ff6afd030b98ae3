import Foundation
import Torch

/// An exponential moving average of a network's weights and running statistics, which often predicts better than the
/// last step's weights do.
///
///     average <- d average + (1 - d) weights,   d = min(decay, (1 + t) / (10 + t)) after t steps
///
/// The lower d of the beginning keeps the first, random weights from staying in it.
package final class ExponentialMovingAverage {
    /// Share of the old value once many steps are done.
    package let decay: Double
    private let variables: [Variable]
    private let averages: [Tensor]

    /// Begins with the weights as they are.
    package init(of store: VariableStore, decay: Double) {
        self.decay = decay
        let variables = store.parameters + store.buffers
        self.variables = variables
        averages = variables.copiedValues()
    }

    /// Takes the weights in after a step.
    ///
    /// - Parameter step: The steps done before it.
    package func update(step: Int) {
        let decay = min(decay, Double(1 + step) / Double(10 + step))
        withoutGradients {
            for (average, variable) in zip(averages, variables) {
                average.scale(by: decay)
                average.add(variable.tensor, scaled: 1 - decay)
            }
        }
    }

    /// Does something with the averages in the network's place; the weights come back after it.
    package func inPlace<Value>(_ body: () throws -> Value) rethrows -> Value {
        try variables.restoringValues {
            variables.assign(averages)
            return try body()
        }
    }

    /// The averages by their variables' names.
    package var state: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: zip(variables, averages).map { ($0.name, $1) })
    }

    /// Goes on from a saved state.
    ///
    /// - Throws: `TorchError` if it belongs to another network.
    package func load(_ saved: [String: Tensor]) throws {
        for (variable, average) in zip(variables, averages) {
            guard let value = saved[variable.name], value.shape == average.shape else {
                throw TorchError("average of \(variable.name): missing or of another shape")
            }
            withoutGradients { average.copy(from: value) }
        }
    }
}
