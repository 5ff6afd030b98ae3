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

/// Decodes any PNG to RGB.
func decodePNGImage(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> Image {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        let pixels = try reader.decode(SPNG_FMT_RGB8)
        return Image(width: Int(reader.header.width), height: Int(reader.header.height), pixels: pixels)
    }
}

/// Decodes a palette PNG to its indices, or a grey PNG to its values.
func decodePNGMask(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> Mask {
    try bytes.withUnsafeBytes { buffer in
        let reader = try PNGReader(buffer, file: file, limits: limits)
        let width = Int(reader.header.width)
        let height = Int(reader.header.height)
        let depth = Int(reader.header.bit_depth)
        let channels: Int
        switch UInt32(reader.header.color_type) {
        case SPNG_COLOR_TYPE_GRAYSCALE.rawValue, SPNG_COLOR_TYPE_INDEXED.rawValue: channels = 1
        case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA.rawValue: channels = 2
        default:
            throw DataError(
                file: file,
                problem: "is a colour PNG, and a mask must hold class indices: convert its colours to a palette"
                    + " or grey PNG")
        }
        let samples = try reader.decode(SPNG_FMT_PNG)
        let labels =
            switch depth {
            case 16: try narrow(samples, channels: channels, width: width, file: file)
            case 8: channels == 1 ? samples : stride(from: 0, to: samples.count, by: channels).map { samples[$0] }
            default: unpack(samples, width: width, height: height, depth: depth)
            }
        return Mask(width: width, height: height, labels: labels)
    }
}

/// Values of 16 bits in the machine's byte order, each of which must fit in 8.
private func narrow(_ samples: [UInt8], channels: Int, width: Int, file: String) throws -> [UInt8] {
    try samples.withUnsafeBytes { raw in
        try stride(from: 0, to: raw.count, by: 2 * channels).map { offset in
            let value = raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            guard let label = UInt8(exactly: value) else {
                let pixel = offset / (2 * channels)
                throw DataError(
                    file: file,
                    problem: "has the 16-bit value \(value) at column \(pixel % width), row \(pixel / width):"
                        + " labels are at most 255")
            }
            return label
        }
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
