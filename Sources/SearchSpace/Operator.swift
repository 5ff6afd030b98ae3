/// An operator on an edge of the cell, in the order in which alpha's columns are numbered.
public enum Operator: String, CaseIterable, Codable, Hashable, Sendable {
    /// Twice: ReLU, depthwise 3x3, pointwise, batch norm.
    case separable3x3
    /// Twice: ReLU, depthwise 5x5, pointwise, batch norm.
    case separable5x5
    /// ReLU, 3x3 convolution with rate 2, batch norm.
    case atrous3x3
    /// ReLU, 5x5 convolution with rate 2, batch norm.
    case atrous5x5
    /// Average over 3x3, padding not counted.
    case averagePool3x3
    /// Maximum over 3x3.
    case maxPool3x3
    /// The identity.
    case skip
    /// Zero: no connection.
    case none

    /// The operator's number, 0 to 7: its column in alpha.
    public var index: Int {
        switch self {
        case .separable3x3: 0
        case .separable5x5: 1
        case .atrous3x3: 2
        case .atrous5x5: 3
        case .averagePool3x3: 4
        case .maxPool3x3: 5
        case .skip: 6
        case .none: 7
        }
    }

    /// The side of the window, or nil where the operator has none.
    public var kernelSize: Int? {
        switch self {
        case .separable3x3, .atrous3x3, .averagePool3x3, .maxPool3x3: 3
        case .separable5x5, .atrous5x5: 5
        case .skip, .none: nil
        }
    }

    /// Whether this is a depthwise-separable convolution.
    public var isSeparable: Bool { self == .separable3x3 || self == .separable5x5 }

    /// Whether this is an atrous convolution.
    public var isAtrous: Bool { self == .atrous3x3 || self == .atrous5x5 }

    /// Whether this is a pooling operator.
    public var isPool: Bool { self == .averagePool3x3 || self == .maxPool3x3 }
}
