import Foundation

/// Reads an image that is in memory, such as an upload, in any of the formats of ``readImage(path:channels:limits:range:)``.
///
/// Its size is looked at before anything is allocated for its pixels.
///
/// - Parameters:
///   - data: The bytes of an image file.
///   - name: What errors call it.
///   - channels: How many channels it must have; 3 makes colours of whatever it has.
///   - limits: The most bytes, and the most pixels, that are accepted.
///   - range: Which values become black and white, of samples with more than 8 bits.
/// - Returns: The image, upright.
/// - Throws: ``DataError`` where it is too large, no image, or damaged.
public func readImage(
    data: Data, name: String = "image", channels: Int = 3, limits: ReadLimits = ReadLimits(),
    range: ValueRange? = nil
) throws -> Image {
    guard data.count <= limits.fileBytes else {
        throw DataError(file: name, problem: "has \(data.count) bytes, more than the limit of \(limits.fileBytes)")
    }
    guard channels == 3 else {
        return try decodeBands([UInt8](data), file: name, wanted: channels, limits: limits, range: range).image
    }
    return try decodeImage([UInt8](data), file: name, limits: limits, range: range).image
}
