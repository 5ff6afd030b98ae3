/// The first picture of a GIF (GIF89a specification), on the canvas that the file declares.
struct GIFReader {
    let width: Int
    let height: Int
    private let palette: [UInt8]
    private let background: UInt8
    private let frame: (x: Int, y: Int, width: Int, height: Int)
    private let isInterlaced: Bool
    private var reader: ByteReader

    /// Reads up to the first picture's pixels.
    init(_ bytes: [UInt8], file: String, limits: ReadLimits) throws {
        reader = ByteReader(bytes, file: file, format: "GIF")
        _ = try reader.take(6)
        let screen = (width: try reader.number(2), height: try reader.number(2))
        let flags = try reader.number(1)
        background = UInt8(try reader.number(1))
        _ = try reader.take(1)
        var colors = flags & 0x80 != 0 ? Array(try reader.take(3 << (flags & 7 + 1))) : []
        while true {
            let block = try reader.number(1)
            if block == 0x2C { break }
            guard block == 0x21 else { throw reader.fault("it holds no picture") }
            _ = try reader.take(1)
            try reader.skipBlocks()
        }
        frame = (try reader.number(2), try reader.number(2), try reader.number(2), try reader.number(2))
        let frameFlags = try reader.number(1)
        isInterlaced = frameFlags & 0x40 != 0
        if frameFlags & 0x80 != 0 { colors = Array(try reader.take(3 << (frameFlags & 7 + 1))) }
        palette = colors
        width = max(screen.width, frame.x + frame.width)
        height = max(screen.height, frame.y + frame.height)
        try checkSize(width: width, height: height, file: file, limits: limits)
        guard !palette.isEmpty, frame.width > 0, frame.height > 0 else {
            throw reader.fault("its first picture has no pixels, or no palette")
        }
    }

    /// Palette indices of all pixels, and whether more pictures follow.
    func decode() throws -> (indices: [UInt8], isAnimated: Bool) {
        var reader = reader
        let bits = try reader.number(1)
        guard (1...8).contains(bits) else { throw reader.fault("its pixels begin with codes of \(bits) bits") }
        let data = try reader.takeBlocks()
        let values = try Self.unpacked(data, bits: bits, count: frame.width * frame.height, reader)
        var indices = [UInt8](repeating: background, count: width * height)
        let rows = isInterlaced ? Self.interlaced(frame.height) : Array(0..<frame.height)
        for (number, row) in rows.enumerated() {
            let target = (frame.y + row) * width + frame.x
            indices.replaceSubrange(
                target..<target + frame.width, with: values[number * frame.width..<(number + 1) * frame.width])
        }
        guard let largest = indices.max(), Int(largest) * 3 < palette.count else {
            throw reader.fault("it names colours that its palette lacks")
        }
        return (indices, reader.hasAnotherPicture())
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

    /// The rows of a picture in the order in which an interlaced file holds them.
    private static func interlaced(_ height: Int) -> [Int] {
        [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0.0, to: height, by: $0.1)) }
    }

    /// Undoes LZW: codes of growing length, the lowest bit first, each a string that was met before.
    private static func unpacked(_ data: [UInt8], bits: Int, count: Int, _ reader: ByteReader) throws -> [UInt8] {
        let (clear, end) = (1 << bits, 1 << bits + 1)
        // A string is another one and a value.
        var prefixes = [Int](repeating: -1, count: 4_096)
        var values = [UInt8](repeating: 0, count: 4_096)
        for value in 0..<clear { values[value] = UInt8(value) }
        var (next, length, previous) = (end + 1, bits + 1, -1)
        var (buffer, held, position) = (0, 0, 0)
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var string: [UInt8] = []
        while result.count < count {
            while held < length {
                guard position < data.count else { throw reader.fault("the file is cut off") }
                buffer |= Int(data[position]) << held
                held += 8
                position += 1
            }
            let code = buffer & (1 << length - 1)
            buffer >>= length
            held -= length
            if code == end { break }
            if code == clear {
                (next, length, previous) = (end + 1, bits + 1, -1)
                continue
            }
            guard code < next || code == next && previous >= 0, code < 4_096 else {
                throw reader.fault("its pixels are damaged")
            }
            string.removeAll(keepingCapacity: true)
            var walk = code == next ? previous : code
            while walk >= 0 {
                string.append(values[walk])
                walk = prefixes[walk]
            }
            guard let first = string.last else { throw reader.fault("its pixels are damaged") }
            result += string.reversed()
            if code == next { result.append(first) }
            if previous >= 0 && next < 4_096 {
                prefixes[next] = previous
                values[next] = first
                next += 1
                if next == 1 << length && length < 12 { length += 1 }
            }
            previous = code
        }
        guard result.count >= count else { throw reader.fault("the file is cut off") }
        return Array(result.prefix(count))
    }
}

extension ByteReader {
    /// Passes over blocks up to the empty one.
    fileprivate mutating func skipBlocks() throws {
        while true {
            let size = try number(1)
            if size == 0 { return }
            _ = try take(size)
        }
    }

    /// The bytes of blocks up to the empty one.
    fileprivate mutating func takeBlocks() throws -> [UInt8] {
        var result: [UInt8] = []
        while true {
            let size = try number(1)
            if size == 0 { return result }
            result += try take(size)
        }
    }

    /// Whether another picture follows.
    fileprivate mutating func hasAnotherPicture() -> Bool {
        while let block = try? number(1) {
            if block == 0x2C { return true }
            guard block == 0x21, (try? take(1)) != nil, (try? skipBlocks()) != nil else { return false }
        }
        return false
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
    let indices = try reader.decode().indices
    return RawMask(
        width: reader.width, height: reader.height,
        values: asColors ? .colors(reader.colors(of: indices)) : .indices(reader.greys(of: indices) ?? indices))
}

/// A GIF's size.
func gifSize(_ bytes: [UInt8], file: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
    let reader = try GIFReader(bytes, file: file, limits: limits)
    return (reader.width, reader.height)
}
