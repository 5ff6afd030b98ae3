import CCodecs

/// A page of an open TIFF, the first to begin with: owns libtiff's handle, and checks what the header says before
/// anything is decoded.
package final class TIFFReader {
    /// What the samples of a pixel are.
    package enum Kind {
        case grey(whiteIsZero: Bool)
        case palette
        case color
        /// Any number of samples, each a channel of its own.
        case bands(whiteIsZero: Bool)
        /// Inks, brightness and colour differences, and others that libtiff turns into colours.
        case converted
    }

    let file: String
    private(set) var header: ctiff_header
    package private(set) var kind: Kind
    /// Whether the last sample of a pixel, its transparency, is left out of ``channels``.
    var dropsAlpha = false
    private let asBands: Bool
    private let limits: ReadLimits
    private let handle: OpaquePointer

    /// Opens a file in memory; the bytes must outlive the reader.
    package convenience init(
        _ bytes: UnsafeRawBufferPointer, file: String, limits: ReadLimits, asBands: Bool = false
    ) throws {
        let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try self.init(
            ctiff_open(base, bytes.count, file, Self.allocation(limits)), file: file, limits: limits, asBands: asBands)
    }

    /// Opens a file on the disk, of which only what is needed is read.
    package convenience init(path: String, limits: ReadLimits, asBands: Bool = false) throws {
        try self.init(
            ctiff_open(nil, 0, path, Self.allocation(limits)), file: path, limits: limits, asBands: asBands)
    }

    private init(_ handle: OpaquePointer?, file: String, limits: ReadLimits, asBands: Bool) throws {
        guard let handle else { throw DataError(file: file, problem: "no memory for reading it") }
        do {
            (header, kind) = try Self.checkedHeader(handle, file: file, limits: limits, asBands: asBands)
        } catch {
            ctiff_close(handle)
            throw error
        }
        self.handle = handle
        self.file = file
        self.limits = limits
        self.asBands = asBands
    }

    deinit { ctiff_close(handle) }

    private static func checkedHeader(
        _ handle: OpaquePointer, file: String, limits: ReadLimits, asBands: Bool
    ) throws -> (ctiff_header, Kind) {
        var header = ctiff_header()
        guard ctiff_read_header(handle, &header) == 1 else { throw fault(handle, file) }
        try checkSize(width: Int(header.width), height: Int(header.height), file: file, limits: limits)
        let kind = try kind(header, file: file, asBands: asBands)
        try checkTiles(header, file: file, limits: limits)
        return (header, kind)
    }

    /// Goes to a page, counted from 0, and checks its header.
    func turn(toPage page: Int) throws {
        guard ctiff_set_page(handle, UInt32(page)) == 1 else { throw fault() }
        (header, kind) = try Self.checkedHeader(handle, file: file, limits: limits, asBands: asBands)
    }

    var width: Int { Int(header.width) }
    var height: Int { Int(header.height) }
    package var depth: Int { Int(header.bits) }
    var orientation: Int { (1...8).contains(header.orientation) ? Int(header.orientation) : 1 }
    /// Samples of a pixel that are colours, or bands.
    var channels: Int {
        switch kind {
        case .color: 3
        case .bands: Int(header.samples) - (dropsAlpha && hasAlpha ? 1 : 0)
        case .grey, .palette, .converted: 1
        }
    }

    /// Whether the last sample of a pixel is its transparency.
    var hasAlpha: Bool { header.has_alpha != 0 && header.samples > 1 }

    /// Whether a sample beside those of a grey or a colour is not read, though it is no transparency.
    var leavesOutSample: Bool {
        switch kind {
        case .grey, .color: Int(header.samples) > channels && !hasAlpha
        case .palette, .bands, .converted: false
        }
    }

    /// The size as displayed.
    var size: (width: Int, height: Int) { orientation >= 5 ? (height, width) : (width, height) }

    /// What to say of a file whose other pages are not looked at.
    var notes: [ReadNote] { header.has_more_pages != 0 ? [.pages] : [] }

    /// Compression that alters values: JPEG of both kinds, JPEG 2000, LERC, WebP, JPEG XL.
    var isLossy: Bool { [6, 7, 33_003, 33_004, 33_005, 34_712, 34_887, 50_001, 50_002].contains(header.compression) }

    private static func allocation(_ limits: ReadLimits) -> UInt64 {
        UInt64(min(max(limits.pixels, 0), 1 << 40)) * 16 + 64 << 20
    }

    private static func fault(_ handle: OpaquePointer, _ file: String) -> DataError {
        let reason = String(cString: ctiff_message(handle)).filter { $0.isASCII }
        return DataError(
            file: file, problem: "cannot be decoded as TIFF: \(reason.isEmpty ? "it is damaged or cut off" : reason)")
    }

    private func fault() -> DataError { Self.fault(handle, file) }

    private static func kind(_ header: ctiff_header, file: String, asBands: Bool) throws -> Kind {
        func refusal(_ problem: String) -> DataError { DataError(file: file, problem: problem) }
        guard header.format != 3, header.format < 5 else {
            throw refusal("is a TIFF of floating-point or complex numbers: save it with integers of 8 or 16 bits")
        }
        guard (1...16).contains(header.bits) || header.bits == 32 || header.bits == 64 else {
            throw refusal("is a TIFF of \(header.bits) bits a sample: save it with 8 or 16")
        }
        let kind: Kind
        switch header.photometric {
        case 0, 1, 4:
            let whiteIsZero = header.photometric == 0
            kind = asBands ? .bands(whiteIsZero: whiteIsZero) : .grey(whiteIsZero: whiteIsZero)
        case 2: kind = asBands ? .bands(whiteIsZero: false) : .color
        case 3: kind = .palette
        default: kind = .converted
        }
        // One more is transparency.
        let samples: ClosedRange<Int>
        switch kind {
        case .grey, .palette: samples = 1...2
        case .color: samples = 3...4
        // One more is transparency here, too.
        case .bands: samples = 1...ChannelNormalization.possibleChannels.upperBound + 1
        case .converted: samples = 1...5
        }
        guard samples.contains(Int(header.samples)) else {
            throw refusal(
                asBands
                    ? "is a TIFF of \(header.samples) channels, where up to \(samples.upperBound - 1) are read"
                    : "is a TIFF of \(header.samples) channels, where grey, palette, RGB and CMYK are read: choose the"
                        + " bands that are meant, or set data.channels to their number")
        }
        if case .palette = kind, header.bits > 8 { throw refusal("has a palette of more than 256 colours") }
        return kind
    }

    /// Tiles and strips may be larger than the image, but not by so much that decoding them takes forever.
    private static func checkTiles(_ header: ctiff_header, file: String, limits: ReadLimits) throws {
        let (width, height) = (Int(header.tile_width), Int(header.tile_height))
        if width > 0 {
            let across = (Int(header.width) + width - 1) / width * width
            let down = (Int(header.height) + height - 1) / height * height
            let (pixels, overflow) = across.multipliedReportingOverflow(by: down)
            guard !overflow, pixels / 4 <= max(limits.pixels, 1 << 20) else {
                throw DataError(file: file, problem: "has tiles of \(width)x\(height) pixels, far more than its image")
            }
        }
        // Bits of all samples of a chunk, where libtiff counts the same as the tags.
        let pixels = width > 0 ? width * height : Int(header.width) * Int(header.strip_rows)
        let bound = UInt64(pixels) * UInt64(header.samples) * 8 + UInt64(pixels) + 65_536
        guard header.chunk_bytes <= bound, header.row_bytes <= UInt64(header.width) * 64 + 65_536 else {
            throw DataError(file: file, problem: "has tiles or strips of a size that contradicts its header")
        }
    }

    /// Decodes the page from the top; each row has `channels` values a pixel, black the smallest.
    package func forEachRow(_ body: (UnsafeMutableBufferPointer<UInt16>) throws -> Void) throws {
        if header.tile_width == 0 && header.planar != 2 {
            try forEachScanline(body)
        } else {
            try forEachBand(body)
        }
        try checkWhole()
    }

    /// Pages in strips whose samples lie beside each other, row by row.
    private func forEachScanline(_ body: (UnsafeMutableBufferPointer<UInt16>) throws -> Void) throws {
        let samples = Int(header.samples)
        let needed = (width * samples * depth + 7) / 8
        guard header.row_bytes >= needed else { throw fault() }
        var line = [UInt8](repeating: 0, count: Int(header.row_bytes))
        var values = [UInt16](repeating: 0, count: width * channels)
        for row in 0..<height {
            guard ctiff_read_row(handle, UInt32(row), &line) == 1 else { throw fault() }
            try line.withUnsafeBytes { line in
                try values.withUnsafeMutableBufferPointer { values in
                    let reader = SampleUnpacker(line: line, depth: depth, isSigned: header.format == 2, file: file)
                    for channel in 0..<channels {
                        try reader.unpack(
                            from: channel, every: samples, pixels: width, to: values, at: channel, step: channels)
                    }
                    invert(values)
                    try body(values)
                }
            }
        }
    }

    /// Pages in tiles, and those whose samples lie apart: a row of tiles at a time.
    private func forEachBand(_ body: (UnsafeMutableBufferPointer<UInt16>) throws -> Void) throws {
        let isApart = header.planar == 2
        let tileWidth = header.tile_width > 0 ? Int(header.tile_width) : width
        let tileHeight = header.tile_width > 0 ? Int(header.tile_height) : Int(header.strip_rows)
        let samples = isApart ? 1 : Int(header.samples)
        let lineBytes = (tileWidth * samples * depth + 7) / 8
        var chunk = [UInt8](repeating: 0, count: Int(header.chunk_bytes))
        var band = [UInt16](repeating: 0, count: width * channels * min(tileHeight, height))
        for top in stride(from: 0, to: height, by: tileHeight) {
            let rows = min(tileHeight, height - top)
            for left in stride(from: 0, to: width, by: tileWidth) {
                for plane in 0..<(isApart ? channels : 1) {
                    let count = ctiff_read_chunk(
                        handle, UInt32(left), UInt32(top), UInt16(plane), &chunk, UInt64(chunk.count))
                    guard count >= rows * lineBytes, Int(count) <= chunk.count else { throw fault() }
                    try chunk.withUnsafeBytes { chunk in
                        try band.withUnsafeMutableBufferPointer { band in
                            for row in 0..<rows {
                                let line = UnsafeRawBufferPointer(
                                    rebasing: chunk[row * lineBytes..<(row + 1) * lineBytes])
                                let reader = SampleUnpacker(
                                    line: line, depth: depth, isSigned: header.format == 2, file: file)
                                for channel in isApart ? 0..<1 : 0..<channels {
                                    try reader.unpack(
                                        from: channel, every: samples, pixels: min(tileWidth, width - left), to: band,
                                        at: (row * width + left) * channels + plane + channel, step: channels)
                                }
                            }
                        }
                    }
                }
            }
            try band.withUnsafeMutableBufferPointer { band in
                for row in 0..<rows {
                    let line = UnsafeMutableBufferPointer(
                        rebasing: band[row * width * channels..<(row + 1) * width * channels])
                    invert(line)
                    try body(line)
                }
            }
        }
    }

    /// Turns values where 0 is white.
    private func invert(_ values: UnsafeMutableBufferPointer<UInt16>) {
        switch kind {
        case .grey(whiteIsZero: true), .bands(whiteIsZero: true): break
        case .grey, .palette, .color, .bands, .converted: return
        }
        let largest = UInt16(1 << min(depth, 16) - 1)
        for index in values.indices { values[index] = largest - min(values[index], largest) }
    }

    /// Red, green and blue of each palette index.
    func palette() throws -> [UInt8] {
        var colors = [UInt8](repeating: 0, count: 3 << depth)
        guard ctiff_read_palette(handle, header.bits, &colors) == 1 else {
            throw DataError(file: file, problem: "cannot be decoded as TIFF: its palette is missing")
        }
        return colors
    }

    /// Red, green and blue of all pixels, turned into colours by libtiff.
    func convertedPixels() throws -> [UInt8] {
        var raster = [UInt32](repeating: 0, count: width * height)
        guard ctiff_read_rgba(handle, &raster) == 1 else { throw fault() }
        try checkWhole()
        return [UInt8](unsafeUninitializedCapacity: raster.count * 3) { pixels, count in
            count = raster.count * 3
            for (index, value) in raster.enumerated() {
                pixels[index * 3] = UInt8(truncatingIfNeeded: value)
                pixels[index * 3 + 1] = UInt8(truncatingIfNeeded: value >> 8)
                pixels[index * 3 + 2] = UInt8(truncatingIfNeeded: value >> 16)
            }
        }
    }

    private func checkWhole() throws {
        guard ctiff_lost_pixels(handle) == 0 else {
            throw DataError(file: file, problem: "cannot be decoded as TIFF: the file is cut off")
        }
    }
}

