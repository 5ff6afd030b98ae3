import Images

extension Augmentation {
    /// Renders a crop into a batch: only the pixels inside the crop are resized.
    ///
    /// Padding is what normalisation takes for the mean of each channel, middle grey in colours (0 after it), and 255 in
    /// the mask.
    ///
    /// - Parameters:
    ///   - choice: what was drawn for this image.
    ///   - image: the image before scaling.
    ///   - mask: its labels, of the same size.
    ///   - normalization: what becomes of the image's bytes.
    ///   - pixels: room for `cropHeight * cropWidth * channels` values.
    ///   - labels: room for `cropHeight * cropWidth` labels.
    package func render(
        _ choice: Choice, image: Image, mask: Mask, normalization: ChannelNormalization = .color,
        pixels: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<UInt8>
    ) {
        precondition(
            image.channels == normalization.channels,
            "\(image.channels) channels normalised by those of \(normalization.channels)")
        pixels.update(repeating: 0, count: cropHeight * cropWidth * image.channels)
        labels.update(repeating: Mask.ignored, count: cropHeight * cropWidth)
        if choice.rotation == 0 {
            renderUpright(
                choice, image: image, mask: mask, normalization: normalization, pixels: pixels, labels: labels)
        } else {
            renderTurned(
                choice, image: image, mask: mask, normalization: normalization, pixels: pixels, labels: labels)
        }
        guard choice.blur > 0 else { return }
        gaussianBlur(
            pixels, height: cropHeight, width: cropWidth, channels: image.channels, deviation: choice.blur)
    }

    /// Renders a crop that is not turned, row by row.
    private func renderUpright(
        _ choice: Choice, image: Image, mask: Mask, normalization: ChannelNormalization,
        pixels: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<UInt8>
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
        let channels = image.channels
        let isColor = normalization == .color
        let (factors, shifts) = (normalization.factors, normalization.shifts)
        var line = [Float](repeating: 0, count: image.width * channels)
        for (index, row) in rows.enumerated() {
            let start = row * cropWidth + first
            blendRows(
                image, vertical.first[index], vertical.second[index], vertical.share[index], used, into: &line)
            let output = pixels + start * channels
            if isColor {
                // Numbers that are known while compiling let the inner loop be unrolled.
                Self.writeRow(line, taps, channels: 3, to: output) { value, _ in value * (2 / 255) - 1 }
                choice.color?.apply(to: output, count: columns.count)
            } else {
                Self.writeRow(line, taps, channels: channels, to: output) { value, channel in
                    value * factors[channel] - shifts[channel]
                }
                choice.color?.apply(to: output, count: columns.count, normalization: normalization)
            }
            let source = nearestPixel(choice.top + row, source: image.height, resized: choice.height) * mask.width
            mask.labels.withUnsafeBufferPointer { source_ in
                for column in 0..<nearest.count { labels[start + column] = source_[source + nearest[column]] }
            }
        }
    }

    /// The horizontal half of bilinear interpolation, with normalisation.
    @inline(__always)
    private static func writeRow(
        _ line: [Float], _ taps: LinearTaps, channels: Int, to output: UnsafeMutablePointer<Float>,
        normalized: (_ value: Float, _ channel: Int) -> Float
    ) {
        line.withUnsafeBufferPointer { line in
            taps.first.withUnsafeBufferPointer { lefts in
                taps.second.withUnsafeBufferPointer { rights in
                    taps.share.withUnsafeBufferPointer { shares in
                        for x in 0..<lefts.count {
                            let (left, right, share) = (lefts[x] * channels, rights[x] * channels, shares[x])
                            for channel in 0..<channels {
                                let value =
                                    line[left + channel]
                                    + (line[right + channel] - line[left + channel]) * share
                                output[x * channels + channel] = normalized(value, channel)
                            }
                        }
                    }
                }
            }
        }
    }
}
