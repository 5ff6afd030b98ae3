import Foundation
import Segmentation
import Torch

/// Class probabilities of one image from scores at several scales, with and without mirroring (paper 5.2), of the whole
/// image or by a sliding window.
package struct Inference {
    /// Factors of the image's size, whose probabilities are averaged.
    package var scales = [1.0]
    /// Averages with the mirrored image too.
    package var flip = false
    /// Side of the windows by which larger images are gone through; 0 takes all images whole.
    ///
    /// A window is treated as an image of its own: scaled, mirrored and averaged.
    package var window = 0
    /// Share of a window that the next one covers again.
    package var overlap = 0.25
    /// Where it computes.
    package let device: Device

    package init(scales: [Double] = [1], flip: Bool = false, device: Device) {
        self.scales = scales
        self.flip = flip
        self.device = device
    }

    /// As a configuration has it.
    init(_ configuration: EvaluateConfiguration, device: Device) {
        self.init(scales: configuration.scales, flip: configuration.flip, device: device)
        window = configuration.window
        overlap = configuration.overlap
    }

    /// Whether the results are scores, whose largest is the same class, and not yet probabilities.
    package func givesScores(for image: Image) -> Bool { scales == [1] && !flip && isWhole(image) }

    /// - Parameters:
    ///   - image: The image.
    ///   - network: Scores `[1, classes, h, w]` of images `[1, 3, h, w]`.
    /// - Returns: Mean probabilities `[1, classes, H, W]` at the image's size; scores where ``givesScores(for:)`` says so.
    package func callAsFunction(_ image: Image, network: (Tensor) -> Tensor) -> Tensor {
        var strips: [Tensor] = []
        forEachStrip(of: image, network: network) { strips.append($0) }
        return withoutGradients { strips.count == 1 ? strips[0] : concatenate(strips, dim: 2) }
    }

    /// As ``callAsFunction(_:network:)``, in strips of rows from the top on, of which one is in memory at a time.
    package func forEachStrip(of image: Image, network: (Tensor) -> Tensor, body: (Tensor) throws -> Void) rethrows {
        if isWhole(image) { return try body(withoutGradients { whole(image, network: network) }) }
        let rows = WindowGrid(side: window, overlap: overlap, length: image.height)
        let columns = WindowGrid(side: window, overlap: overlap, length: image.width)
        // The rows that windows above have their part in.
        var begun: Tensor?
        for row in rows.starts.indices {
            let strip = withoutGradients {
                let strip = blend(image, row: row, of: rows, columns: columns, network: network)
                if let begun { strip.narrow(2, start: 0, length: begun.size(2)).add(begun) }
                return strip
            }
            let next = row + 1 < rows.starts.count ? rows.starts[row + 1] - rows.starts[row] : rows.side
            try body(withoutGradients { strip.narrow(2, start: 0, length: next) })
            begun = next == rows.side ? nil : strip.narrow(2, start: next, length: rows.side - next)
        }
    }

    private func isWhole(_ image: Image) -> Bool { window == 0 || max(image.width, image.height) <= window }

    /// A row of windows, each weighted by its share of its pixels.
    private func blend(
        _ image: Image, row: Int, of rows: WindowGrid, columns: WindowGrid, network: (Tensor) -> Tensor
    ) -> Tensor {
        var strip: Tensor?
        let top = rows.starts[row]
        for (column, left) in columns.starts.enumerated() {
            let part = image.part(x: left..<left + columns.side, y: top..<top + rows.side)
            let found = whole(part, network: network)
            let probabilities = givesScores(for: part) ? found.softmax(1) : found
            let shares = Tensor(columns.shares(ofWindow: column), shape: [1, 1, 1, columns.side], device: device)
            let all =
                strip
                ?? Tensor.zeros(
                    [1, probabilities.size(1), rows.side, image.width], dtype: probabilities.dtype, device: device)
            all.narrow(3, start: left, length: columns.side).add(probabilities * shares)
            strip = all
        }
        let shares = Tensor(rows.shares(ofWindow: row), shape: [1, 1, rows.side, 1], device: device)
        return (strip ?? shares) * shares
    }

    private func whole(_ image: Image, network: (Tensor) -> Tensor) -> Tensor {
        let whole = image.tensor(on: device)
        if scales == [1] && !flip { return aligned(whole, network) }
        var sum: Tensor?
        for scale in scales {
            let height = max(1, Int((Double(image.height) * scale).rounded()))
            let width = max(1, Int((Double(image.width) * scale).rounded()))
            let scaled = interpolateBilinear(whole, height: height, width: width, alignCorners: false)
            for mirrored in flip ? [false, true] : [false] {
                let scores = aligned(mirrored ? scaled.flip([3]) : scaled, network)
                let straight = (mirrored ? scores.flip([3]) : scores).softmax(1)
                let full = interpolateBilinear(straight, height: image.height, width: image.width, alignCorners: false)
                sum = sum.map { $0 + full } ?? full
            }
        }
        return (sum ?? whole) / Double(scales.count * (flip ? 2 : 1))
    }

    /// Scores of an image that is padded, by the mean colour, to a size of 32 n + 1, as the paper's 1024 x 2048 images
    /// are to 1025 x 2049.
    ///
    /// At other sizes a strided convolution and resizing with aligned corners disagree about where a pixel lies, by up
    /// to a stride at the far border, which thin things do not survive.
    private func aligned(_ image: Tensor, _ network: (Tensor) -> Tensor) -> Tensor {
        let height = image.size(2)
        let width = image.size(3)
        func padding(_ size: Int) -> Int { paddedSize(size) - size }
        if padding(height) == 0 && padding(width) == 0 { return network(image) }
        let padded = image.pad([0, padding(width), 0, padding(height)])
        return network(padded).narrow(2, start: 0, length: height).narrow(3, start: 0, length: width)
    }
}

