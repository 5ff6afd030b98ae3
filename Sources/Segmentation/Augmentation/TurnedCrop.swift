import Foundation
import Images

extension Augmentation {
    /// Renders a crop of an image that is turned about the crop's centre: each pixel is looked up where it came from.
    func renderTurned(
        _ choice: Choice, image: Image, mask: Mask, pixels: UnsafeMutablePointer<Float>,
        labels: UnsafeMutablePointer<UInt8>
    ) {
        let angle = choice.rotation * .pi / 180
        let (cosine, sine) = (cos(angle), sin(angle))
        let (middleX, middleY) = (Double(cropWidth) / 2, Double(cropHeight) / 2)
        let scaleX = Double(image.width) / Double(choice.width)
        let scaleY = Double(image.height) / Double(choice.height)
        image.pixels.withUnsafeBufferPointer { source in
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
                        var color = bilinear(source, width: image.width, height: image.height, x: x - 0.5, y: y - 0.5)
                        if let transform = choice.color { color = transform(color) }
                        for channel in 0..<3 { pixels[target * 3 + channel] = color[channel] }
                    }
                }
            }
        }
    }
}

/// The normalised colour between four pixels; edges are continued outwards.
private func bilinear(
    _ pixels: UnsafeBufferPointer<UInt8>, width: Int, height: Int, x: Double, y: Double
) -> SIMD3<Float> {
    let (insideX, insideY) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
    let (left, top) = (Int(clamping: insideX), Int(clamping: insideY))
    let (shareX, shareY) = (Float(insideX - Double(left)), Float(insideY - Double(top)))
    func color(_ x: Int, _ y: Int) -> SIMD3<Float> {
        let start = (min(y, height - 1) * width + min(x, width - 1)) * 3
        return SIMD3(Float(pixels[start]), Float(pixels[start + 1]), Float(pixels[start + 2]))
    }
    let upper = color(left, top) * (1 - shareX) + color(left + 1, top) * shareX
    let lower = color(left, top + 1) * (1 - shareX) + color(left + 1, top + 1) * shareX
    return (upper * (1 - shareY) + lower * shareY) * (2 / 255) - 1
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