/// Takes samples of any depth out of a decoded row.
private struct SampleUnpacker {
    let line: UnsafeRawBufferPointer
    let depth: Int
    let isSigned: Bool
    let file: String

    /// Takes every so many samples, beginning with one, to every so many places; the line must hold them.
    func unpack(
        from first: Int, every stride: Int, pixels: Int, to target: UnsafeMutableBufferPointer<UInt16>, at start: Int,
        step: Int
    ) throws {
        switch depth {
        case 8 where !isSigned:
            for pixel in 0..<pixels { target[start + pixel * step] = UInt16(line[first + pixel * stride]) }
        case 16 where !isSigned:
            for pixel in 0..<pixels {
                target[start + pixel * step] = line.loadUnaligned(
                    fromByteOffset: (first + pixel * stride) * 2, as: UInt16.self)
            }
        case 1...16 where !isSigned:
            for pixel in 0..<pixels { target[start + pixel * step] = packed((first + pixel * stride) * depth) }
        default:
            for pixel in 0..<pixels { target[start + pixel * step] = try wide(first + pixel * stride) }
        }
    }

    /// A sample of less than 17 bits, the highest bit first.
    private func packed(_ bit: Int) -> UInt16 {
        var bits = 0
        let (begin, end) = (bit / 8, (bit + depth - 1) / 8)
        for byte in begin...end { bits = bits << 8 | Int(line[byte]) }
        return UInt16(bits >> ((end + 1) * 8 - bit - depth) & (1 << depth - 1))
    }

    private func wide(_ index: Int) throws -> UInt16 {
        let value: Int?
        switch depth {
        case 8: value = Int(Int8(bitPattern: line[index]))
        case 16: value = Int(line.loadUnaligned(fromByteOffset: index * 2, as: Int16.self))
        case 32 where isSigned: value = Int(line.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
        case 32: value = Int(line.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        case 64 where isSigned: value = Int(line.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
        case 64: value = Int(exactly: line.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        default: value = nil
        }
        guard let value, let result = UInt16(exactly: value) else {
            throw DataError(
                file: file,
                problem: "has a value outside of 0 to 65535, or signed ones of \(depth) bits: save it with 8 or 16 bits"
                    + " without sign")
        }
        return result
    }
}
