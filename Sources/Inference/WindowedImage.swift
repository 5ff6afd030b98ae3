import Images
import Torch

/// An image that is gone through by windows, row by row of them.
///
/// Only windows that have their part in the rows asked for last are kept, and of them what the network gave.
final class WindowedImage {
    private let image: Image
    private let inference: Predictor
    private let network: Predictor.Network
    private let rows: WindowGrid
    private let columns: WindowGrid
    /// The windows of a row of them, by its number.
    private var seen: [Int: [ClassMap]] = [:]

    init(_ image: Image, _ inference: Predictor, network: @escaping Predictor.Network) {
        self.image = image
        self.inference = inference
        self.network = network
        rows = WindowGrid(side: inference.window, overlap: inference.overlap, length: image.height)
        columns = WindowGrid(side: inference.window, overlap: inference.overlap, length: image.width)
    }

    /// Probabilities of the whole image.
    var map: ClassMap {
        let step = rows.starts.count > 1 ? rows.starts[1] : rows.side
        return ClassMap(
            classes: windows(inRow: 0)[0].classes, height: image.height, width: image.width, isProbability: true,
            rowLimit: step, read: read)
    }

    /// The probabilities of some rows: each window weighted by its share of its pixels.
    private func read(_ range: Range<Int>) -> Tensor {
        var sum: Tensor?
        for (row, top) in rows.starts.enumerated() {
            let part = range.clamped(to: top..<top + rows.side)
            if top + rows.side <= range.lowerBound { seen[row] = nil }
            guard !part.isEmpty else { continue }
            let own = part.lowerBound - top..<part.upperBound - top
            let ofRows = Array(rows.shares(ofWindow: row)[own])
            for (column, left) in columns.starts.enumerated() {
                let found = windows(inRow: row)[column].rows(own)
                let all =
                    sum
                    ?? Tensor.zeros(
                        [1, found.size(1), range.count, image.width], dtype: found.dtype, device: found.device)
                sum = all
                let device = found.device
                let shares =
                    Tensor(columns.shares(ofWindow: column), shape: [1, 1, 1, columns.side], device: device)
                    * Tensor(ofRows, shape: [1, 1, own.count, 1], device: device)
                all.narrow(2, start: part.lowerBound - range.lowerBound, length: part.count)
                    .narrow(3, start: left, length: columns.side).add(found * shares)
            }
        }
        guard let sum else { preconditionFailure("rows \(range) of \(image.height)") }
        return sum
    }

    private func windows(inRow row: Int) -> [ClassMap] {
        if let known = seen[row] { return known }
        let top = rows.starts[row]
        let found = columns.starts.map { left in
            let part = image.part(x: left..<left + columns.side, y: top..<top + rows.side)
            return inference.whole(part, network).probabilities
        }
        seen[row] = found
        return found
    }
}
