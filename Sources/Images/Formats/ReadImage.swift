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
    /// Bits of a sample in the file.
    package var depth = 8
    /// The smallest and the largest value, where samples have more than 8 bits.
    package var values: ClosedRange<Int>?
    /// What should be known about the file.
    package var notes: [ReadNote] = []
}

/// Reads an image as RGB: PNG, JPEG, TIFF, BMP, GIF, WebP, or a portable pixmap (PPM, PGM).
///
/// Grey becomes equal channels, palettes become colours, transparency is dropped, CMYK is converted without a profile,
/// and the EXIF orientation is applied. Of samples with more than 8 bits `range` says which values become black and
/// white; without it their upper 8 bits are taken. Of several pages or frames the first is read. A truncated or damaged
/// file is an error, also where a decoder could have filled the rest with grey.
///
/// Where another number of channels than 3 is asked for, nothing becomes colours: a grey file has one channel, a coloured
/// one three, a TIFF as many as its samples or those of its pages together; a file that has others is an error.
public func readImage(
    path: String, channels: Int = 3, limits: ReadLimits = ReadLimits(), range: ValueRange? = nil
) throws -> Image {
    guard channels == 3 else {
        return try readBands(paths: [path], channels: channels, limits: limits, range: range).image
    }
    return try readImage(path: path, limits: limits, range: range) { ($0, $1) }.image
}

/// Reads an image that will be resized to `target` of its size: a JPEG may come out smaller already, but not below it.
package func readImage(
    path: String, limits: ReadLimits, range: ValueRange? = nil, target: (_ width: Int, _ height: Int) -> (Int, Int)
) throws -> DecodedImage {
    try decodeImage(
        readFileBytes(path, limit: limits.fileBytes), file: path, limits: limits, range: range, target: target)
}

/// Decodes the bytes of an image file; errors name `file`.
package func decodeImage(
    _ bytes: [UInt8], file: String, limits: ReadLimits, range: ValueRange? = nil,
    target: (_ width: Int, _ height: Int) -> (Int, Int) = { ($0, $1) }
) throws -> DecodedImage {
    var result =
        switch try PictureFormat(bytes, file: file) {
        case .png: try decodePNGImage(bytes, file: file, limits: limits, range: range)
        case .jpeg: try decodeJPEG(bytes, file: file, limits: limits, target: target)
        case .tiff: try decodeTIFFImage(bytes, file: file, limits: limits, range: range)
        case .bmp: try decodeBMPImage(bytes, file: file, limits: limits)
        case .gif: try decodeGIFImage(bytes, file: file, limits: limits)
        case .webP: try decodeWebPImage(bytes, file: file, limits: limits)
        case .portable: try decodePortableImage(bytes, file: file, limits: limits, range: range)
        }
    if result.values != nil && range == nil { result.notes.append(.upperBits(result.depth)) }
    return result
}

/// Reads a mask: the indices of a palette, or the values of greys, from PNG, TIFF, BMP, GIF, WebP without loss, or PGM.
///
/// Grey of 1, 2 or 4 bits is not scaled up; grey of 16 bits is accepted when no value exceeds 255. Red, green and blue of
/// 8 bits that are equal everywhere are a grey. Other colours are refused, for they are no class indices, and so is JPEG, which
/// alters them, unless it shows black and white alone. `LabelMap` reads masks of other forms.
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
        if let greys = raw.greys { return Mask(width: raw.width, height: raw.height, labels: greys) }
        throw raw.refusedColors(file: path)
    }
}

