import Torch

/// Copies of what a step changes, made before it, so that a step which turns out to be unusable leaves nothing behind.
struct StateSnapshot {
    private let variables: [Variable]
    private let values: [Tensor]
    private let optimizer: (kept: any Optimizer, state: [String: Tensor])?

    /// Copies the variables, and the optimizer's state where one is given.
    init(of variables: [Variable], optimizer: (any Optimizer)? = nil) {
        self.variables = variables
        values = variables.copiedValues()
        self.optimizer = optimizer.map { optimizer in
            (optimizer, withoutGradients { optimizer.state.mapValues { $0.clone() } })
        }
    }

    /// Puts everything back as it was.
    func restore() throws {
        variables.assign(values)
        try optimizer.map { try $0.kept.load($0.state) }
    }
}
