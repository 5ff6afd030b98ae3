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
/// In blocks of 8 by 8, as JPEG has them, that hold no edge, nearly all pixels must be black or white. A picture without
/// white must be black throughout: else it holds small indices.
private func blackAndWhite(_ image: Image) -> [UInt8]? {
    let (width, height, side) = (image.width, image.height, 8)
    var (odd, white, notBlack) = (0, 0, 0)
    var result = [UInt8](repeating: 0, count: width * height)
    for top in stride(from: 0, to: height, by: side) {
        for left in stride(from: 0, to: width, by: side) {
            var (bright, strange, pixels) = (0, 0, 0)
            for y in top..<min(top + side, height) {
                for x in left..<min(left + side, width) {
                    let place = (y * width + x) * 3
                    let (red, green, blue) = (image.pixels[place], image.pixels[place + 1], image.pixels[place + 2])
                    pixels += 1
                    notBlack += green > 0 ? 1 : 0
                    if max(red, green, blue) - min(red, green, blue) > 24 { odd += 1 }
                    if green >= 128 {
                        bright += 1
                        result[y * width + x] = 255
                    }
                    strange += (3...252).contains(green) ? 1 : 0
                }
            }
            white += bright
            if bright == 0 || bright == pixels { odd += strange }
        }
    }
    return odd * 20 <= width * height && (white > 0 || notBlack == 0) ? result : nil
}
