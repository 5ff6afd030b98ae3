/// Decodes any TIFF to RGB, upright according to its orientation.
func decodeTIFFImage(_ bytes: [UInt8], file: String, limits: ReadLimits, range: ValueRange?) throws -> DecodedImage {
    try bytes.withUnsafeBytes { buffer in
        let reader = try TIFFReader(buffer, file: file, limits: limits)
        var rows = try TIFFColorRows(reader, range: range)
        var pixels: [UInt8] = []
        if case .converted = reader.kind {
            pixels = try reader.convertedPixels()
        } else {
            pixels.reserveCapacity(reader.width * reader.height * 3)
            try reader.forEachRow { rows.append($0, to: &pixels) }
        }
        let image = Image(width: reader.width, height: reader.height, pixels: pixels).oriented(reader.orientation)
        var result = DecodedImage(
            image: image, fullWidth: image.width, fullHeight: image.height, channels: Int(reader.header.samples))
        result.depth = reader.depth
        result.values = rows.values
        result.notes = reader.notes
        if reader.leavesOutSample { result.notes.append(.samplesLeftOut(Int(reader.header.samples))) }
        return result
    }
}

/// Decodes a TIFF to what a mask may hold; palettes and greys as colours too where `asColors`.
func decodeTIFFMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool) throws -> RawMask {
    try bytes.withUnsafeBytes { buffer in
        let reader = try TIFFReader(buffer, file: file, limits: limits)
        try reader.refuseAsMask()
        let (width, height) = reader.size
        func upright<Value>(_ values: [Value], _ channels: Int) -> [Value] {
            turned(
                values, width: reader.width, height: reader.height, channels: channels, by: reader.orientation)
        }
        func mask(_ values: RawMask.Values) -> RawMask {
            RawMask(
                width: width, height: height, values: values,
                holdsWholeGreys: reader.channels == 3 && reader.depth == 8, notes: reader.notes)
        }
        if asColors || reader.channels == 3 {
            var rows = try TIFFColorRows(reader, range: nil)
            var pixels: [UInt8] = []
            try reader.forEachRow { rows.append($0, to: &pixels) }
            return mask(.colors(upright(pixels, 3)))
        } else if reader.depth <= 8 {
            var labels: [UInt8] = []
            labels.reserveCapacity(width * height)
            try reader.forEachRow { labels += $0.map { UInt8(truncatingIfNeeded: $0) } }
            return mask(.indices(upright(labels, 1)))
        }
        var values: [UInt16] = []
        values.reserveCapacity(width * height)
        try reader.forEachRow { values += $0 }
        return mask(.wide(upright(values, 1)))
    }
}

/// Decodes a TIFF row by row, never holding more than a row of its tiles.
///
/// A pixel has 3 bytes where `asColors` or where it is coloured, else 1 or 2, the higher first; `begin` is told how many
/// before the first row. Files that must be turned, or whose colours libtiff converts, cannot be read this way: false
/// is returned then.
package func decodeTIFFRows(
    _ path: String, limits: ReadLimits, range: ValueRange?, asColors: Bool,
    begin: (_ width: Int, _ height: Int, _ pixelBytes: Int) throws -> Void, row: ([UInt8]) throws -> Void
) throws -> Bool {
    let reader = try TIFFReader(path: path, limits: limits)
    if !asColors { try reader.refuseAsMask() }
    if case .converted = reader.kind { return false }
    guard reader.orientation == 1 else { return false }
    let pixelBytes = asColors || reader.channels == 3 ? 3 : reader.depth <= 8 ? 1 : 2
    var rows = pixelBytes == 3 ? try TIFFColorRows(reader, range: range) : nil
    try begin(reader.width, reader.height, pixelBytes)
    try reader.forEachRow { values in
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * pixelBytes)
        if rows != nil {
            rows?.append(values, to: &bytes)
        } else if pixelBytes == 1 {
            bytes += values.map { UInt8(truncatingIfNeeded: $0) }
        } else {
            for value in values { bytes += [UInt8(value >> 8), UInt8(value & 255)] }
        }
        try row(bytes)
    }
    return true
}

extension TIFFReader {
    fileprivate func refuseAsMask() throws {
        if isLossy {
            throw DataError(
                file: file,
                problem: "is a TIFF compressed like a JPEG, which alters label values: save masks without loss")
        }
        if case .converted = kind {
            throw DataError(
                file: file, problem: "is a TIFF of inks or the like: masks must be palette, grey or RGB")
        }
    }
}

/// Turns rows of a TIFF's values into red, green and blue, or into the bytes of its bands.
struct TIFFColorRows {
    /// The smallest and the largest value, of samples with more than 8 bits.
    private(set) var values: ClosedRange<Int>?
    private let scale: SampleScale
    private let palette: [UInt8]
    private let keepsSamples: Bool
    private let isDeep: Bool

    init(_ reader: TIFFReader, range: ValueRange?) throws {
        guard reader.depth <= 16, reader.header.format != 2 else {
            throw DataError(
                file: reader.file,
                problem: "is a TIFF of \(reader.depth) bits a sample\(reader.header.format == 2 ? ", with sign" : ""):"
                    + " save images with 8 or 16 bits, without sign")
        }
        scale = SampleScale(depth: reader.depth, range: range)
        keepsSamples =
            switch reader.kind {
            case .color, .bands: true
            case .grey, .palette, .converted: false
            }
        isDeep = reader.depth > 8
        if case .palette = reader.kind { palette = try reader.palette() } else { palette = [] }
    }

    mutating func append(_ row: UnsafeMutableBufferPointer<UInt16>, to pixels: inout [UInt8]) {
        if isDeep, let low = row.min(), let high = row.max() {
            values = min(Int(low), values?.lowerBound ?? .max)...max(Int(high), values?.upperBound ?? 0)
        }
        if keepsSamples {
            for value in row { pixels.append(scale[value]) }
        } else if palette.isEmpty {
            for value in row {
                let byte = scale[value]
                pixels.append(byte)
                pixels.append(byte)
                pixels.append(byte)
            }
        } else {
            for value in row {
                let start = min(Int(value) * 3, palette.count - 3)
                pixels.append(palette[start])
                pixels.append(palette[start + 1])
                pixels.append(palette[start + 2])
            }
        }
    }
}
