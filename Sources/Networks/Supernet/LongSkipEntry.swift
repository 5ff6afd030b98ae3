import SearchSpace
import Torch

/// The long skip into the cell of an arrow that moves up: earlier maps at the cell's stride beside H^{l-2} (ALGORITHM 11).
final class LongSkipEntry {
    /// The gate that it goes through.
    let gate: LongSkipGate
    private let start: Int
    private let entry: CellEntry

    /// - Parameters:
    ///   - path: Where the variables are named.
    ///   - gate: The arrow's gate.
    ///   - space: The network, whose gates' values come one behind the other.
    ///   - configuration: The supernet's shape.
    init(_ path: Path, gate: LongSkipGate, space: NetworkSpace, configuration: SupernetConfiguration) {
        self.gate = gate
        start = space.longSkipGates[..<gate.index].reduce(0) { $0 + 1 + $1.sources.count }
        let node = gate.arrow.target
        let source = SecondInput(layer: gate.sources.upperBound - 1, stride: node.stride.rawValue, factor: 1)
        entry = CellEntry(path, second: source, node: node, configuration: configuration)
    }

    /// - Parameters:
    ///   - second: H^{l-2} as it has entered, `[N, C, H, W]`.
    ///   - maps: The gate's sources.
    ///   - weights: What ``LongSkipWeights`` gives.
    ///   - size: Height and width of the cell's maps.
    ///   - mode: How to normalise.
    /// - Returns: What the cell reads in place of `second`.
    func callAsFunction(
        _ second: Tensor, maps: [Tensor], weights: Tensor, size: (height: Int, width: Int), mode: NormalizationMode
    ) -> Tensor {
        let weighed = maps.enumerated().map { index, map in map * weights.select(0, start + 1 + index) }
        let mixed = weighed.dropFirst().reduce(weighed[0]) { $0 + $1 }
        let share = weights.select(0, start)
        return second * (1 - share) + entry(mixed, size: size, mode: mode) * share
    }

    /// What the cell reads where the gate is open and all paths come from one source.
    func alone(_ map: Tensor, size: (height: Int, width: Int), mode: NormalizationMode) -> Tensor {
        entry(map, size: size, mode: mode)
    }
}
