import Torch

extension [Variable] {
    /// Copies of the values as they are now.
    func copiedValues() -> [Tensor] {
        withoutGradients { map { $0.tensor.detach().clone() } }
    }

    /// Overwrites the values by others of the same shapes, in the same order.
    func assign(_ values: [Tensor]) {
        withoutGradients { for (variable, value) in zip(self, values) { variable.tensor.copy(from: value) } }
    }

    /// Does something that may change the values, which come back after it.
    func restoringValues<Value>(after body: () throws -> Value) rethrows -> Value {
        let values = copiedValues()
        defer { assign(values) }
        return try body()
    }
}
