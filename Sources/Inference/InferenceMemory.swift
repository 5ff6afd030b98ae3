import Images

extension Predictor {
    /// Pixels that a network sees at once where nothing else is asked for: its own maps of more need too much memory.
    static let largestWhole = 8_500_000

    /// Bytes of scores that are kept at once where nothing else is asked for.
    static let largestScores = 1 << 30

    /// Sides of windows, the best first: a larger one shows the network more around each pixel.
    static let usualWindows = [1_025, 769, 513, 257]

    /// Chooses windows for an image that would take too much memory as a whole, unless they are chosen already.
    ///
    /// - Returns: The side of the windows, where this chose it.
    package mutating func boundMemory(for image: Image, _ model: Model) -> Int? {
        let seen = model.scaling.size(width: image.width, height: image.height)
        return boundMemory(
            width: seen.width, height: seen.height, classes: model.classes.count,
            scoreStride: model.network.description.scoreStride)
    }

    /// As ``boundMemory(for:_:)``, for an image as the network sees it at scale 1.
    package mutating func boundMemory(width: Int, height: Int, classes: Int, scoreStride: Int = 4) -> Int? {
        guard window == 0 else { return nil }
        let largest = scales.max() ?? 1
        let pixels = Double(width) * Double(height)
        // A scale below 1 makes no image smaller that is read and resized as a whole.
        let isSmall = pixels * max(1, largest * largest) <= Double(Self.largestWhole)
        if isSmall, scoreBytes(pixels: pixels, classes: classes, stride: scoreStride) <= Double(Self.largestScores) {
            return nil
        }
        let side = Self.usualWindows.first { side in
            // Where windows lie over one another, two rows of them are kept.
            scoreBytes(
                pixels: 2 * Double(side) * Double(max(side, width)), classes: classes, stride: scoreStride)
                <= Double(Self.largestScores)
        }
        window = side ?? Self.usualWindows[Self.usualWindows.count - 1]
        return window
    }

    /// The maps that the network sees of an image of this size at scale 1: the image, or windows of it.
    package func seenMaps(width: Int, height: Int) -> (width: Int, height: Int, count: Int) {
        if isWhole(width, height) { return (width, height, 1) }
        let columns = WindowGrid(side: window, overlap: overlap, length: width)
        let rows = WindowGrid(side: window, overlap: overlap, length: height)
        return (columns.side, rows.side, columns.starts.count * rows.starts.count)
    }

    /// Bytes of the scores of so many pixels, which are kept for each scale and mirror at their stride.
    private func scoreBytes(pixels: Double, classes: Int, stride: Int) -> Double {
        let bytes = pixels / Double(stride * stride) * Double(classes * MemoryLayout<Float>.size)
        return scales.reduce(0) { $0 + $1 * $1 } * (flip ? 2 : 1) * bytes
    }
}
