import Torch

/// Copies of what a step changes, made before it, so that a step which turns out to be unusable leaves nothing behind.
struct StateSnapshot {
    private let originals: [Tensor]
    private let copies: [Tensor]
    private let optimizer: (kept: any Optimizer, state: [String: Tensor])?

    /// Copies the variables, and the optimizer's state where one is given.
    init(of variables: [Variable], optimizer: (any Optimizer)? = nil) {
        originals = variables.map(\.tensor)
        copies = withoutGradients { variables.map { $0.tensor.detach().clone() } }
        self.optimizer = optimizer.map { optimizer in
            (optimizer, withoutGradients { optimizer.state.mapValues { $0.clone() } })
        }
    }

    /// Puts everything back as it was.
    func restore() throws {
        withoutGradients { for (tensor, copy) in zip(originals, copies) { tensor.copy(from: copy) } }
        try optimizer.map { try $0.kept.load($0.state) }
    }
}