/// A mask as its file holds it, before anybody says what its values mean.
package struct RawMask {
    package enum Values {
        /// One byte a pixel.
        case indices([UInt8])
        /// 16 bits a pixel.
        case wide([UInt16])
        /// Red, green and blue of each pixel.
        case colors([UInt8])
    }

    /// Pixels in a row.
    package let width: Int
    /// Rows.
    package let height: Int
    /// What the file holds.
    package let values: Values
    /// Whether colours are as the file holds them, 8 bits each, so that equal ones are the values of a grey mask.
    var holdsWholeGreys = false
    /// The file's format, where it is known.
    var format: PictureFormat?
    /// What should be known about the file.
    package var notes: [ReadNote] = []

    package init(
        width: Int, height: Int, values: Values, holdsWholeGreys: Bool = false, format: PictureFormat? = nil,
        notes: [ReadNote] = []
    ) {
        self.width = width
        self.height = height
        self.values = values
        self.holdsWholeGreys = holdsWholeGreys
        self.format = format
        self.notes = notes
    }

    /// The greys of a file of colours, where all of them are greys: many programs save greys in this way.
    package var greys: [UInt8]? {
        guard holdsWholeGreys, case .colors(let pixels) = values else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(width * height)
        for start in stride(from: 0, to: pixels.count, by: 3) {
            guard pixels[start] == pixels[start + 1], pixels[start] == pixels[start + 2] else { return nil }
            result.append(pixels[start])
        }
        return result
    }

    /// The fault of a mask of colours that mean nothing.
    package func refusedColors(file: String) -> DataError {
        DataError(
            file: file,
            problem: "is a colour \(format?.name ?? "picture"), and a mask must hold class indices: give its colours in"
                + " the class file, or convert it to a palette or grey PNG")
    }
}

/// Reads a mask's values; palettes and greys as colours too where `asColors`.
package func readRawMask(path: String, limits: ReadLimits, asColors: Bool = false) throws -> RawMask {
    try decodeRawMask(
        readFileBytes(path, limit: limits.fileBytes), file: path, limits: limits, asColors: asColors)
}

/// Decodes the bytes of a mask file; errors name `file`.
package func decodeRawMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool = false) throws -> RawMask
{
    let format = try PictureFormat(bytes, file: file)
    var result =
        switch format {
        case .png: try decodePNGMask(bytes, file: file, limits: limits, asColors: asColors)
        case .jpeg: try decodeJPEGMask(bytes, file: file, limits: limits, asColors: asColors)
        case .tiff: try decodeTIFFMask(bytes, file: file, limits: limits, asColors: asColors)
        case .bmp: try decodeBMPMask(bytes, file: file, limits: limits, asColors: asColors)
        case .gif: try decodeGIFMask(bytes, file: file, limits: limits, asColors: asColors)
        case .webP: try decodeWebPMask(bytes, file: file, limits: limits)
        case .portable: try decodePortableMask(bytes, file: file, limits: limits, asColors: asColors)
        }
    result.format = format
    return result
}

/// An image's size as displayed, by its header.
package func readImageSize(path: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    // Metadata in front of the header is rarely longer than this.
    for prefix in [256 << 10, Int.max] {
        let bytes = try readFileBytes(path, limit: limits.fileBytes, prefix: prefix)
        let isWhole = prefix == .max || bytes.count < prefix
        let size: (width: Int, height: Int)?
        switch try PictureFormat(bytes, file: path) {
        case .png: size = pngSize(bytes)
        case .jpeg: size = jpegSize(bytes)
        case .tiff: size = try TIFFReader(path: path, limits: limits, asBands: true).size
        case .bmp: size = try attempt(isWhole) { try bmpSize(bytes, file: path, limits: limits) }
        case .gif: size = try attempt(isWhole) { try gifSize(bytes, file: path, limits: limits) }
        case .webP: size = isWhole ? try webPSize(bytes, file: path, limits: limits) : nil
        case .portable: size = try PortableHeader(bytes, file: path).size
        }
        if let size {
            try checkSize(width: size.width, height: size.height, file: path, limits: limits)
            return size
        }
    }
    throw DataError(file: path, problem: "has no size in its header: the file is damaged")
}

/// What a reader finds in the first bytes of a file; its error counts where these are all.
private func attempt<Value>(_ isWhole: Bool, _ body: () throws -> Value) throws -> Value? {
    isWhole ? try body() : try? body()
}