/// The size that an image's side is padded to before a network sees it: the next 32 n + 1.
func paddedSize(_ size: Int) -> Int { size + (32 - (size - 1) % 32) % 32 }

/// Where windows lie along an image's side: the first at its beginning, the last at its end.
package struct WindowGrid {
    /// The first pixel of each window.
    package let starts: [Int]
    /// Pixels of a window.
    package let side: Int
    private let ramp: Int

    /// - Parameters:
    ///   - side: Pixels of a window; no more than there are are taken.
    ///   - overlap: Share of a window that the next one covers again, below 1.
    ///   - length: Pixels of the image's side.
    package init(side: Int, overlap: Double, length: Int) {
        let side = min(side, length)
        let step = max(1, Int((Double(side) * (1 - overlap)).rounded()))
        self.side = side
        ramp = side - step
        starts = Array(stride(from: 0, to: max(1, length - side), by: step)) + (length > side ? [length - side] : [])
    }

    /// What a window counts at each of its pixels; the shares of all windows at a pixel add up to 1.
    ///
    /// They fall toward the window's ends, where a network sees least around a pixel.
    package func shares(ofWindow index: Int) -> [Float] {
        let start = starts[index]
        let others = starts.filter { abs($0 - start) < side }
        return (0..<side).map { pixel in
            let sum = others.reduce(0) { $0 + weight(start + pixel - $1) }
            return Float(weight(pixel) / sum)
        }
    }

    /// Rises over the overlap from the first pixel on, and falls to the last.
    private func weight(_ pixel: Int) -> Double {
        guard pixel >= 0 && pixel < side else { return 0 }
        return min(1, Double(min(pixel + 1, side - pixel)) / Double(ramp + 1))
    }
}

extension Image {
    /// `[1, 3, H, W]`, values 2x / 255 - 1, channels last in memory.
    func tensor(on device: Device) -> Tensor {
        Tensor(normalized(), shape: [1, height, width, 3]).to(device).permute([0, 3, 1, 2])
    }
}
