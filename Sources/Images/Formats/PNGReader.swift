import CSpng

/// An open PNG: owns libspng's context; the bytes must outlive it.
private final class PNGReader {
    let context: OpaquePointer
    let file: String
    private(set) var header = spng_ihdr()

    init(_ buffer: UnsafeRawBufferPointer, file: String, limits: ReadLimits) throws {
        guard let context = spng_ctx_new(0) else {
            throw DataError(file: file, problem: "no memory for reading it")
        }
        self.context = context
        self.file = file
        // Compressed metadata may claim any size: a chunk may not unpack to more than the file or 4 MiB.
        let chunk = max(buffer.count, 4 << 20)
        try check(spng_set_chunk_limits(context, chunk, chunk), file)
        try check(spng_set_png_buffer(context, buffer.baseAddress, buffer.count), file)
        try check(spng_get_ihdr(context, &header), file)
        try checkSize(width: Int(header.width), height: Int(header.height), file: file, limits: limits)
    }

    deinit { spng_ctx_free(context) }

    var width: Int { Int(header.width) }
    var height: Int { Int(header.height) }
    var depth: Int { Int(header.bit_depth) }
    var isInterlaced: Bool { header.interlace_method != 0 }

    /// Samples of a pixel: 1 for grey and palettes, 2 with alpha, 3 for colour, 4 with alpha.
    var channels: Int {
        switch UInt32(header.color_type) {
        case SPNG_COLOR_TYPE_GRAYSCALE.rawValue, SPNG_COLOR_TYPE_INDEXED.rawValue: 1
        case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA.rawValue: 2
        case SPNG_COLOR_TYPE_TRUECOLOR.rawValue: 3
        default: 4
        }
    }

    /// Decodes row after row into one buffer.
    func decodeRows(_ format: spng_format, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        var size = 0
        try check(spng_decoded_image_size(context, Int32(format.rawValue), &size), file)
        try check(
            spng_decode_image(context, nil, 0, Int32(format.rawValue), Int32(SPNG_DECODE_PROGRESSIVE.rawValue)), file)
        var line = [UInt8](repeating: 0, count: size / max(1, height))
        for number in 0..<height {
            let status = spng_decode_row(context, &line, line.count)
            // The last row is announced by the end of the image.
            if status != Int32(SPNG_EOI.rawValue) || number + 1 < height { try check(status, file) }
            try line.withUnsafeBytes(body)
        }
        try check(spng_decode_chunks(context), file)
    }

    /// Decodes all pixels, then reads on to the end so that a file cut off behind them is noticed too.
    func decode(_ format: spng_format) throws -> [UInt8] {
        var size = 0
        try check(spng_decoded_image_size(context, Int32(format.rawValue), &size), file)
        // Zeroes to begin with: libspng adds the bits of interlaced pixels to what is there.
        var pixels = [UInt8](repeating: 0, count: size)
        try check(spng_decode_image(context, &pixels, size, Int32(format.rawValue), 0), file)
        try check(spng_decode_chunks(context), file)
        return pixels
    }
}

private func check(_ status: Int32, _ file: String) throws {
    guard status != 0 else { return }
    let truncated = status == Int32(SPNG_IO_EOF.rawValue)
    let reason = truncated ? "the file is cut off" : String(cString: spng_strerror(status))
    throw DataError(file: file, problem: "cannot be decoded as PNG: \(reason)")
}

/// Refuses images that would need too much memory, before any of it is allocated.
func checkSize(width: Int, height: Int, file: String, limits: ReadLimits) throws {
    let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
    guard width > 0, height > 0, !overflow, pixels <= limits.pixels else {
        throw DataError(
            file: file, problem: "is \(width)x\(height) pixels, outside the limit of \(limits.pixels) pixels")
    }
}

/// Decodes the bytes of a PNG that this program has made; errors name the file that it is for.
package func decodePNG(_ bytes: [UInt8], file: String) throws -> Image {
    try decodePNGImage(bytes, file: file, limits: ReadLimits()).image
}

/// Decodes any PNG to RGB, upright according to its EXIF orientation.
package func decodePNGImage(
    _ bytes: [UInt8], file: String, limits: ReadLimits, range: ValueRange? = nil
) throws -> DecodedImage {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        var values: ClosedRange<Int>?
        let pixels: [UInt8]
        if reader.depth == 16 {
            let samples = try reader.decode(SPNG_FMT_PNG)
            let scale = SampleScale(depth: 16, range: range)
            pixels = samples.withUnsafeBytes { scaledColors($0, channels: reader.channels, scale, &values) }
        } else {
            pixels = try reader.decode(SPNG_FMT_RGB8)
        }
        let image = Image(width: reader.width, height: reader.height, pixels: pixels)
            .oriented(pngOrientation(bytes))
        var result = DecodedImage(
            image: image, fullWidth: image.width, fullHeight: image.height, channels: reader.channels)
        result.depth = reader.depth
        result.values = values
        return result
    }
}

