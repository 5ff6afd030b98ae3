/// Writes uncompressed TIFF by the specification alone: an oracle for the reader.
struct TIFFBuilder {
    var width: Int
    var height: Int
    var bits = 8
    var samples = 1
    /// 0 white is zero, 1 black is zero, 2 RGB, 3 palette.
    var photometric = 1
    /// 1 unsigned, 2 signed, 3 floating point.
    var format = 1
    /// Width and height of tiles; nil for strips.
    var tile: (width: Int, height: Int)?
    var stripRows = 4
    var isPlanar = false
    var isBigEndian = false
    var orientation = 1
    /// 16-bit red of all colours, then green, then blue.
    var palette: [Int] = []
    /// Rows of samples.
    var values: [Int]
    /// Added to every offset of a tile or strip.
    var offsetFault = 0
    /// Written in place of the true width.
    var claimedWidth: Int?
    /// Whether the same page follows once more.
    var hasSecondPage = false
    /// What the samples beyond those of a grey or a colour are: 0 unspecified, 1 and 2 transparency; nil tells nothing.
    var extraSample: Int?
    /// What kind of page it is: 1 a smaller copy of another one.
    var subfileType = 0

    private func number(_ value: Int, _ count: Int) -> [UInt8] {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return isBigEndian ? bytes.reversed() : bytes
    }

    /// The samples of a row, packed.
    private func packed(_ row: [Int]) -> [UInt8] {
        if bits % 8 == 0 { return row.flatMap { number($0, bits / 8) } }
        var result: [UInt8] = []
        var (buffer, held) = (0, 0)
        for value in row {
            buffer = buffer << bits | value
            held += bits
            while held >= 8 {
                result.append(UInt8(truncatingIfNeeded: buffer >> (held - 8)))
                held -= 8
            }
            buffer &= 1 << held - 1
        }
        if held > 0 { result.append(UInt8(truncatingIfNeeded: buffer << (8 - held))) }
        return result
    }

    /// Tiles or strips, one after another; what lies outside of the picture repeats its edge.
    private func chunks() -> [[UInt8]] {
        let (columns, rows) = tile.map { ($0.width, $0.height) } ?? (width, stripRows)
        var result: [[UInt8]] = []
        for plane in 0..<(isPlanar ? samples : 1) {
            for top in stride(from: 0, to: height, by: rows) {
                for left in stride(from: 0, to: width, by: columns) {
                    let bottom = tile == nil ? min(top + rows, height) : top + rows
                    result.append(
                        (top..<bottom).flatMap { y in
                            packed(
                                (left..<left + columns).flatMap { x -> [Int] in
                                    let pixel = (min(y, height - 1) * width + min(x, width - 1)) * samples
                                    return isPlanar ? [values[pixel + plane]] : Array(values[pixel..<pixel + samples])
                                })
                        })
                }
            }
        }
        return result
    }

    func bytes() -> [UInt8] { Self.bytes(of: hasSecondPage ? [self, self] : [self]) }

    /// A file of several pages, all of the first one's byte order.
    static func bytes(of pages: [TIFFBuilder]) -> [UInt8] {
        let isBigEndian = pages[0].isBigEndian
        var file: [UInt8] = isBigEndian ? [0x4D, 0x4D, 0, 42] : [0x49, 0x49, 42, 0]
        // Where the place of the next directory is to be written.
        var link = file.count
        file += [0, 0, 0, 0]
        for page in pages {
            let (directory, next) = page.append(to: &file)
            file.replaceSubrange(link..<link + 4, with: page.number(directory, 4))
            link = next
        }
        return file
    }

    /// Appends a page's samples and its directory; where the directory begins, and where it has the place of the next.
    private func append(to file: inout [UInt8]) -> (directory: Int, next: Int) {
        let chunks = chunks()
        var offsets: [Int] = []
        for chunk in chunks {
            offsets.append(file.count + offsetFault)
            file += chunk
        }
        if file.count % 2 == 1 { file.append(0) }
        var entries: [(tag: Int, type: Int, values: [Int])] = [
            (254, 4, [subfileType]), (256, 4, [claimedWidth ?? width]), (257, 4, [height]),
            (258, 3, [Int](repeating: bits, count: samples)), (259, 3, [1]), (262, 3, [photometric]),
            (274, 3, [orientation]), (277, 3, [samples]), (284, 3, [isPlanar ? 2 : 1]),
            (339, 3, [Int](repeating: format, count: samples)),
        ]
        if !palette.isEmpty { entries.append((320, 3, palette)) }
        if let extraSample {
            let colors = photometric == 2 ? 3 : 1
            entries.append((338, 3, [Int](repeating: 0, count: samples - colors - 1) + [extraSample]))
        }
        if let tile {
            entries += [
                (322, 4, [tile.width]), (323, 4, [tile.height]), (324, 4, offsets), (325, 4, chunks.map(\.count)),
            ]
        } else {
            entries += [(273, 4, offsets), (278, 4, [stripRows]), (279, 4, chunks.map(\.count))]
        }
        entries.sort { $0.tag < $1.tag }
        let directory = file.count
        let next = directory + 2 + entries.count * 12
        var extra: [UInt8] = []
        file += number(entries.count, 2)
        for entry in entries {
            let size = entry.type == 3 ? 2 : 4
            var content = entry.values.flatMap { number($0, size) }
            file += number(entry.tag, 2) + number(entry.type, 2) + number(entry.values.count, 4)
            if content.count <= 4 {
                while content.count < 4 { content.append(0) }
                file += content
            } else {
                file += number(next + 4 + extra.count, 4)
                extra += content
            }
        }
        file += number(0, 4) + extra
        return (directory, next)
    }
}
