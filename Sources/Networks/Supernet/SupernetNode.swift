import SearchSpace
import Torch

/// One layer at one resolution: a cell for each arrow that enters, weighed by beta (paper equation 6).
final class SupernetNode {
    let node: Node
    let arrows: [Arrow]
    let second: SecondInput
    private let entries: [CellEntry]
    private let secondEntries: [CellEntry]
    private let cells: [RelaxedCell]
    /// The long skip of the last arrow, which comes from the next coarser stride; nil where it has none.
    private let longSkip: LongSkipEntry?

    init(
        _ path: Path, node: Node, space: NetworkSpace, device: Device, configuration: SupernetConfiguration
    ) {
        self.node = node
        arrows = space.arrows(into: node)
        second = space.secondInput(of: node)
        let channels = configuration.blockChannels(stride: node.stride.rawValue)
        func place(_ arrow: Arrow) -> Path { path / "from\(arrow.source.stride.rawValue)" }
        let gate = configuration.longSkips ? space.longSkipGates.first { $0.arrow.target == node } : nil
        entries = arrows.map { CellEntry(place($0) / "entry", arrow: $0, configuration: configuration) }
        switch configuration.cells {
        case .perNode:
            secondEntries = [
                CellEntry(path / "entry2", second: second, node: node, configuration: configuration)
            ]
            cells = [
                RelaxedCell(
                    path / "cell", channels: channels, groups: arrows.count, hasOwnSecond: gate != nil, device: device,
                    configuration: configuration)
            ]
        case .perArrow:
            let second = second
            secondEntries = arrows.map {
                CellEntry(place($0) / "entry2", second: second, node: node, configuration: configuration)
            }
            cells = arrows.map {
                RelaxedCell(
                    place($0) / "cell", channels: channels, groups: 1, device: device, configuration: configuration)
            }
        }
        longSkip = gate.map {
            LongSkipEntry(place($0.arrow) / "longSkip", gate: $0, space: space, configuration: configuration)
        }
    }

    /// The gate of the node's long skip; nil where it has none.
    var gate: LongSkipGate? { longSkip?.gate }

    /// - Parameters:
    ///   - h1: The maps that the arrows come from, in the arrows' order.
    ///   - h2: The map that serves as H^{l-2}.
    ///   - alpha: Softmaxed weights `[edges, 8]`.
    ///   - beta: The arrows' probabilities `[arrows of the network]`.
    ///   - longSkip: The gate's sources, and what ``LongSkipWeights`` gives; nil where the node has no gate.
    ///   - size: Height and width of the node's maps.
    ///   - mode: How to normalise.
    /// - Returns: `[N, B * C, H, W]`.
    func callAsFunction(
        h1: [Tensor], h2: Tensor, alpha: Tensor, beta: Tensor, longSkip: (maps: [Tensor], weights: Tensor)? = nil,
        size: (height: Int, width: Int), mode: NormalizationMode
    ) -> Tensor {
        let entered = zip(entries, h1).map { $0($1, size: size, mode: mode) }
        var entered2 = secondEntries.map { $0(h2, size: size, mode: mode) }
        if let entry = self.longSkip, let longSkip {
            let own = entry(
                entered2[entered2.count - 1], maps: longSkip.maps, weights: longSkip.weights, size: size, mode: mode)
            if cells.count == arrows.count { entered2.removeLast() }
            entered2.append(own)
        }
        let outputs: Tensor
        if cells.count == entered.count {
            outputs = joined(zip(cells, zip(entered, entered2)).map { $0($1.0, $1.1, alpha: alpha, mode: mode) })
        } else {
            outputs = cells[0](joined(entered), joined(entered2), alpha: alpha, mode: mode)
        }
        return weighed(outputs, by: beta.narrow(0, start: arrows[0].index, length: arrows.count))
    }

    private func joined(_ maps: [Tensor]) -> Tensor { maps.count == 1 ? maps[0] : concatenate(maps, dim: 0) }

    /// Sums `[A * N, M, H, W]` over the arrows: a product of one row of betas with a matrix of A rows.
    private func weighed(_ outputs: Tensor, by beta: Tensor) -> Tensor {
        let shape = outputs.shape
        let images = shape[0] / arrows.count
        let rows = outputs.permute([0, 2, 3, 1]).reshape([arrows.count, -1])
        return beta.reshape([1, -1]).matmul(rows).reshape([images, shape[2], shape[3], shape[1]])
            .permute([0, 3, 1, 2])
    }
}
