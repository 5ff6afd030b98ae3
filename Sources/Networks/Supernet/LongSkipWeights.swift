import SearchSpace
import Torch

/// What the long skips of the relaxed network weigh (ALGORITHM 11), by the chances of paths under beta.
///
/// At a gate on the arrow from 2s to s into layer l, let pi_j be the chance that a path which is at 2s in layer l-1 was
/// last at s in layer j. The discrete network can have a long skip where j < l-2, and reads H^{l-2} anyway where j = l-2.
/// So a gate that is open by g lets through g times the chance of j < l-2, and of the maps their shares in that chance.
package final class LongSkipWeights {
    private let gates: [LongSkipGate]
    private let layers: Int
    /// For each layer and two levels the place of the arrow among the arrows' probabilities, or behind them.
    private let places: Tensor
    /// All paths are at stride 4 in layer 0, `[1, levels]`.
    private let stem: Tensor
    /// For each level ones at the coarser ones, `[1, levels]`.
    private let coarser: [Tensor]

    package init(_ space: NetworkSpace, dtype: DType, device: Device) {
        gates = space.longSkipGates
        layers = space.layers
        let levels = Stride.allCases.count
        var places = [Int64](repeating: Int64(space.arrows.count), count: layers * levels * levels)
        for arrow in space.arrows {
            let row = arrow.source.layer * levels + arrow.source.stride.level
            places[row * levels + arrow.target.stride.level] = Int64(arrow.index)
        }
        self.places = Tensor(places, shape: [places.count], device: device)
        func row(_ isOne: (Int) -> Bool) -> Tensor {
            Tensor((0..<levels).map { isOne($0) ? 1.0 : 0 }, shape: [1, levels]).to(dtype).to(device)
        }
        stem = row { $0 == 0 }
        coarser = (0..<levels).map { level in row { $0 > level } }
    }

    /// - Parameters:
    ///   - arrows: The arrows' probabilities, `[arrows]`.
    ///   - open: How far each gate is open, `[gates]`.
    /// - Returns: For each gate in turn what its long skip weighs, then the shares of its sources.
    package func callAsFunction(arrows: Tensor, open: Tensor) -> Tensor {
        let levels = Stride.allCases.count
        let absent = Tensor.zeros([1], dtype: arrows.dtype, device: arrows.device)
        let moves = concatenate([arrows, absent], dim: 0).indexSelect(0, places).reshape([layers, levels, levels])
        // Where no path leads the chance is 0, and so is what is divided by it.
        let least = Tensor.full(1e-30, [1], dtype: arrows.dtype, device: arrows.device)
        var values: [Tensor] = []
        // The chances of each level in a layer; and for each level, of those that left it after a layer, a row each, and
        // have been at coarser ones since.
        var chances = stem
        var away = [Tensor?](repeating: nil, count: levels)
        for layer in 1...layers {
            for gate in gates where gate.arrow.target.layer == layer {
                let (from, level) = (gate.arrow.source.stride.level, gate.arrow.target.stride.level)
                guard let away = away[level] else { continue }
                let long = away.narrow(0, start: 0, length: gate.sources.count).select(1, from)
                let sum = long.sum([0], keep: true)
                let chance = sum / chances.select(1, from).maximum(least)
                values += [open.narrow(0, start: gate.index, length: 1) * chance, long / sum.maximum(least)]
            }
            // Not by a matrix product, which has fewer digits where convolutions are in bfloat16.
            let move = moves.select(0, layer - 1)
            func moved(_ rows: Tensor) -> Tensor { (rows.unsqueeze(2) * move).sum([1]) }
            for level in 0..<min(layer, levels - 1) {
                let leaving = chances.narrow(1, start: level, length: 1) * move.narrow(0, start: level, length: 1)
                let staying = away[level].map { [moved($0)] } ?? []
                away[level] = concatenate(staying + [leaving], dim: 0) * coarser[level]
            }
            chances = moved(chances)
        }
        return concatenate(values, dim: 0)
    }
}
