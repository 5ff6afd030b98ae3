/// A BMP: what its header says, and where its pixels begin.
///
/// Windows' and OS/2's headers are read, with palettes of 1 to
/// 8 bits, packed or not, and colours of 16, 24 and 32 bits.
struct BMPReader {
    let width: Int
    let height: Int
    /// Bits of a pixel; palette indices up to 8.
    let bits: Int
    private let isTopDown: Bool
    private let isPacked: Bool
    /// Red, green and blue of each index.
    private let palette: [UInt8]
    /// Where red, green and blue lie in a pixel of 16 or 32 bits.
    private let masks: [Int]
    private let reader: ByteReader

    init(_ bytes: [UInt8], file: String, limits: ReadLimits) throws {
        var reader = ByteReader(bytes, file: file, format: "BMP")
        _ = try reader.take(10)
        let pixels = try reader.number(4)
        let size = try reader.number(4)
        let isOld = size == 12
        guard isOld || (16...256).contains(size) else { throw reader.fault("its header has \(size) bytes") }
        let declared = isOld ? (try reader.number(2), try reader.number(2)) : (try reader.signed(), try reader.signed())
        width = declared.0
        height = abs(declared.1)
        isTopDown = declared.1 < 0
        try checkSize(width: width, height: height, file: file, limits: limits)
        _ = try reader.take(2)
        bits = try reader.number(2)
        let compression = size >= 20 ? try reader.number(4) : 0
        var used = 0
        if size >= 40 {
            _ = try reader.take(12)
            used = try reader.number(4)
        }
        isPacked = compression == 1 && bits == 8 || compression == 2 && bits == 4
        let hasMasks = (compression == 3 || compression == 6) && (bits == 16 || bits == 32)
        guard isPacked || hasMasks || compression == 0, [1, 2, 4, 8, 16, 24, 32].contains(bits) else {
            throw reader.fault("\(bits) bits a pixel with compression \(compression) are not read: save it as PNG")
        }
        var masks = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF]
        if hasMasks {
            reader.position = 54
            masks = [try reader.number(4), try reader.number(4), try reader.number(4)]
            guard masks.allSatisfy({ Self.isRun($0) }) else { throw reader.fault("its colour masks are damaged") }
        }
        self.masks = masks
        var palette: [UInt8] = []
        if bits <= 8 {
            reader.position = 14 + size
            let entry = isOld ? 3 : 4
            let fitting = max(0, (pixels - reader.position) / entry)
            let count = min(used > 0 ? used : 1 << bits, 1 << bits, isOld || used == 0 ? fitting : .max)
            for _ in 0..<count {
                let color = Array(try reader.take(entry))
                palette += [color[2], color[1], color[0]]
            }
        }
        self.palette = palette
        guard pixels >= 26, pixels <= bytes.count else { throw reader.fault("the file is cut off") }
        reader.position = pixels
        self.reader = reader
    }

    /// Whether set bits lie beside each other; there may be none.
    private static func isRun(_ mask: Int) -> Bool {
        mask == 0 || (mask >> mask.trailingZeroBitCount + 1).nonzeroBitCount == 1
    }

    /// Palette indices of all pixels, from the top.
    func indices() throws -> [UInt8] {
        var result = isPacked ? try unpacked() : []
        if !isPacked {
            let rowBytes = (width * bits + 31) / 32 * 4
            var reader = reader
            result.reserveCapacity(width * height)
            for row in 0..<height {
                // Some writers leave out what fills the last row.
                let line = Array(try reader.take(row + 1 < height ? rowBytes : (width * bits + 7) / 8))
                for x in 0..<width {
                    let bit = x * bits
                    result.append(line[bit / 8] >> UInt8(8 - bits - bit % 8) & UInt8(1 << bits - 1))
                }
            }
        }
        guard let largest = result.max(), Int(largest) * 3 < palette.count else {
            throw reader.fault("it names colours that its palette lacks")
        }
        return upright(result, bytes: 1)
    }

    /// Red, green and blue of all pixels, from the top.
    func colors() throws -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(width * height * 3)
        if bits <= 8 {
            for index in try indices() { result += palette[Int(index) * 3..<Int(index) * 3 + 3] }
            return result
        }
        let rowBytes = (width * bits + 31) / 32 * 4
        let scales = masks.map { mask in
            SampleScale(depth: min(max(1, mask.nonzeroBitCount), 16), range: nil)
        }
        var reader = reader
        for row in 0..<height {
            let line = Array(try reader.take(row + 1 < height ? rowBytes : width * bits / 8))
            for x in 0..<width {
                let start = x * bits / 8
                if bits == 24 {
                    result += [line[start + 2], line[start + 1], line[start]]
                    continue
                }
                let value = (0..<bits / 8).reduce(0) { $0 | Int(line[start + $1]) << (8 * $1) }
                for (mask, scale) in zip(masks, scales) {
                    let sample = mask == 0 ? 0 : (value & mask) >> mask.trailingZeroBitCount
                    // No program writes more than 16 bits a colour; of more, the highest 16 count.
                    result.append(scale[UInt16(sample >> max(0, mask.nonzeroBitCount - 16))])
                }
            }
        }
        return upright(result, bytes: 3)
    }

    /// Runs of equal indices, and pixels in between as they are; what is skipped is index 0.
    private func unpacked() throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: width * height)
        var reader = reader
        var (x, y) = (0, 0)
        func put(_ value: UInt8) throws {
            guard x < width, y < height else { throw reader.fault("its rows are too long") }
            result[y * width + x] = value
            x += 1
        }
        while true {
            let (count, value) = (try reader.number(1), try reader.number(1))
            let pair = [UInt8(value >> 4), UInt8(value & 15)]
            switch (count, value) {
            case (0, 0): (x, y) = (0, y + 1)
            case (0, 1): return result
            case (0, 2): (x, y) = (x + (try reader.number(1)), y + (try reader.number(1)))
            case (0, _):
                let size = bits == 8 ? value : (value + 1) / 2
                let bytes = Array(try reader.take(size))
                if size % 2 == 1 { _ = try reader.take(1) }
                for index in 0..<value {
                    try put(bits == 8 ? bytes[index] : index % 2 == 0 ? bytes[index / 2] >> 4 : bytes[index / 2] & 15)
                }
            default: for index in 0..<count { try put(bits == 8 ? UInt8(value) : pair[index % 2]) }
            }
        }
    }

    /// The rows from the top.
    private func upright(_ values: [UInt8], bytes: Int) -> [UInt8] {
        if isTopDown { return values }
        var result: [UInt8] = []
        result.reserveCapacity(values.count)
        for row in (0..<height).reversed() { result += values[row * width * bytes..<(row + 1) * width * bytes] }
        return result
    }
}

/// Decodes a BMP to RGB.
func decodeBMPImage(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> DecodedImage {
    let reader = try BMPReader(bytes, file: file, limits: limits)
    let image = Image(width: reader.width, height: reader.height, pixels: try reader.colors())
    return DecodedImage(
        image: image, fullWidth: image.width, fullHeight: image.height, channels: reader.bits == 32 ? 4 : 3)
}

/// Decodes a BMP to what a mask may hold: palette indices or colours.
func decodeBMPMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool) throws -> RawMask {
    let reader = try BMPReader(bytes, file: file, limits: limits)
    return RawMask(
        width: reader.width, height: reader.height,
        values: asColors || reader.bits > 8 ? .colors(try reader.colors()) : .indices(try reader.indices()),
        // Fewer bits are scaled.
        holdsWholeGreys: reader.bits >= 24)
}

/// A BMP's size.
func bmpSize(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    let reader = try BMPReader(bytes, file: file, limits: limits)
    return (reader.width, reader.height)
}
