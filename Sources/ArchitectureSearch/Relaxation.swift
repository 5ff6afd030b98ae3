import Networks
import SearchSpace
import Torch

/// A continuous form of the choice of an architecture: parameters that gradient descent moves, and the weights that the
/// supernet gets from them (paper 4.1; the paper's own is ``SoftmaxRelaxation``).
///
/// It is made at a place in the store of the supernet's variables. What it keeps there, parameters of the kind
/// `ParameterKind.architecture` and buffers, goes through checkpoints; it needs no other state, since
/// ``weights(at:)`` is told the step, from which temperatures and noise follow.
public protocol Relaxation {
    /// The weights of one pass in a step, through which gradients reach the parameters.
    func weights(at step: SearchStep) -> ArchitectureWeights

    /// The weights without noise: for validation, the log and decoding.
    var weights: ArchitectureWeights { get }
}

/// Where a search is when it asks for weights.
public struct SearchStep: Hashable, Sendable {
    /// Which of the two optimizers the pass is for.
    public enum Turn: Sendable {
        /// The supernet's weights, on half A.
        case weights
        /// The architecture's parameters, on half B.
        case architecture
    }

    /// Steps done before.
    public var index: Int
    /// Steps of the whole search.
    public var total: Int
    /// Whose turn it is.
    public var turn: Turn
    /// The search's seed.
    public var seed: UInt64

    /// A seed that no other pass of the search has, the same in all processes and when the search goes on.
    public var noiseSeed: UInt64 {
        (seed &* 0x9E37_79B9_7F4A_7C15) &+ 2 &* UInt64(truncatingIfNeeded: index) &+ (turn == .weights ? 0 : 1)
    }

    /// A step of a search.
    public init(index: Int, total: Int, turn: Turn, seed: UInt64 = 0) {
        self.index = index
        self.total = total
        self.turn = turn
        self.seed = seed
    }
}

/// A term that the architecture's step adds to its loss: the expected cost of what is searched, for example.
///
/// What it keeps lies in the store at its place, as for ``Relaxation``.
public protocol ArchitecturePenalty {
    /// The term, a scalar, through which gradients reach the weights.
    func callAsFunction(_ weights: ArchitectureWeights, at step: SearchStep) -> Tensor
}

/// Reads a discrete network out of the weights.
public protocol GenotypeDecoder {
    /// The network that the weights speak for.
    func decode(_ table: ArchitectureTable, of supernet: SupernetConfiguration) -> Genotype
}

/// Argmax in each cell, Viterbi's algorithm for the path (paper 4.3, ALGORITHM 6), and the long skips whose gates are more
/// open than shut.
public struct ViterbiDecoder: GenotypeDecoder {
    private let path: PathDecoding

    /// The paper's decoder, or one whose paths are weighed otherwise.
    public init(path: PathDecoding = .probability) { self.path = path }

    /// The strongest cell and the most probable path with its long skips.
    public func decode(_ table: ArchitectureTable, of supernet: SupernetConfiguration) -> Genotype {
        let space = NetworkSpace(layers: supernet.layers)
        let path = decodePath(outgoing: table.arrows, space: space, by: self.path)
        return Genotype(
            path: path, skips: table.gates.map { space.longSkips(along: path, gates: $0) },
            cell: decodeCell(alpha: table.operators, space: CellSpace(blocks: supernet.blocks)),
            atrous: supernet.atrous, stem: supernet.stem)
    }
}

/// The parts of a search that can be replaced; those of the paper unless said otherwise.
public struct SearchMethod {
    /// Makes the relaxation, whose variables lie at the path; nil takes ``SoftmaxRelaxation`` as the search's settings have it.
    public var relaxation: ((Path, SupernetConfiguration) -> any Relaxation)?
    /// Makes the architecture's penalty, whose variables lie at the path; nil for none.
    public var penalty: ((Path, SupernetConfiguration) -> any ArchitecturePenalty)?
    /// Reads the network that a search ends with; nil takes ``ViterbiDecoder`` as the search's settings have it.
    public var decoder: (any GenotypeDecoder)?

    /// The paper's method.
    public init() {}
}
