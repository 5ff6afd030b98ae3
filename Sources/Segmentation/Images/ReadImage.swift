/// The picture formats that are told apart by a file's first bytes, never by its name.
enum PictureFormat {
    case png
    case jpeg

    /// Recognises a file; anything else is refused with the name of what it seems to be.
    init(_ bytes: [UInt8], file: String) throws {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8]) {
            self = .jpeg
        } else if bytes.isEmpty {
            throw DataError(file: file, problem: "is empty")
        } else if let known = Self.otherFormats.first(where: { bytes.starts(with: $0.signature.utf8) }) {
            throw DataError(file: file, problem: "is \(known.name), not a PNG or JPEG image: \(known.remedy)")
        } else {
            throw DataError(file: file, problem: "is neither a PNG nor a JPEG image")
        }
    }

    private static let otherFormats = [
        (signature: "GIF8", name: "a GIF", remedy: "convert it to PNG"),
        (signature: "BM", name: "a BMP", remedy: "convert it to PNG"),
        (signature: "II*\0", name: "a TIFF", remedy: "convert it to PNG"),
        (signature: "MM\0*", name: "a TIFF", remedy: "convert it to PNG"),
        (signature: "RIFF", name: "a RIFF (WebP?) file", remedy: "convert it to PNG"),
        (signature: "version https://git-lfs", name: "a Git LFS pointer", remedy: "fetch it with `git lfs pull`"),
    ]
}

/// Reads a PNG or JPEG image as RGB.
///
/// Grey becomes equal channels, palettes become colours, 16 bits become their upper 8, transparency is dropped,
/// CMYK is converted without a profile, and a JPEG's EXIF orientation is applied. A truncated or damaged file is
/// an error, also where a decoder could have filled the rest with grey.
public func readImage(path: String, limits: ReadLimits = ReadLimits()) throws -> Image {
    let bytes = try readFileBytes(path, limit: limits.fileBytes)
    switch try PictureFormat(bytes, file: path) {
    case .png: return try decodePNGImage(bytes, file: path, limits: limits)
    case .jpeg: return try decodeJPEG(bytes, file: path, limits: limits)
    }
}

/// Reads a mask: the indices of a palette PNG, or the values of a grey PNG.
///
/// Grey of 1, 2 or 4 bits is not scaled up; grey of 16 bits is accepted when no value exceeds 255. Colour PNG and
/// JPEG are refused: neither holds class indices.
public func readMask(path: String, limits: ReadLimits = ReadLimits()) throws -> Mask {
    let bytes = try readFileBytes(path, limit: limits.fileBytes)
    switch try PictureFormat(bytes, file: path) {
    case .png: return try decodePNGMask(bytes, file: path, limits: limits)
    case .jpeg:
        throw DataError(
            file: path, problem: "is a JPEG, which alters label values: masks must be palette or grey PNG")
    }
}
