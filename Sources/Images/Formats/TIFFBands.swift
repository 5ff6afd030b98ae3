/// Decodes the bands of a TIFF: the samples of its first page, or of all pages one after the other.
///
/// Inks and palettes are colours here, too. Transparency counts where that makes the number that is wanted.
///
/// - Parameters:
///   - bytes: The file.
///   - file: Its name for errors.
///   - wanted: The number of channels; nil takes those that are there.
///   - limits: What is accepted.
///   - range: What becomes black and white, of samples with more than 8 bits.
/// - Returns: An image of so many channels, upright.
/// - Throws: ``DataError`` where the file has another number of channels, is too large or damaged.
func decodeTIFFBands(
    _ bytes: [UInt8], file: String, wanted: Int?, limits: ReadLimits, range: ValueRange?
) throws -> DecodedImage {
    try bytes.withUnsafeBytes { buffer in
        let reader = try TIFFReader(buffer, file: file, limits: limits, asBands: true)
        guard case .bands = reader.kind else {
            return try decodeTIFFImage(bytes, file: file, limits: limits, range: range)
        }
        let orientation = reader.orientation
        let pages = try reader.pages(holding: wanted, limits: limits)
        var values: ClosedRange<Int>?
        let images = try pages.map { page in
            if pages.count > 1 { try reader.turn(toPage: page) }
            var rows = try TIFFColorRows(reader, range: range)
            var pixels: [UInt8] = []
            pixels.reserveCapacity(reader.width * reader.height * reader.channels)
            try reader.forEachRow { rows.append($0, to: &pixels) }
            values = values.hull(rows.values)
            return Image(width: reader.width, height: reader.height, channels: reader.channels, pixels: pixels)
        }
        let image = Image(joining: images).oriented(orientation)
        var result = DecodedImage(
            image: image, fullWidth: image.width, fullHeight: image.height, channels: image.channels)
        result.depth = reader.depth
        result.values = values
        result.notes = pages.count == 1 ? reader.notes : []
        return result
    }
}

/// Decodes the bands of a TIFF's first page row by row, so that it need not fit into memory.
///
/// - Parameters:
///   - path: The file.
///   - wanted: The number of channels.
///   - limits: What is accepted.
///   - range: What becomes black and white, of samples with more than 8 bits.
///   - begin: Told the size before the first row.
///   - row: Given each row, `wanted` bytes a pixel.
/// - Returns: False where it can be decoded as a whole alone: it is turned, has its bands in several pages, or has colours.
/// - Throws: ``DataError`` where the file has another number of channels, is too large or damaged; what the closures throw.
package func decodeTIFFBandRows(
    _ path: String, wanted: Int, limits: ReadLimits, range: ValueRange?,
    begin: (_ width: Int, _ height: Int) throws -> Void, row: ([UInt8]) throws -> Void
) throws -> Bool {
    let reader = try TIFFReader(path: path, limits: limits, asBands: true)
    guard case .bands = reader.kind, reader.orientation == 1,
        try reader.pages(holding: wanted, limits: limits).count == 1, reader.channels == wanted
    else { return false }
    var rows = try TIFFColorRows(reader, range: range)
    try begin(reader.width, reader.height)
    try reader.forEachRow { values in
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count)
        rows.append(values, to: &bytes)
        try row(bytes)
    }
    return true
}

/// The largest value in any band of a TIFF; nil where its samples have 8 bits or less, or are no bands.
package func largestTIFFValue(_ path: String, limits: ReadLimits) throws -> Int? {
    let reader = try TIFFReader(path: path, limits: limits, asBands: true)
    guard reader.depth > 8, case .bands = reader.kind else { return nil }
    let pages = try reader.fullPages()
    var largest = 0
    for page in pages {
        if pages.count > 1 { try reader.turn(toPage: page) }
        reader.dropsAlpha = true
        try reader.forEachRow { largest = max(largest, Int($0.max() ?? 0)) }
    }
    return largest
}

extension TIFFReader {
    /// How many pages are looked at: a pyramid of smaller copies has some tens.
    private static let pageLimit = 256

    /// The pages that hold a number of channels; settles whether transparency is one of them.
    fileprivate func pages(holding wanted: Int?, limits: ReadLimits) throws -> [Int] {
        let samples = Int(header.samples)
        let opaque = samples - (hasAlpha ? 1 : 0)
        if let wanted, [samples, opaque].contains(wanted) {
            dropsAlpha = wanted != samples
            try checkChannels(wanted, width: width, height: height, file: file, limits: limits)
            return [0]
        }
        let pages = try fullPages()
        let (all, own) = (pages.count * samples, pages.count * opaque)
        let place = pages.count > 1 ? " in \(pages.count) pages" : ""
        guard wanted ?? own == own || wanted == all else {
            throw DataError(
                file: file, problem: "has \(channelCount(own))\(place), where data.channels is \(wanted ?? own)")
        }
        dropsAlpha = wanted != all
        try checkChannels(wanted ?? own, width: width, height: height, file: file, limits: limits)
        return pages
    }

    /// All pages that are no smaller copies of others, which must be alike.
    fileprivate func fullPages() throws -> [Int] {
        let first = header
        var pages = [0]
        var page = 0
        while header.has_more_pages != 0 {
            page += 1
            guard page < Self.pageLimit else {
                throw DataError(file: file, problem: "has more than \(Self.pageLimit) pages")
            }
            try turn(toPage: page)
            if header.is_secondary != 0 { continue }
            guard (header.width, header.height) == (first.width, first.height),
                (header.samples, header.bits, header.photometric) == (first.samples, first.bits, first.photometric)
            else {
                throw DataError(
                    file: file,
                    problem: "is \(first.width)x\(first.height) pixels of \(first.samples) samples of \(first.bits)"
                        + " bits, and its page \(page + 1) is \(header.width)x\(header.height) of \(header.samples) of"
                        + " \(header.bits): pages that are bands must be alike")
            }
            pages.append(page)
            let most = ChannelNormalization.possibleChannels.upperBound
            guard pages.count <= most else {
                throw DataError(
                    file: file, problem: "has more than \(most) pages of equal size: no more channels are read")
            }
        }
        if page > 0 { try turn(toPage: 0) }
        return pages
    }
}

extension ClosedRange<Int>? {
    /// The range that holds both.
    func hull(_ other: ClosedRange<Int>?) -> ClosedRange<Int>? {
        guard let self, let other else { return self ?? other }
        return min(self.lowerBound, other.lowerBound)...max(self.upperBound, other.upperBound)
    }
}
