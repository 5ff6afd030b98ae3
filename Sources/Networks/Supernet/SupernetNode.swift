import SearchSpace
import Torch

/// One layer at one resolution: a cell for each arrow that enters, weighed by beta (paper equation 6).
final class SupernetNode {
    let node: Node
    let arrows: [Arrow]
    /// The strides of the maps that serve as H^{l-2}: one, or all where the path may have been.
    let seconds: [Int]
    private let resizes: Bool
    private let entries: [CellEntry]
    /// By arrow, or once for all, and by stride.
    private let secondEntries: [[CellEntry]]
    /// Which of ``seconds`` they read.
    private let reads: [Range<Int>]
    private let cells: [RelaxedCell]
    /// The arrow whose map is added to its cell's output: the one from the node's own stride, in a residual supernet from layer
    /// 2 on.
    private let residual: Int?
    /// The long skip of the last arrow, which comes from the next coarser stride; nil where it has none.
    private let longSkip: LongSkipEntry?

    init(
        _ path: Path, node: Node, space: NetworkSpace, device: Device, configuration: SupernetConfiguration
    ) {
        self.node = node
        arrows = space.arrows(into: node)
        let second = space.secondInput(of: node)
        let resizes = configuration.resizesPrevious
        let seconds = resizes ? space.strides(before: node) : [second.stride]
        self.seconds = seconds
        self.resizes = resizes
        let channels = configuration.blockChannels(stride: node.stride.rawValue)
        func place(_ arrow: Arrow) -> Path { path / "from\(arrow.source.stride.rawValue)" }
        let gate = configuration.longSkips ? space.longSkipGates.first { $0.arrow.target == node } : nil
        entries = arrows.map { CellEntry(place($0) / "entry", arrow: $0, configuration: configuration) }
        func secondEntries(_ path: Path, _ range: Range<Int>) -> [CellEntry] {
            guard resizes else { return [CellEntry(path, second: second, node: node, configuration: configuration)] }
            return seconds[range].map {
                CellEntry(path / "s\($0)", resizedFrom: $0, node: node, configuration: configuration)
            }
        }
        switch configuration.cells {
        case .perNode:
            reads = [seconds.indices]
            self.secondEntries = [secondEntries(path / "entry2", seconds.indices)]
            cells = [
                RelaxedCell(
                    path / "cell", channels: channels, groups: arrows.count,
                    secondGroups: resizes ? arrows.count : gate == nil ? 1 : 2, device: device,
                    configuration: configuration)
            ]
        case .perArrow:
            // The strides from which an arrow's source is reached lie side by side.
            let reads = arrows.map { arrow in
                let own = space.strides(before: arrow)
                let start = seconds.firstIndex { own.contains($0) } ?? 0
                return resizes ? start..<start + own.count : seconds.indices
            }
            self.reads = reads
            self.secondEntries = zip(arrows, reads).map { secondEntries(place($0) / "entry2", $1) }
            cells = arrows.map {
                RelaxedCell(
                    place($0) / "cell", channels: channels, groups: 1, device: device, configuration: configuration)
            }
        }
        residual =
            configuration.residual && node.layer > 1 ? arrows.firstIndex { $0.source.stride == node.stride } : nil
        longSkip = gate.map {
            LongSkipEntry(place($0.arrow) / "longSkip", gate: $0, space: space, configuration: configuration)
        }
    }

    /// The gate of the node's long skip; nil where it has none.
    var gate: LongSkipGate? { longSkip?.gate }