/// Decodes the channels of a PNG: one of greys, three of colours and palettes; and transparency where that makes the
/// number that is wanted.
func decodePNGBands(
    _ bytes: [UInt8], file: String, wanted: Int?, limits: ReadLimits, range: ValueRange?
) throws -> DecodedImage {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        let stored = reader.channels
        let isPalette = UInt32(reader.header.color_type) == SPNG_COLOR_TYPE_INDEXED.rawValue
        var result: DecodedImage
        if isPalette || reader.depth < 8 || stored == 3 {
            result = try decodePNGImage(bytes, file: file, limits: limits, range: range)
            if !isPalette && stored == 1 { result.image = result.image.channel(0) }
            return result
        }
        let channels = stored % 2 == 0 && wanted != stored ? stored - 1 : stored
        let samples = try reader.decode(SPNG_FMT_PNG)
        let count = reader.width * reader.height
        let scale = SampleScale(depth: reader.depth, range: range)
        var (low, high) = (UInt16.max, UInt16.min)
        let pixels = [UInt8](unsafeUninitializedCapacity: count * channels) { pixels, initialized in
            samples.withUnsafeBytes { samples in
                for pixel in 0..<count {
                    for channel in 0..<channels {
                        let place = pixel * stored + channel
                        let value =
                            reader.depth == 8
                            ? UInt16(samples[place]) : samples.loadUnaligned(fromByteOffset: place * 2, as: UInt16.self)
                        (low, high) = (min(low, value), max(high, value))
                        pixels[pixel * channels + channel] = scale[value]
                    }
                }
            }
            initialized = count * channels
        }
        let image = Image(width: reader.width, height: reader.height, channels: channels, pixels: pixels)
            .oriented(pngOrientation(bytes))
        result = DecodedImage(image: image, fullWidth: image.width, fullHeight: image.height, channels: channels)
        result.depth = reader.depth
        if reader.depth == 16 { result.values = Int(low)...Int(high) }
        return result
    }
}

/// Red, green and blue of samples of 16 bits, greys as equal ones; widens `values` by what it meets.
private func scaledColors(
    _ samples: UnsafeRawBufferPointer, channels: Int, _ scale: SampleScale, _ values: inout ClosedRange<Int>?
) -> [UInt8] {
    let count = samples.count / (2 * channels)
    var (low, high) = (UInt16.max, UInt16.min)
    let pixels = [UInt8](unsafeUninitializedCapacity: count * 3) { pixels, initialized in
        for pixel in 0..<count {
            for channel in 0..<3 {
                let place = (pixel * channels + (channels > 2 ? channel : 0)) * 2
                let value = samples.loadUnaligned(fromByteOffset: place, as: UInt16.self)
                (low, high) = (min(low, value), max(high, value))
                pixels[pixel * 3 + channel] = scale[value]
            }
        }
        initialized = count * 3
    }
    if low <= high { values = min(Int(low), values?.lowerBound ?? .max)...max(Int(high), values?.upperBound ?? 0) }
    return pixels
}

/// A PNG's size as displayed, from its first bytes; nil where these do not reach far enough.
package func pngSize(_ bytes: [UInt8]) -> (width: Int, height: Int)? {
    guard bytes.count >= 24 else { return nil }
    func number(_ start: Int) -> Int { bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    return pngOrientation(bytes) >= 5 ? (number(20), number(16)) : (number(16), number(20))
}

/// Decodes a PNG to what a mask may hold: indices of 8 or 16 bits, or colours; palettes and greys as colours too where
/// `asColors`.
func decodePNGMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool = false) throws -> RawMask {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        let (width, height) = (reader.width, reader.height)
        func mask(_ values: RawMask.Values) -> RawMask { RawMask(width: width, height: height, values: values) }
        if asColors || reader.channels > 2 {
            var result = mask(.colors(try reader.decode(SPNG_FMT_RGB8)))
            result.holdsWholeGreys = reader.channels > 2 && reader.depth == 8
            return result
        }
        let channels = reader.channels
        let samples = try reader.decode(SPNG_FMT_PNG)
        switch reader.depth {
        case 16:
            return mask(
                .wide(
                    samples.withUnsafeBytes { raw in
                        stride(from: 0, to: raw.count, by: 2 * channels).map {
                            raw.loadUnaligned(fromByteOffset: $0, as: UInt16.self)
                        }
                    }))
        case 8:
            return mask(
                .indices(
                    channels == 1 ? samples : stride(from: 0, to: samples.count, by: channels).map { samples[$0] }))
        default:
            return mask(.indices(unpack(samples, width: width, height: height, depth: reader.depth)))
        }
    }
}

/// Decodes a PNG row by row, never holding more than one: 3 bytes a pixel where `asColors`, else samples as stored.
///
/// Interlaced files cannot be read this way: false is returned before any row.
package func decodePNGRows(
    _ bytes: [UInt8], file: String, limits: ReadLimits, range: ValueRange?, asColors: Bool,
    row: (UnsafeRawBufferPointer) throws -> Void
) throws -> Bool {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        if reader.isInterlaced { return false }
        if asColors && reader.depth == 16 {
            let scale = SampleScale(depth: 16, range: range)
            var values: ClosedRange<Int>?
            try reader.decodeRows(SPNG_FMT_PNG) { samples in
                try scaledColors(samples, channels: reader.channels, scale, &values).withUnsafeBytes(row)
            }
        } else {
            try reader.decodeRows(asColors ? SPNG_FMT_RGB8 : SPNG_FMT_PNG, row)
        }
        return true
    }
}

/// What kind of PNG a file is, from its header.
package func pngKind(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> (depth: Int, channels: Int) {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        return (reader.depth, reader.channels)
    }
}

/// Several samples to a byte, the leftmost in the highest bits, every row beginning with a new byte.
private func unpack(_ samples: [UInt8], width: Int, height: Int, depth: Int) -> [UInt8] {
    let perByte = 8 / depth
    let rowBytes = (width + perByte - 1) / perByte
    let maximum = UInt8((1 << depth) - 1)
    var labels: [UInt8] = []
    labels.reserveCapacity(width * height)
    for y in 0..<height {
        for x in 0..<width {
            let shift = 8 - depth * (x % perByte + 1)
            labels.append(samples[y * rowBytes + x / perByte] >> UInt8(shift) & maximum)
        }
    }
    return labels
}
