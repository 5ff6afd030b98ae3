/// What the cell of a searched decoder does with a map, in the order of the published numbers (arXiv 1810.10804).
///
/// Channels and size stay as they are. What an operation computes is said by ``Form``, whose cases everything else goes
/// through.
public enum DecoderOperation: String, CaseIterable, Hashable, Sendable {
    /// A convolution, 1x1.
    case conv1x1
    /// A convolution, 3x3.
    case conv3x3
    /// Separable convolutions, 3x3.
    case separable3x3
    /// Separable convolutions, 5x5.
    case separable5x5
    /// The mean of the map, a 1x1 convolution of it, and as many pixels of that as the map has.
    case globalPool
    /// A convolution, 3x3 with rate 3.
    case conv3x3Rate3
    /// A convolution, 3x3 with rate 12.
    case conv3x3Rate12
    /// Separable convolutions, 3x3 with rate 3.
    case separable3x3Rate3
    /// Separable convolutions, 5x5 with rate 6.
    case separable5x5Rate6
    /// The identity.
    case skip
    /// Zeros.
    case none

    /// What an operation computes, and with which numbers.
    public enum Form: Hashable, Sendable {
        /// A convolution, batch norm, ReLU.
        case conv(kernel: Int, rate: Int)
        /// Once or several times: depthwise convolution, 1x1 convolution, batch norm, ReLU.
        case separable(kernel: Int, rate: Int)
        /// The mean over all pixels, 1x1 convolution, batch norm, ReLU, spread over all pixels again.
        case globalPool
        /// The identity.
        case skip
        /// Zeros.
        case none
    }

    /// What the operation computes.
    public var form: Form {
        switch self {
        case .conv1x1: .conv(kernel: 1, rate: 1)
        case .conv3x3: .conv(kernel: 3, rate: 1)
        case .separable3x3: .separable(kernel: 3, rate: 1)
        case .separable5x5: .separable(kernel: 5, rate: 1)
        case .globalPool: .globalPool
        case .conv3x3Rate3: .conv(kernel: 3, rate: 3)
        case .conv3x3Rate12: .conv(kernel: 3, rate: 12)
        case .separable3x3Rate3: .separable(kernel: 3, rate: 3)
        case .separable5x5Rate6: .separable(kernel: 5, rate: 6)
        case .skip: .skip
        case .none: .none
        }
    }

    /// The operation's published number, from 0.
    public var index: Int { DecoderOperation.allCases.prefix { $0 != self }.count }
}
