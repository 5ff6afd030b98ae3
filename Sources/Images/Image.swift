/// A colour image: 8 bits each of red, green and blue.
public struct Image: Hashable, Sendable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Rows from the top, pixels from the left, channels interleaved: `height * width * 3` bytes.
    public var pixels: [UInt8]

    /// Wraps pixels that exist already; there must be `height * width * 3` of them.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "an image of \(width)x\(height) pixels")
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width)x\(height) RGB pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Makes an image of one colour.
    public init(width: Int, height: Int, color: Color = Color(0, 0, 0)) {
        var pixels = [UInt8](repeating: color.red, count: width * height * 3)
        for pixel in 0..<width * height {
            pixels[pixel * 3 + 1] = color.green
            pixels[pixel * 3 + 2] = color.blue
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// The colour at column `x` and row `y`.
    public subscript(x: Int, y: Int) -> Color {
        get {
            let start = (y * width + x) * 3
            return Color(pixels[start], pixels[start + 1], pixels[start + 2])
        }
        set {
            let start = (y * width + x) * 3
            pixels[start] = newValue.red
            pixels[start + 1] = newValue.green
            pixels[start + 2] = newValue.blue
        }
    }

    /// The pixels of some columns and rows, which must be within the image.
    package func part(x: Range<Int>, y: Range<Int>) -> Image {
        if x.count == width && y.count == height { return self }
        var result: [UInt8] = []
        result.reserveCapacity(x.count * y.count * 3)
        for row in y { result += pixels[(row * width + x.lowerBound) * 3..<(row * width + x.upperBound) * 3] }
        return Image(width: x.count, height: y.count, pixels: result)
    }

    /// What a network reads: `2 x / 255 - 1` for every byte, in the same order (H, W, C).
    public func normalized() -> [Float] {
        pixels.map { Float($0) * (2 / 255) - 1 }
    }
}

/// A class index for every pixel of an image.
public struct Mask: Hashable, Sendable {
    /// The label of pixels that count neither in training nor in evaluation.
    public static let ignored: UInt8 = 255

    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Rows from the top, pixels from the left: `height * width` labels.
    public var labels: [UInt8]

    /// Wraps labels that exist already; there must be `height * width` of them.
    public init(width: Int, height: Int, labels: [UInt8]) {
        precondition(width > 0 && height > 0, "a mask of \(width)x\(height) pixels")
        precondition(labels.count == width * height, "\(labels.count) labels for \(width)x\(height) pixels")
        self.width = width
        self.height = height
        self.labels = labels
    }

    /// Makes a mask of one label.
    public init(width: Int, height: Int, label: UInt8) {
        self.init(width: width, height: height, labels: [UInt8](repeating: label, count: width * height))
    }

    /// The label at column `x` and row `y`.
    public subscript(x: Int, y: Int) -> UInt8 {
        get { labels[y * width + x] }
        set { labels[y * width + x] = newValue }
    }
}
