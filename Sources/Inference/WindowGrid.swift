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
        let step = max(1, Int(clamping: (Double(side) * (1 - overlap)).rounded()))
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