    /// - Parameters:
    ///   - h1: The maps that the arrows come from, in the arrows' order.
    ///   - h2: The maps that serve as H^{l-2}, one a stride of ``seconds``.
    ///   - alpha: Softmaxed weights `[edges, 8]`.
    ///   - beta: The arrows' probabilities `[arrows of the network]`.
    ///   - origins: How likely a path that takes an arrow was at each stride, `[arrows, strides]`; nil for one stride.
    ///   - longSkip: The gate's sources, and what ``LongSkipWeights`` gives; nil where the node has no gate.
    ///   - size: Height and width of the node's maps.
    ///   - mode: How to normalise.
    /// - Returns: `[N, B * C, H, W]`.
    func callAsFunction(
        h1: [Tensor], h2: [Tensor], alpha: Tensor, beta: Tensor, origins: Tensor? = nil,
        longSkip: (maps: [Tensor], weights: Tensor)? = nil, size: (height: Int, width: Int), mode: NormalizationMode
    ) -> Tensor {
        let entered = zip(entries, h1).map { $0($1, size: size, mode: mode) }
        let maps = zip(secondEntries, reads).map { entries, range in
            joined(zip(entries, h2[range]).map { $0($1, size: size, mode: mode) })
        }
        var entered2 = origins.map { mixed(maps, by: $0) } ?? maps
        if let entry = self.longSkip, let longSkip, let last = entered2.popLast() {
            // The last arrow's second input is its own, behind those of the others or the one that they share.
            let images = entered[0].size(0)
            let others = last.size(0) - images
            let own = entry(
                last.narrow(0, start: others, length: images), maps: longSkip.maps, weights: longSkip.weights,
                size: size, mode: mode)
            if others > 0 { entered2.append(last.narrow(0, start: 0, length: others)) }
            if others == 0, cells.count < arrows.count { entered2.append(last) }
            entered2.append(own)
        }
        let outputs: Tensor
        if cells.count == entered.count {
            outputs = joined(zip(cells, zip(entered, entered2)).map { $0($1.0, $1.1, alpha: alpha, mode: mode) })
        } else {
            outputs = cells[0](joined(entered), joined(entered2), alpha: alpha, mode: mode)
        }
        let own = beta.narrow(0, start: arrows[0].index, length: arrows.count)
        let sum = weighed(outputs, by: own)
        return residual.map { sum + h1[$0] * own.select(0, $0) } ?? sum
    }

    /// As ``callAsFunction(h1:h2:alpha:beta:origins:longSkip:size:mode:)`` where one arrow and one cell's branches weigh 1 and all
    /// else 0, without what weighs 0.
    ///
    /// - Parameters:
    ///   - cell: The cell.
    ///   - arrow: The arrow.
    ///   - h1: The map that it comes from.
    ///   - h2: The map that serves as H^{l-2}.
    ///   - stride: That map's stride, one of ``seconds``.
    ///   - skipped: The map that a long skip brings in the place of H^{l-2}; nil for none.
    ///   - size: Height and width of the node's maps.
    ///   - mode: How to normalise; running statistics stay.
    /// - Returns: `[N, B * C, H, W]`.
    func callAsFunction(
        only cell: Cell, along arrow: Arrow, h1: Tensor, h2: Tensor, stride: Int, skipped: Tensor?,
        size: (height: Int, width: Int), mode: NormalizationMode
    ) -> Tensor {
        guard let number = arrows.firstIndex(of: arrow) else { preconditionFailure("\(arrow) leads elsewhere") }
        let shares = cells.count < arrows.count
        let place = secondEntries.count < arrows.count ? 0 : number
        guard let second = reads[place].firstIndex(where: { seconds[$0] == stride }) else {
            preconditionFailure("no map at stride \(stride)")
        }
        let own = longSkip.flatMap { $0.gate.arrow == arrow ? $0 : nil }
        let entered2 =
            skipped.flatMap { own?.alone($0, size: size, mode: mode) }
            ?? secondEntries[place][second - reads[place].lowerBound](h2, size: size, mode: mode)
        let secondGroup = resizes ? number : own == nil ? 0 : 1
        let output = cells[shares ? 0 : number](
            only: cell, entries[number](h1, size: size, mode: mode), entered2, group: shares ? number : 0,
            secondGroup: shares ? secondGroup : 0, mode: mode)
        return number == residual ? output + h1 : output
    }

    private func joined(_ maps: [Tensor]) -> Tensor { maps.count == 1 ? maps[0] : concatenate(maps, dim: 0) }

    /// What each arrow reads as H^{l-2}: maps that lie behind one another by stride, weighed by its row.
    private func mixed(_ maps: [Tensor], by origins: Tensor) -> [Tensor] {
        guard maps.count == 1 else {
            return zip(maps, reads).enumerated().map { row, own in
                let weights = origins.narrow(0, start: row, length: 1)
                return sum(own.0, by: weights.narrow(1, start: own.1.lowerBound, length: own.1.count))
            }
        }
        return [sum(maps[0], by: origins)]
    }

    /// Sums `[A * N, M, H, W]` over the arrows: a product of one row of betas with a matrix of A rows.
    private func weighed(_ outputs: Tensor, by beta: Tensor) -> Tensor { sum(outputs, by: beta.reshape([1, -1])) }

    /// Sums `[A * N, M, H, W]` over A, once a row of `weights` `[R, A]`: `[R * N, M, H, W]`.
    private func sum(_ maps: Tensor, by weights: Tensor) -> Tensor {
        let shape = maps.shape
        let images = shape[0] / weights.size(1)
        let rows = maps.permute([0, 2, 3, 1]).reshape([weights.size(1), -1])
        return weights.matmul(rows).reshape([weights.size(0) * images, shape[2], shape[3], shape[1]])
            .permute([0, 3, 1, 2])
    }
}
