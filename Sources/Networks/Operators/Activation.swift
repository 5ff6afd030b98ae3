import Torch

/// What a unit does to each value at its end.
package enum Activation: Hashable, Sendable {
    /// The larger of 0 and the value.
    case relu
    /// As ``relu``, and at most 6.
    case relu6

    /// A map after it.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .relu6: x.relu6()
        }
    }

    /// The same on the map's own memory.
    func inPlace(_ x: Tensor) {
        switch self {
        case .relu: x.reluInPlace()
        case .relu6: x.relu6InPlace()
        }
    }
}
