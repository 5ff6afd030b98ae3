/// An operator on an edge of the cell, in the order in which alpha's columns are numbered.
///
/// Here is all that tells operators of one kind apart; what a kind computes is said by ``Form``, whose cases everything
/// else goes through. Operators that compute something come first, then `skip`, then `none`: the supernet's sum over
/// alpha's columns is laid out so.
public enum Operator: String, CaseIterable, Hashable, Sendable {
    /// Two separable convolutions, 3x3.
    case separable3x3
    /// Two separable convolutions, 5x5.
    case separable5x5
    /// An atrous convolution, 3x3 with rate 2.
    case atrous3x3
    /// An atrous convolution, 5x5 with rate 2.
    case atrous5x5
    /// The average over 3x3.
    case averagePool3x3
    /// The maximum over 3x3.
    case maxPool3x3
    /// The identity.
    case skip
    /// Zero: no connection.
    case none

    /// What an operator computes, and with which numbers.
    public enum Form: Hashable, Sendable {
        /// Twice: ReLU, depthwise convolution, pointwise convolution, batch norm.
        case separable(kernel: Int)
        /// ReLU, a convolution with a rate, batch norm.
        case atrous(kernel: Int, rate: Int)
        /// The average or the maximum of each window.
        case pool(Pool, kernel: Int)
        /// The identity.
        case skip
        /// Zero: no connection.
        case none
    }

    /// What is taken of a window.
    public enum Pool: Hashable, Sendable {
        /// The mean; padding is not counted.
        case average
        /// The largest value.
        case maximum
    }

    /// What the operator computes.
    public var form: Form {
        switch self {
        case .separable3x3: .separable(kernel: 3)
        case .separable5x5: .separable(kernel: 5)
        case .atrous3x3: .atrous(kernel: 3, rate: 2)
        case .atrous5x5: .atrous(kernel: 5, rate: 2)
        case .averagePool3x3: .pool(.average, kernel: 3)
        case .maxPool3x3: .pool(.maximum, kernel: 3)
        case .skip: .skip
        case .none: .none
        }
    }

    /// The operator's number, from 0: its column in alpha.
    public var index: Int { Operator.allCases.prefix { $0 != self }.count }

    /// The side of the window, or nil where the operator has none.
    public var kernelSize: Int? {
        switch form {
        case .separable(let kernel), .atrous(let kernel, _), .pool(_, let kernel): kernel
        case .skip, .none: nil
        }
    }

    /// Whether drop path acts on the operator in training: on all but skips (strided ones included) and those that give
    /// nothing.
    public var isDroppable: Bool {
        switch form {
        case .separable, .atrous, .pool: true
        case .skip, .none: false
        }
    }
}
