// Sizes change by the half-pixel convention throughout: pixel x of the result lies at (x + 0.5) * old / new - 0.5 of
// the source, with the edge pixels continued outwards. Images and masks so stay aligned, and halving an image is the
// mean of each 2x2 block.

/// For each pixel of a line of the result, the two source pixels it lies between and the share of the second.
package struct LinearTaps {
    package var first: [Int] = []
    package var second: [Int] = []
    package var share: [Float] = []

    /// Taps for `count` pixels of the result, of which pixel 0 is pixel `offset` of the resized line.
    package init(count: Int, offset: Int = 0, source: Int, resized: Int, flipped: Bool = false) {
        let step = Double(source) / Double(resized)
        for index in 0..<count {
            let pixel = offset + (flipped ? count - 1 - index : index)
            let position = min(max((Double(pixel) + 0.5) * step - 0.5, 0), Double(source - 1))
            let lower = Int(clamping: position)
            first.append(lower)
            second.append(min(lower + 1, source - 1))
            share.append(Float(position - Double(lower)))
        }
    }
}

/// The source pixel that pixel `pixel` of a resized line shows.
@inline(__always)
package func nearestPixel(_ pixel: Int, source: Int, resized: Int) -> Int {
    // (pixel + 0.5) * source / resized, rounded down, in exact arithmetic.
    min((2 * pixel + 1) * source / (2 * resized), source - 1)
}

extension Image {
    /// The image at another size, bilinear, half-pixel centres.
    ///
    /// Where it shrinks to less than half, blocks are averaged first by a whole factor, so that no pixel of the
    /// source is passed over.
    public func resized(width newWidth: Int, height newHeight: Int) -> Image {
        if newWidth == width && newHeight == height { return self }
        precondition(newWidth > 0 && newHeight > 0, "resizing to \(newWidth)x\(newHeight)")
        let reduction = (x: max(1, width / newWidth), y: max(1, height / newHeight))
        // At exactly half the two taps of bilinear interpolation see every pixel by themselves.
        let shrinksStrongly = width > 2 * newWidth || height > 2 * newHeight
        let blocks = shrinksStrongly ? reduction : nil
        // A number that is known while compiling lets the inner loops be unrolled.
        return channels == 3
            ? resized(width: newWidth, height: newHeight, reduction: blocks, channels: 3)
            : resized(width: newWidth, height: newHeight, reduction: blocks, channels: channels)
    }

    /// The image at another size, after blocks are averaged by whole factors where that is asked for.
    @inline(__always)
    private func resized(
        width newWidth: Int, height newHeight: Int, reduction: (x: Int, y: Int)?, channels: Int
    ) -> Image {
        let source = reduction.map { reduced(byX: $0.x, y: $0.y, channels: channels) } ?? self
        return Image(
            width: newWidth, height: newHeight, channels: channels,
            pixels: source.interpolated(width: newWidth, height: newHeight, channels: channels))
    }

    /// The bytes at another size, each between the four around its place.
    @inline(__always)
    private func interpolated(width newWidth: Int, height newHeight: Int, channels: Int) -> [UInt8] {
        let columns = LinearTaps(count: newWidth, source: width, resized: newWidth)
        let rows = LinearTaps(count: newHeight, source: height, resized: newHeight)
        var line = [Float](repeating: 0, count: width * channels)
        return [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * channels) { buffer, count in
            for y in 0..<newHeight {
                blendRows(self, rows.first[y], rows.second[y], rows.share[y], 0..<width, into: &line)
                for x in 0..<newWidth {
                    let (left, right) = (columns.first[x] * channels, columns.second[x] * channels)
                    let share = columns.share[x]
                    for channel in 0..<channels {
                        let value = line[left + channel] + (line[right + channel] - line[left + channel]) * share
                        buffer[(y * newWidth + x) * channels + channel] = UInt8(clamping: value + 0.5)
                    }
                }
            }
            count = newWidth * newHeight * channels
        }
    }

    /// The image with each side multiplied by a factor and rounded, one pixel at least.
    public func resized(by factor: Double) -> Image {
        resized(width: scaled(width, by: factor), height: scaled(height, by: factor))
    }

    /// Means of blocks; the blocks at the right and lower edge may be smaller.
    @inline(__always)
    private func reduced(byX factorX: Int, y factorY: Int, channels: Int) -> Image {
        let (newWidth, newHeight) = ((width + factorX - 1) / factorX, (height + factorY - 1) / factorY)
        var result = [UInt8](repeating: 0, count: newWidth * newHeight * channels)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let rows = y * factorY..<min((y + 1) * factorY, height)
                let columns = x * factorX..<min((x + 1) * factorX, width)
                let area = rows.count * columns.count
                for channel in 0..<channels {
                    var sum = area / 2
                    for row in rows {
                        for column in columns { sum += Int(pixels[(row * width + column) * channels + channel]) }
                    }
                    result[(y * newWidth + x) * channels + channel] = UInt8(sum / area)
                }
            }
        }
        return Image(width: newWidth, height: newHeight, channels: channels, pixels: result)
    }
}

extension Mask {
    /// The mask at another size: each pixel takes the label of the source pixel that its centre lies in.
    public func resized(width newWidth: Int, height newHeight: Int) -> Mask {
        if newWidth == width && newHeight == height { return self }
        precondition(newWidth > 0 && newHeight > 0, "resizing to \(newWidth)x\(newHeight)")
        let columns = (0..<newWidth).map { nearestPixel($0, source: width, resized: newWidth) }
        var result: [UInt8] = []
        result.reserveCapacity(newWidth * newHeight)
        for y in 0..<newHeight {
            let row = nearestPixel(y, source: height, resized: newHeight) * width
            for column in columns { result.append(labels[row + column]) }
        }
        return Mask(width: newWidth, height: newHeight, labels: result)
    }

    /// The mask with each side multiplied by a factor and rounded, one pixel at least.
    public func resized(by factor: Double) -> Mask {
        resized(width: scaled(width, by: factor), height: scaled(height, by: factor))
    }
}

/// A side's length after scaling.
package func scaled(_ length: Int, by factor: Double) -> Int {
    max(1, Int(clamping: (Double(length) * factor).rounded()))
}

/// Blends two rows of an image between the given columns: the vertical half of bilinear interpolation.
@inline(__always)
package func blendRows(
    _ image: Image, _ upper: Int, _ lower: Int, _ share: Float, _ columns: Range<Int>, into line: inout [Float]
) {
    image.pixels.withUnsafeBufferPointer { pixels in
        line.withUnsafeMutableBufferPointer { line in
            let channels = image.channels
            let (first, second) = (upper * image.width * channels, lower * image.width * channels)
            for index in columns.lowerBound * channels..<columns.upperBound * channels {
                let value = Float(pixels[first + index])
                line[index] = value + (Float(pixels[second + index]) - value) * share
            }
        }
    }
}
