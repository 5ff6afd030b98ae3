import CCodecs

/// The first picture of a GIF, by giflib, on the canvas that the file declares.
///
/// The library's handle reads the bytes in place, so one is opened for each call.
struct GIFReader {
    let width: Int
    let height: Int
    private let bytes: [UInt8]
    private let file: String
    private let header: cgif_header
    private let palette: [UInt8]

    /// Reads up to the first picture's pixels.
    init(_ bytes: [UInt8], file: String, limits: ReadLimits) throws {
        self.bytes = bytes
        self.file = file
        let header = try Self.open(bytes, file: file) { $1 }
        self.header = header
        palette = withUnsafeBytes(of: header.colors) { Array($0.prefix(Int(header.color_count) * 3)) }
        width = max(Int(header.canvas_width), Int(header.left) + Int(header.width))
        height = max(Int(header.canvas_height), Int(header.top) + Int(header.height))
        try checkSize(width: width, height: height, file: file, limits: limits)
        guard !palette.isEmpty, header.width > 0, header.height > 0 else {
            throw Self.fault("its first picture has no pixels, or no palette", file)
        }
    }

    private static func open<Result>(
        _ bytes: [UInt8], file: String, _ body: (OpaquePointer, cgif_header) throws -> Result
    ) throws -> Result {
        try bytes.withUnsafeBufferPointer { buffer in
            var header = cgif_header()
            var reason: UnsafePointer<CChar>?
            guard let handle = cgif_open(buffer.baseAddress, buffer.count, &header, &reason) else {
                throw fault(reason.map { String(cString: $0) } ?? "the file is damaged", file)
            }
            defer { cgif_close(handle) }
            return try body(handle, header)
        }
    }

    private static func fault(_ reason: String, _ file: String) -> DataError {
        DataError(file: file, problem: "cannot be decoded as GIF: \(reason)")
    }

    /// Palette indices of all pixels, and whether more pictures follow.
    func decode() throws -> (indices: [UInt8], isAnimated: Bool) {
        let (left, top) = (Int(header.left), Int(header.top))
        let (columns, lines) = (Int(header.width), Int(header.height))
        let rows = header.is_interlaced != 0 ? Self.interlaced(lines) : Array(0..<lines)
        var indices = [UInt8](repeating: header.background, count: width * height)
        var row = [UInt8](repeating: 0, count: columns)
        let isAnimated = try Self.open(bytes, file: file) { handle, _ in
            for number in rows {
                guard cgif_read_row(handle, &row, header.width) == 1 else {
                    throw Self.fault(String(cString: cgif_reason(handle)), file)
                }
                let start = (top + number) * width + left
                indices.replaceSubrange(start..<start + columns, with: row)
            }
            return cgif_has_more(handle) == 1
        }
        guard let largest = indices.max(), Int(largest) * 3 < palette.count else {
            throw Self.fault("it names colours that its palette lacks", file)
        }
        return (indices, isAnimated)
    }

    /// The rows of a picture in the order in which an interlaced file holds them.
    private static func interlaced(_ height: Int) -> [Int] {
        [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0.0, to: height, by: $0.1)) }
    }

    /// Red, green and blue of indices.
    func colors(of indices: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(indices.count * 3)
        for index in indices { result += palette[Int(index) * 3..<Int(index) * 3 + 3] }
        return result
    }

    /// The grey of every index, where all colours that are used are greys.
    func greys(of indices: [UInt8]) -> [UInt8]? {
        var used = [Bool](repeating: false, count: 256)
        for index in indices { used[Int(index)] = true }
        var table = [UInt8](repeating: 0, count: 256)
        for index in 0..<256 where used[index] {
            let color = palette[index * 3..<index * 3 + 3]
            guard color.min() == color.max() else { return nil }
            table[index] = palette[index * 3]
        }
        return indices.map { table[Int($0)] }
    }
}

/// Decodes a GIF's first picture to RGB.
func decodeGIFImage(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> DecodedImage {
    let reader = try GIFReader(bytes, file: file, limits: limits)
    let (indices, isAnimated) = try reader.decode()
    let image = Image(width: reader.width, height: reader.height, pixels: reader.colors(of: indices))
    var result = DecodedImage(image: image, fullWidth: image.width, fullHeight: image.height, channels: 3)
    if isAnimated { result.notes = [.frames] }
    return result
}

/// Decodes a GIF to what a mask may hold: greys where all of its colours are, for programs renumber palettes when they
/// write GIF, else palette indices.
func decodeGIFMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool) throws -> RawMask {
    let reader = try GIFReader(bytes, file: file, limits: limits)
    let (indices, isAnimated) = try reader.decode()
    return RawMask(
        width: reader.width, height: reader.height,
        values: asColors ? .colors(reader.colors(of: indices)) : .indices(reader.greys(of: indices) ?? indices),
        notes: isAnimated ? [.frames] : [])
}

/// A GIF's size.
func gifSize(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    let reader = try GIFReader(bytes, file: file, limits: limits)
    return (reader.width, reader.height)
}
