import Images

extension Augmentation {
    /// Renders a crop into a batch: only the pixels inside the crop are resized.
    ///
    /// Padding is the mean grey in the image (0 after normalisation to -1...1) and 255 in the mask.
    ///
    /// - Parameters:
    ///   - choice: what was drawn for this image.
    ///   - image: the image before scaling.
    ///   - mask: its labels, of the same size.
    ///   - pixels: room for `cropHeight * cropWidth * 3` values.
    ///   - labels: room for `cropHeight * cropWidth` labels.
    package func render(
        _ choice: Choice, image: Image, mask: Mask, pixels: UnsafeMutablePointer<Float>,
        labels: UnsafeMutablePointer<UInt8>
    ) {
        pixels.update(repeating: 0, count: cropHeight * cropWidth * 3)
        labels.update(repeating: Mask.ignored, count: cropHeight * cropWidth)
        if choice.rotation == 0 {
            renderUpright(choice, image: image, mask: mask, pixels: pixels, labels: labels)
        } else {
            renderTurned(choice, image: image, mask: mask, pixels: pixels, labels: labels)
        }
        if choice.blur > 0 { gaussianBlur(pixels, height: cropHeight, width: cropWidth, deviation: choice.blur) }
    }

    /// Renders a crop that is not turned, row by row.
    private func renderUpright(
        _ choice: Choice, image: Image, mask: Mask, pixels: UnsafeMutablePointer<Float>,
        labels: UnsafeMutablePointer<UInt8>
    ) {
        // The part of the crop that shows the image, in crop coordinates before mirroring.
        let rows = max(0, -choice.top)..<min(cropHeight, choice.height - choice.top)
        let columns = max(0, -choice.left)..<min(cropWidth, choice.width - choice.left)
        guard !rows.isEmpty, !columns.isEmpty else { return }
        let taps = LinearTaps(
            count: columns.count, offset: choice.left + columns.lowerBound, source: image.width,
            resized: choice.width, flipped: choice.flipped)
        let vertical = LinearTaps(
            count: rows.count, offset: choice.top + rows.lowerBound, source: image.height, resized: choice.height)
        let nearest = (0..<columns.count).map { index in
            let column = choice.flipped ? columns.count - 1 - index : index
            return nearestPixel(
                choice.left + columns.lowerBound + column, source: image.width, resized: choice.width)
        }
        let first = choice.flipped ? cropWidth - columns.upperBound : columns.lowerBound
        let used = (taps.first.min() ?? 0)..<(taps.second.max() ?? 0) + 1
        var line = [Float](repeating: 0, count: image.width * 3)
        for (index, row) in rows.enumerated() {
            let start = row * cropWidth + first
            blendRows(
                image, vertical.first[index], vertical.second[index], vertical.share[index], used, into: &line)
            Self.writeRow(line, taps, to: pixels + start * 3)
            if let color = choice.color { color.apply(to: pixels + start * 3, count: columns.count) }
            let source = nearestPixel(choice.top + row, source: image.height, resized: choice.height) * mask.width
            mask.labels.withUnsafeBufferPointer { source_ in
                for column in 0..<nearest.count { labels[start + column] = source_[source + nearest[column]] }
            }
        }
    }

    /// The horizontal half of bilinear interpolation, with normalisation.
    private static func writeRow(
        _ line: [Float], _ taps: LinearTaps, to output: UnsafeMutablePointer<Float>
    ) {
        line.withUnsafeBufferPointer { line in
            taps.first.withUnsafeBufferPointer { lefts in
                taps.second.withUnsafeBufferPointer { rights in
                    taps.share.withUnsafeBufferPointer { shares in
                        for x in 0..<lefts.count {
                            let (left, right, share) = (lefts[x] * 3, rights[x] * 3, shares[x])
                            for channel in 0..<3 {
                                let value =
                                    line[left + channel]
                                    + (line[right + channel] - line[left + channel]) * share
                                output[x * 3 + channel] = value * (2 / 255) - 1
                            }
                        }
                    }
                }
            }
        }
    }
}
