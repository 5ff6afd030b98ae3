import Foundation
import Images

extension Augmentation {
    /// Renders a crop of an image that is turned about the crop's centre: each pixel is looked up where it came from.
    func renderTurned(
        _ choice: Choice, image: Image, mask: Mask, normalization: ChannelNormalization,
        pixels: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<UInt8>
    ) {
        image.pixels.withUnsafeBufferPointer { source in
            guard normalization != .color else {
                forEachTurnedPixel(choice, image: image, mask: mask, labels: labels) { target, x, y in
                    var color = bilinear(source, width: image.width, height: image.height, x: x, y: y)
                    if let transform = choice.color { color = transform(color) }
                    for channel in 0..<3 { pixels[target * 3 + channel] = color[channel] }
                }
                return
            }
            let channels = image.channels
            let (factors, shifts) = (normalization.factors, normalization.shifts)
            forEachTurnedPixel(choice, image: image, mask: mask, labels: labels) { target, x, y in
                let taps = BilinearTaps(width: image.width, height: image.height, x: x, y: y)
                for channel in 0..<channels {
                    let value = taps.value(source, channel: channel, of: channels)
                    pixels[target * channels + channel] = value * factors[channel] - shifts[channel]
                }
                choice.color?.apply(to: pixels + target * channels, count: 1, normalization: normalization)
            }
        }
    }

    /// Writes the labels of a turned crop, and tells of each pixel that shows the image which place it shows: columns and
    /// rows of the image before scaling, pixels' centres at whole numbers.
    @inline(__always)
    private func forEachTurnedPixel(
        _ choice: Choice, image: Image, mask: Mask, labels: UnsafeMutablePointer<UInt8>,
        _ body: (_ target: Int, _ x: Double, _ y: Double) -> Void
    ) {
        let angle = choice.rotation * .pi / 180
        let (cosine, sine) = (cos(angle), sin(angle))
        let (middleX, middleY) = (Double(cropWidth) / 2, Double(cropHeight) / 2)
        let scaleX = Double(image.width) / Double(choice.width)
        let scaleY = Double(image.height) / Double(choice.height)
        mask.labels.withUnsafeBufferPointer { sourceLabels in
            for row in 0..<cropHeight {
                for column in 0..<cropWidth {
                    let shown = choice.flipped ? cropWidth - 1 - column : column
                    let (right, down) = (Double(shown) + 0.5 - middleX, Double(row) + 0.5 - middleY)
                    // The pixel's centre in the image before scaling, its corner at 0.
                    let x = (Double(choice.left) + middleX + cosine * right - sine * down) * scaleX
                    let y = (Double(choice.top) + middleY + sine * right + cosine * down) * scaleY
                    guard x >= 0, y >= 0, x < Double(image.width), y < Double(image.height) else { continue }
                    let target = row * cropWidth + column
                    labels[target] = sourceLabels[Int(clamping: y) * mask.width + Int(clamping: x)]
                    body(target, x - 0.5, y - 0.5)
                }
            }
        }
    }
}

/// The normalised colour between four pixels; edges are continued outwards.
private func bilinear(
    _ pixels: UnsafeBufferPointer<UInt8>, width: Int, height: Int, x: Double, y: Double
) -> SIMD3<Float> {
    let taps = BilinearTaps(width: width, height: height, x: x, y: y)
    func color(_ pixel: Int) -> SIMD3<Float> {
        SIMD3(Float(pixels[pixel * 3]), Float(pixels[pixel * 3 + 1]), Float(pixels[pixel * 3 + 2]))
    }
    let upper = color(taps.upperLeft) * (1 - taps.shareX) + color(taps.upperRight) * taps.shareX
    let lower = color(taps.lowerLeft) * (1 - taps.shareX) + color(taps.lowerRight) * taps.shareX
    return (upper * (1 - taps.shareY) + lower * taps.shareY) * (2 / 255) - 1
}

/// The four pixels around a place, and how near it is to those on the right and below.
private struct BilinearTaps {
    let upperLeft, upperRight, lowerLeft, lowerRight: Int
    let shareX, shareY: Float

    @inline(__always)
    init(width: Int, height: Int, x: Double, y: Double) {
        let (insideX, insideY) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
        let (left, top) = (Int(clamping: insideX), Int(clamping: insideY))
        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
        (shareX, shareY) = (Float(insideX - Double(left)), Float(insideY - Double(top)))
        (upperLeft, upperRight) = (top * width + left, top * width + right)
        (lowerLeft, lowerRight) = (bottom * width + left, bottom * width + right)
    }

    /// One channel's value there, 0 to 255.
    @inline(__always)
    func value(_ pixels: UnsafeBufferPointer<UInt8>, channel: Int, of channels: Int) -> Float {
        func byte(_ pixel: Int) -> Float { Float(pixels[pixel * channels + channel]) }
        let upper = byte(upperLeft) * (1 - shareX) + byte(upperRight) * shareX
        let lower = byte(lowerLeft) * (1 - shareX) + byte(lowerRight) * shareX
        return upper * (1 - shareY) + lower * shareY
    }
}

extension ColorTransform {
    /// Changes colours in place.
    func apply(to pixels: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count {
            let start = pixels + index * 3
            let color = self(SIMD3(start[0], start[1], start[2]))
            for channel in 0..<3 { start[channel] = color[channel] }
        }
    }
}
