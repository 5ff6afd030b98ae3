/// Reads an image of any number of channels from a file, or from several whose channels follow one another.
///
/// A grey file has one channel, a coloured one three; a TIFF has its samples, or those of all its pages where the first
/// alone has others than are wanted. Transparency is left out, unless one file has the wanted number with it.
///
/// - Parameters:
///   - paths: The files, one at least, all of one size as displayed.
///   - channels: How many channels they have together.
///   - limits: What is accepted of each file.
///   - range: What becomes black and white, of samples with more than 8 bits.
/// - Returns: An image of so many channels.
/// - Throws: ``DataError`` that names the file which differs, or is too large or damaged.
package func readBands(
    paths: [String], channels: Int, limits: ReadLimits, range: ValueRange? = nil
) throws -> DecodedImage {
    precondition(!paths.isEmpty, "an image of no file")
    if paths.count == 1 {
        return try decodeBands(
            readFileBytes(paths[0], limit: limits.fileBytes), file: paths[0], wanted: channels, limits: limits,
            range: range)
    }
    var parts: [DecodedImage] = []
    for path in paths {
        let part = try decodeBands(
            readFileBytes(path, limit: limits.fileBytes), file: path, wanted: nil, limits: limits, range: range)
        if let first = parts.first, (first.fullWidth, first.fullHeight) != (part.fullWidth, part.fullHeight) {
            throw DataError(
                file: path,
                problem: "is \(part.fullWidth)x\(part.fullHeight) pixels, where \(paths[0]) of the same sample is"
                    + " \(first.fullWidth)x\(first.fullHeight): they must be equal")
        }
        parts.append(part)
        let count = parts.reduce(0) { $0 + $1.image.channels }
        guard count <= channels else { throw wrongChannels(count, wanted: channels, paths.prefix(parts.count)) }
        try checkChannels(
            channels, width: part.fullWidth, height: part.fullHeight, file: path, limits: limits)
    }
    let count = parts.reduce(0) { $0 + $1.image.channels }
    guard count == channels else { throw wrongChannels(count, wanted: channels, paths[...]) }
    let image = Image(joining: parts.map(\.image))
    var result = DecodedImage(
        image: image, fullWidth: image.width, fullHeight: image.height, channels: image.channels)
    result.depth = parts.map(\.depth).max() ?? 8
    result.values = parts.reduce(nil) { $0.hull($1.values) }
    result.notes = parts.flatMap(\.notes)
    return result
}

/// The fault of files that have other channels together.
private func wrongChannels(_ count: Int, wanted: Int, _ paths: ArraySlice<String>) -> DataError {
    DataError(
        file: paths.first ?? "",
        problem:
            "has, with \(paths.dropFirst().joined(separator: ", ")), \(channelCount(count)), where data.channels is"
            + " \(wanted)")
}

/// Decodes the channels of an image file; errors name `file`.
///
/// - Parameters:
///   - bytes: The file.
///   - file: Its name for errors.
///   - wanted: The number of channels; nil takes those that are there.
///   - limits: What is accepted.
///   - range: What becomes black and white, of samples with more than 8 bits.
/// - Returns: An image of so many channels, upright.
/// - Throws: ``DataError`` where the file has another number of channels, is too large or damaged.
package func decodeBands(
    _ bytes: [UInt8], file: String, wanted: Int?, limits: ReadLimits, range: ValueRange? = nil
) throws -> DecodedImage {
    let format = try PictureFormat(bytes, file: file)
    var result: DecodedImage
    switch format {
    case .tiff:
        result = try decodeTIFFBands(bytes, file: file, wanted: wanted, limits: limits, range: range)
    case .png:
        result = try decodePNGBands(bytes, file: file, wanted: wanted, limits: limits, range: range)
    case .jpeg, .portable, .bmp, .gif, .webP:
        result = try decodeImage(bytes, file: file, limits: limits, range: range)
        // Palettes of the others are colours, even if they should be greys.
        if [.jpeg, .portable].contains(format), result.channels == 1 { result.image = result.image.channel(0) }
    }
    if result.values != nil, range == nil, !result.notes.contains(.upperBits(result.depth)) {
        result.notes.append(.upperBits(result.depth))
    }
    guard result.image.channels == wanted ?? result.image.channels else {
        throw DataError(
            file: file,
            problem: "has \(channelCount(result.image.channels)), where data.channels is \(wanted ?? 0)")
    }
    return DecodedImage(result, channels: result.image.channels)
}

/// A number of channels in words.
func channelCount(_ channels: Int) -> String { channels == 1 ? "1 channel" : "\(channels) channels" }

extension DecodedImage {
    /// The same with the number of channels that were read.
    fileprivate init(_ other: DecodedImage, channels: Int) {
        self.init(
            image: other.image, fullWidth: other.fullWidth, fullHeight: other.fullHeight, channels: channels)
        depth = other.depth
        values = other.values
        notes = other.notes
    }
}

/// Refuses images whose channels would need more memory than an image of colours may take, before it is allocated.
func checkChannels(_ channels: Int, width: Int, height: Int, file: String, limits: ReadLimits) throws {
    try checkSize(width: width, height: height, file: file, limits: limits)
    let (samples, overflow) = (width * height).multipliedReportingOverflow(by: channels)
    let (most, isUnbounded) = limits.pixels.multipliedReportingOverflow(by: 3)
    guard !overflow, isUnbounded || samples <= most else {
        throw DataError(
            file: file,
            problem: "is \(width)x\(height) pixels of \(channels) channels, outside the limit of \(most) samples")
    }
}

extension Image {
    /// The channels of all images, one image's behind the other's; all have one size.
    init(joining images: [Image]) {
        if images.count == 1 {
            self = images[0]
            return
        }
        let (width, height) = (images[0].width, images[0].height)
        let channels = images.reduce(0) { $0 + $1.channels }
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * channels) { buffer, count in
            var first = 0
            for image in images {
                precondition(image.width == width && image.height == height, "images of different sizes joined")
                for pixel in 0..<width * height {
                    for channel in 0..<image.channels {
                        buffer[pixel * channels + first + channel] = image.pixels[pixel * image.channels + channel]
                    }
                }
                first += image.channels
            }
            count = width * height * channels
        }
        self.init(width: width, height: height, channels: channels, pixels: pixels)
    }

    /// One channel alone.
    func channel(_ channel: Int) -> Image {
        Image(
            width: width, height: height, channels: 1,
            pixels: stride(from: channel, to: pixels.count, by: channels).map { pixels[$0] })
    }
}
