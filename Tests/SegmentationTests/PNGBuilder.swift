/// Writes PNG of any kind by the specification alone, without compression: an oracle for the reader.
struct PNGBuilder {
    var width: Int
    var height: Int
    /// PNG's colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA.
    var type: UInt8
    var depth: Int
    var interlaced = false
    var palette: [UInt8] = []
    /// Rows of samples, `channels` to a pixel.
    var samples: [Int]

    static func channels(_ type: UInt8) -> Int { [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][type] ?? 1 }

    func bytes() -> [UInt8] {
        var file = header()
        if !palette.isEmpty { file += chunk("PLTE", palette) }
        file += chunk("IDAT", stored(scanlines()))
        return file + chunk("IEND", [])
    }

    /// The signature and the header chunk: 33 bytes.
    func header() -> [UInt8] {
        let body = bigEndian(width) + bigEndian(height) + [UInt8(depth), type, 0, 0, interlaced ? 1 : 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", body)
    }

    private func scanlines() -> [UInt8] {
        let adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        let channels = Self.channels(type)
        var lines: [UInt8] = []
        for (left, top, stepX, stepY) in interlaced ? adam7 : [(0, 0, 1, 1)] {
            let columns = Array(stride(from: left, to: width, by: stepX))
            if columns.isEmpty { continue }
            for y in stride(from: top, to: height, by: stepY) {
                let row = columns.flatMap { x in (0..<channels).map { samples[(y * width + x) * channels + $0] } }
                // Each line begins with its filter: none.
                lines.append(0)
                lines += pack(row)
            }
        }
        return lines
    }

    private func pack(_ row: [Int]) -> [UInt8] {
        if depth == 16 { return row.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        let perByte = 8 / depth
        return stride(from: 0, to: row.count, by: perByte).map { start in
            (0..<perByte).reduce(UInt8(0)) { byte, offset in
                byte << UInt8(depth) | (start + offset < row.count ? UInt8(row[start + offset]) : 0)
            }
        }
    }

    /// A zlib stream of stored blocks.
    private func stored(_ data: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: data.count, by: 65_535) {
            let block = data[start..<min(start + 65_535, data.count)]
            let length = UInt16(block.count)
            stream.append(start + 65_535 >= data.count ? 1 : 0)
            stream += [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
            stream += block
        }
        var (first, second) = (1, 0)
        for byte in data {
            first = (first + Int(byte)) % 65_521
            second = (second + first) % 65_521
        }
        return stream + bigEndian(second << 16 | first)
    }

    func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + body
        var register: UInt32 = 0xFFFF_FFFF
        for byte in content {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
        }
        return bigEndian(body.count) + content + bigEndian(Int(~register))
    }

    private func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
