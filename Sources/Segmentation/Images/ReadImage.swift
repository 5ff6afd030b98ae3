/// A decoded image with what its file says about it.
package struct DecodedImage: Sendable {
    /// The image, upright; smaller than the file's where that was asked for.
    package var image: Image
    /// Columns of the file's image as displayed.
    package let fullWidth: Int
    /// Rows of the file's image as displayed.
    package let fullHeight: Int
    /// Samples of a pixel in the file: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha, or CMYK.
    package let channels: Int
}

/// Reads a PNG or JPEG image as RGB.
///
/// Grey becomes equal channels, palettes become colours, 16 bits become their upper 8, transparency is dropped,
/// CMYK is converted without a profile, and the EXIF orientation is applied. A truncated or damaged file is an error,
/// also where a decoder could have filled the rest with grey.
public func readImage(path: String, limits: ReadLimits = ReadLimits()) throws -> Image {
    try readImage(path: path, limits: limits) { ($0, $1) }.image
}

/// Reads an image that will be resized to `target` of its size: a JPEG may come out smaller already, but not below it.
package func readImage(
    path: String, limits: ReadLimits, target: (_ width: Int, _ height: Int) -> (Int, Int)
) throws -> DecodedImage {
    let bytes = try readFileBytes(path, limit: limits.fileBytes)
    switch try PictureFormat(bytes, file: path) {
    case .png: return try decodePNGImage(bytes, file: path, limits: limits)
    case .jpeg: return try decodeJPEG(bytes, file: path, limits: limits, target: target)
    }
}

/// Reads a mask: the indices of a palette PNG, or the values of a grey PNG.
///
/// Grey of 1, 2 or 4 bits is not scaled up; grey of 16 bits is accepted when no value exceeds 255. Colour PNG and
/// JPEG are refused: neither holds class indices. `LabelMap` reads masks of other forms.
public func readMask(path: String, limits: ReadLimits = ReadLimits()) throws -> Mask {
    let raw = try readRawMask(path: path, limits: limits)
    switch raw.values {
    case .indices(let labels):
        return Mask(width: raw.width, height: raw.height, labels: labels)
    case .wide(let values):
        if let fault = values.firstIndex(where: { $0 > 255 }) {
            throw DataError(
                file: path,
                problem: "has the 16-bit value \(values[fault]) at column \(fault % raw.width), row"
                    + " \(fault / raw.width): labels are at most 255")
        }
        return Mask(width: raw.width, height: raw.height, labels: values.map { UInt8(truncatingIfNeeded: $0) })
    case .colors:
        throw DataError(
            file: path,
            problem: "is a colour PNG, and a mask must hold class indices: give its colours in the class file, or"
                + " convert it to a palette or grey PNG")
    }
}

/// A mask as its file holds it, before anybody says what its values mean.
struct RawMask {
    enum Values {
        /// One byte a pixel.
        case indices([UInt8])
        /// 16 bits a pixel.
        case wide([UInt16])
        /// Red, green and blue of each pixel.
        case colors([UInt8])
    }

    let width: Int
    let height: Int
    let values: Values
}

/// Reads a mask's values; palettes and greys as colours too where `asColors`.
func readRawMask(path: String, limits: ReadLimits, asColors: Bool = false) throws -> RawMask {
    let bytes = try readFileBytes(path, limit: limits.fileBytes)
    switch try PictureFormat(bytes, file: path) {
    case .png: return try decodePNGMask(bytes, file: path, limits: limits, asColors: asColors)
    case .jpeg:
        throw DataError(
            file: path, problem: "is a JPEG, which alters label values: masks must be palette or grey PNG")
    }
}

/// An image's size as displayed, by its header.
func readImageSize(path: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    // Metadata in front of the header is rarely longer than this.
    for prefix in [256 << 10, Int.max] {
        let bytes = try readFileBytes(path, limit: limits.fileBytes, prefix: prefix)
        let size =
            switch try PictureFormat(bytes, file: path) {
            case .png: pngSize(bytes)
            case .jpeg: jpegSize(bytes)
            }
        if let size {
            try checkSize(width: size.width, height: size.height, file: path, limits: limits)
            return size
        }
    }
    throw DataError(file: path, problem: "has no size in its header: the file is damaged")
}
