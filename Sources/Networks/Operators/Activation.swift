import Torch

/// What a unit does to each value at its end.
package enum Activation: Hashable, Sendable {
    /// The larger of 0 and the value.
    case relu
    /// As ``relu``, and at most 6.
    case relu6

    /// The same as a part of the normalisation before it.
    var fused: FusedActivation {
        switch self {
        case .relu: .relu
        case .relu6: .relu6
        }
    }

    /// Applies it on a map's own memory.
    func inPlace(_ x: Tensor) {
        switch self {
        case .relu: x.reluInPlace()
        case .relu6: x.relu6InPlace()
        }
    }
}
