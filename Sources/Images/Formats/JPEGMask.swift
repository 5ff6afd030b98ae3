/// Decodes a JPEG as a mask where it shows black and white alone: 0 and 255, parted at half.
///
/// JPEG alters values, but of two flat ones only near the edges between them. Whoever made such masks saved what they
/// saw; indices of classes would be lost.
///
/// - Throws: ``DataError`` where it shows anything else, for then its values say nothing.
func decodeJPEGMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool) throws -> RawMask {
    let decoded = try decodeJPEG(bytes, file: file, limits: limits) { ($0, $1) }
    guard !asColors, let values = blackAndWhite(decoded.image) else {
        throw DataError(
            file: file,
            problem: "is a JPEG, which alters label values: masks must be palette or grey PNG, or show black and white"
                + " alone")
    }
    return RawMask(
        width: decoded.image.width, height: decoded.image.height, values: .indices(values),
        notes: decoded.notes + [.blackAndWhite])
}

/// 0 and 255 for a picture of black and white; nil for any other.
///
/// In blocks of 8 by 8, as JPEG has them, that hold no edge, nearly all dark pixels must have one value, and nearly all
/// bright ones: classes by small indices have several. Greys between may not be more than edges explain. A picture without
/// white must be black throughout.
private func blackAndWhite(_ image: Image) -> [UInt8]? {
    let (width, height, side) = (image.width, image.height, 8)
    var (colored, between, edges, white, notBlack) = (0, 0, 0, 0, 0)
    var flat = [Int](repeating: 0, count: 256)
    var result = [UInt8](repeating: 0, count: width * height)
    for top in stride(from: 0, to: height, by: side) {
        for left in stride(from: 0, to: width, by: side) {
            var (bright, pixels) = (0, 0)
            var values = [Int](repeating: 0, count: 256)
            for y in top..<min(top + side, height) {
                for x in left..<min(left + side, width) {
                    let place = y * width + x
                    let (red, green, blue) = (
                        image.pixels[3 * place], image.pixels[3 * place + 1], image.pixels[3 * place + 2]
                    )
                    pixels += 1
                    values[Int(green)] += 1
                    notBlack += green > 0 ? 1 : 0
                    colored += max(red, green, blue) - min(red, green, blue) > 24 ? 1 : 0
                    between += (64...191).contains(green) ? 1 : 0
                    guard green >= 128 else { continue }
                    bright += 1
                    result[place] = 255
                }
            }
            white += bright
            if bright == 0 || bright == pixels { for (value, count) in values.enumerated() { flat[value] += count } }
        }
    }
    for y in 0..<height {
        for x in 0..<width {
            let own = result[y * width + x]
            if x > 0, result[y * width + x - 1] != own { edges += 1 }
            if y > 0, result[(y - 1) * width + x] != own { edges += 1 }
        }
    }
    let isFlat = [flat[..<128], flat[128...]].allSatisfy { side in
        let (all, most) = (side.reduce(0, +), side.max() ?? 0)
        return (all - most) * 50 <= width * height
    }
    // Black that is rounded to 3 is black still; darker greys are not.
    let extremes = flat[...3].reduce(0, +) + flat[252...].reduce(0, +)
    let isExtreme = (flat.reduce(0, +) - extremes) * 50 <= width * height
    // Noise about the middle has edges everywhere.
    let isParted = between <= 2 * edges && between * 5 <= width * height
    guard isFlat, isExtreme, isParted, colored * 50 <= width * height else { return nil }
    return white > 0 || notBlack == 0 ? result : nil
}
