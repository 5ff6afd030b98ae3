extension Image {
    /// The image, of 3 channels, with the mask's colours laid over it; ignored pixels and those of a background stay as
    /// they are.
    ///
    /// - Parameters:
    ///   - mask: labels of the same size as the image.
    ///   - palette: the colour of each label; labels beyond it take the standard palette's.
    ///   - background: the label that gets no colour; nil for none.
    ///   - opacity: the mask's share, 0 to 1.
    /// - Returns: a new image of the same size.
    public func overlaid(
        with mask: Mask, palette: [Color], background: Int? = nil, opacity: Double = 0.5
    ) -> Image {
        precondition(
            mask.width == width && mask.height == height,
            "a mask of \(mask.width)x\(mask.height) over an image of \(width)x\(height)")
        precondition(channels == 3, "a mask over an image of \(channels) channels")
        let share = Int(clamping: (min(max(opacity, 0), 1) * 256).rounded())
        let colors = Array(palette.prefix(256) + Palette.standard.dropFirst(palette.count))
        var result = self
        for (pixel, label) in mask.labels.enumerated() where label != Mask.ignored && Int(label) != background {
            let color = colors[Int(label)]
            for (channel, value) in [color.red, color.green, color.blue].enumerated() {
                let old = Int(pixels[pixel * 3 + channel])
                result.pixels[pixel * 3 + channel] = UInt8((old * (256 - share) + Int(value) * share + 128) >> 8)
            }
        }
        return result
    }

    /// Puts images of 3 channels into a grid, row by row, on a background with a gap between them.
    public static func grid(_ rows: [[Image]], gap: Int = 4, background: Color = Color(255, 255, 255)) -> Image {
        let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.compactMap { column < $0.count ? $0[column].width : nil }.max() ?? 0
        }
        let heights = rows.map { row in row.map(\.height).max() ?? 0 }
        var sheet = Image(
            width: max(1, widths.reduce(0, +) + gap * max(0, widths.count - 1)),
            height: max(1, heights.reduce(0, +) + gap * max(0, heights.count - 1)), color: background)
        var top = 0
        for (row, height) in zip(rows, heights) {
            var left = 0
            for (image, width) in zip(row, widths) {
                for y in 0..<image.height {
                    let target = ((top + y) * sheet.width + left) * 3
                    let source = y * image.width * 3
                    sheet.pixels.replaceSubrange(
                        target..<target + image.width * 3, with: image.pixels[source..<source + image.width * 3])
                }
                left += width + gap
            }
            top += height + gap
        }
        return sheet
    }
}

extension Mask {
    /// The mask as a picture in the given colours; labels beyond them take the standard palette's.
    public func colored(palette: [Color]) -> Image {
        let colors = Array(palette.prefix(256) + Palette.standard.dropFirst(palette.count))
        var pixels: [UInt8] = []
        pixels.reserveCapacity(labels.count * 3)
        for label in labels {
            let color = colors[Int(label)]
            pixels.append(color.red)
            pixels.append(color.green)
            pixels.append(color.blue)
        }
        return Image(width: width, height: height, pixels: pixels)
    }
}
