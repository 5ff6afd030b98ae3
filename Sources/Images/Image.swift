/// An image of 8 bits a sample: red, green and blue unless it says otherwise.
public struct Image: Hashable, Sendable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Samples of a pixel: 3 are red, green and blue.
    public let channels: Int
    /// Rows from the top, pixels from the left, channels interleaved: `height * width * channels` bytes.
    public var pixels: [UInt8]

    /// Wraps pixels that exist already; there must be `height * width * channels` bytes of them.
    public init(width: Int, height: Int, channels: Int = 3, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && channels > 0, "an image of \(width)x\(height) pixels")
        precondition(
            pixels.count == width * height * channels,
            "\(pixels.count) bytes for \(width)x\(height) pixels of \(channels) channels")
        self.width = width
        self.height = height
        self.channels = channels
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

    /// The colour at column `x` and row `y` of an image of 3 channels.
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
        result.reserveCapacity(x.count * y.count * channels)
        for row in y {
            result += pixels[(row * width + x.lowerBound) * channels..<(row * width + x.upperBound) * channels]
        }
        return Image(width: x.count, height: y.count, channels: channels, pixels: result)
    }

    /// What a network reads, in the same order (H, W, C): `2 x / 255 - 1` for every byte, unless it is told otherwise.
    public func normalized(by normalization: ChannelNormalization = .color) -> [Float] {
        precondition(
            normalization.channels == channels,
            "\(channels) channels normalised by those of \(normalization.channels)")
        if normalization == .color {
            // Through pointers, which the compiler makes a loop over many values at once of.
            return [Float](unsafeUninitializedCapacity: pixels.count) { buffer, count in
                pixels.withUnsafeBufferPointer { pixels in
                    for index in pixels.indices { buffer[index] = Float(pixels[index]) * (2 / 255) - 1 }
                }
                count = pixels.count
            }
        }
        let (factors, shifts) = (normalization.factors, normalization.shifts)
        return [Float](unsafeUninitializedCapacity: pixels.count) { buffer, count in
            for start in stride(from: 0, to: pixels.count, by: channels) {
                for channel in 0..<channels {
                    buffer[start + channel] = Float(pixels[start + channel]) * factors[channel] - shifts[channel]
                }
            }
            count = pixels.count
        }
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
