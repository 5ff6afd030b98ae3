import Foundation

/// What the header of a portable image says: P5 (grey, 8 or 16 bits), P6 (colour, 8 bits), or P7 (any channels, 8 bits).
package struct PortableHeader {
    let width: Int
    let height: Int
    /// Bytes of a pixel: 1, 2 (the higher first) or 3; in P7 the channels.
    package let pixelBytes: Int
    /// Where the pixels begin.
    let start: Int

    /// Reads a file's first bytes.
    package init(_ head: [UInt8], file: String) throws {
        func fault(_ problem: String) -> DataError { DataError(file: file, problem: problem) }
        guard head.starts(with: "P5".utf8) || head.starts(with: "P6".utf8) else {
            throw fault("is no portable image of the kind P5 or P6")
        }
        var numbers: [Int] = []
        var position = 2
        while numbers.count < 3, position < head.count {
            let byte = head[position]
            if byte == UInt8(ascii: "#") {
                position = head[position...].firstIndex(of: 0x0A) ?? head.count
            } else if (0x30...0x39).contains(byte) {
                let end = head[position...].firstIndex { !(0x30...0x39).contains($0) } ?? head.count
                numbers.append(Int(String(decoding: head[position..<end].prefix(10), as: UTF8.self)) ?? 0)
                position = end
            } else {
                position += 1
            }
        }
        let isColor = head[1] == UInt8(ascii: "6")
        guard numbers.count == 3, position < head.count, (1...1 << 24).contains(numbers[0]),
            (1...1 << 24).contains(numbers[1]), numbers[2] == 255 || numbers[2] == 65_535 && !isColor
        else { throw fault("has a header that is damaged, or values of other than 8 bits (16 in grey)") }
        width = numbers[0]
        height = numbers[1]
        pixelBytes = isColor ? 3 : numbers[2] == 255 ? 1 : 2
        start = position + 1
    }

    /// Reads the first bytes of a file with a number of channels (PAM), as copies for tiles are.
    init(bands head: [UInt8], file: String) throws {
        let end = Array("ENDHDR\n".utf8)
        let text = String(decoding: head, as: UTF8.self)
        var values: [Substring: Int] = [:]
        for line in text.split(separator: "\n").prefix(8) {
            let words = line.split(separator: " ")
            if words.count == 2 { values[words[0]] = Int(words[1]) }
        }
        let place = head.indices.first { head[$0...].starts(with: end) }
        guard text.hasPrefix("P7\n"), let place, values["MAXVAL"] == 255, let width = values["WIDTH"],
            let height = values["HEIGHT"], let channels = values["DEPTH"], (1...1 << 24).contains(width),
            (1...1 << 24).contains(height), ChannelNormalization.possibleChannels.contains(channels)
        else { throw DataError(file: file, problem: "is no portable image of the kind P7") }
        self.width = width
        self.height = height
        pixelBytes = channels
        start = place + end.count
    }

    var size: (width: Int, height: Int) { (width, height) }
    /// Bytes of a whole file.
    var length: Int { start + width * height * pixelBytes }

    /// Refuses a file that is too short.
    func check(_ count: Int, file: String) throws {
        guard count < length else { return }
        throw DataError(file: file, problem: "is cut off: \(width)x\(height) pixels need \(length) bytes")
    }
}

/// A picture in a portable format, of which any part can be read without the rest.
package struct PortableImage {
    let file: String
    private let header: PortableHeader

    /// Reads the header and checks that the file is as long as it says.
    ///
    /// - Parameters:
    ///   - file: Its path.
    ///   - isBands: Whether it has any number of channels (P7).
    /// - Throws: ``DataError`` where it is no such file, or cut off.
    package init(_ file: String, isBands: Bool = false) throws {
        self.file = file
        let head = try readFileBytes(file, limit: .max, prefix: 1_024)
        header = try isBands ? PortableHeader(bands: head, file: file) : PortableHeader(head, file: file)
        var information = stat()
        try header.check(stat(file, &information) == 0 ? Int(information.st_size) : 0, file: file)
    }

    package var width: Int { header.width }
    package var height: Int { header.height }
    /// Bytes of a pixel: 1, 2 (the higher first) or 3; in P7 the channels.
    package var pixelBytes: Int { header.pixelBytes }

    /// The header of a picture.
    package static func header(width: Int, height: Int, pixelBytes: Int) -> [UInt8] {
        Array("\(pixelBytes == 3 ? "P6" : "P5")\n\(width) \(height)\n\(pixelBytes == 2 ? 65_535 : 255)\n".utf8)
    }

    /// The header of a picture of so many channels.
    package static func header(width: Int, height: Int, channels: Int) -> [UInt8] {
        Array("P7\nWIDTH \(width)\nHEIGHT \(height)\nDEPTH \(channels)\nMAXVAL 255\nENDHDR\n".utf8)
    }

    /// The bytes of a part that lies inside the picture, row by row.
    package func read(_ part: Tile) throws -> [UInt8] {
        precondition(part.x >= 0 && part.y >= 0 && part.x + part.width <= width && part.y + part.height <= height)
        let descriptor = openFile(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError(.missing, file: file, problem: "cannot be opened") }
        defer { close(descriptor) }
        let line = part.width * pixelBytes
        return try [UInt8](unsafeUninitializedCapacity: line * part.height) { buffer, count in
            count = 0
            for row in 0..<part.height {
                let offset = header.start + ((part.y + row) * width + part.x) * pixelBytes
                let room = UnsafeMutableRawBufferPointer(buffer)[count..<count + line]
                guard readFile(descriptor, into: .init(rebasing: room), at: offset) == line else {
                    throw DataError(file: file, problem: "cannot be read, or became shorter")
                }
                count += line
            }
        }
    }
}

/// The image that a portable picture's pixels are, greys of 16 bits scaled by a range.
package func portableImage(
    width: Int, height: Int, pixelBytes: Int, _ bytes: some RandomAccessCollection<UInt8>, range: ValueRange?
) -> DecodedImage {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(width * height * 3)
    var values: ClosedRange<Int>?
    switch pixelBytes {
    case 3: pixels += bytes
    case 2:
        let scale = SampleScale(depth: 16, range: range)
        let samples = portableSamples(bytes)
        for sample in samples {
            let byte = scale[sample]
            pixels.append(byte)
            pixels.append(byte)
            pixels.append(byte)
        }
        if let low = samples.min(), let high = samples.max() { values = Int(low)...Int(high) }
    default: for byte in bytes { for _ in 0..<3 { pixels.append(byte) } }
    }
    var result = DecodedImage(
        image: Image(width: width, height: height, pixels: pixels), fullWidth: width, fullHeight: height,
        channels: pixelBytes == 3 ? 3 : 1)
    if pixelBytes == 2 { result.depth = 16 }
    result.values = values
    return result
}

/// The image that the pixels of a portable picture of any number of channels (P7) are.
package func portableImage(width: Int, height: Int, channels: Int, _ bytes: [UInt8]) -> DecodedImage {
    DecodedImage(
        image: Image(width: width, height: height, channels: channels, pixels: bytes), fullWidth: width,
        fullHeight: height, channels: channels)
}

/// The 16-bit numbers of bytes, the higher first.
package func portableSamples(_ bytes: some RandomAccessCollection<UInt8>) -> [UInt16] {
    var result: [UInt16] = []
    result.reserveCapacity(bytes.count / 2)
    var high: UInt16?
    for byte in bytes {
        if let first = high {
            result.append(first << 8 | UInt16(byte))
            high = nil
        } else {
            high = UInt16(byte)
        }
    }
    return result
}

/// Decodes a portable image to RGB.
package func decodePortableImage(
    _ bytes: [UInt8], file: String, limits: ReadLimits, range: ValueRange?
) throws -> DecodedImage {
    let header = try PortableHeader(bytes, file: file)
    try checkSize(width: header.width, height: header.height, file: file, limits: limits)
    try header.check(bytes.count, file: file)
    return portableImage(
        width: header.width, height: header.height, pixelBytes: header.pixelBytes, bytes[header.start..<header.length],
        range: range)
}

/// Decodes a portable image to what a mask may hold.
func decodePortableMask(_ bytes: [UInt8], file: String, limits: ReadLimits, asColors: Bool) throws -> RawMask {
    if asColors {
        let image = try decodePortableImage(bytes, file: file, limits: limits, range: nil).image
        return RawMask(width: image.width, height: image.height, values: .colors(image.pixels))
    }
    let header = try PortableHeader(bytes, file: file)
    try checkSize(width: header.width, height: header.height, file: file, limits: limits)
    try header.check(bytes.count, file: file)
    let pixels = bytes[header.start..<header.length]
    let values: RawMask.Values =
        switch header.pixelBytes {
        case 3: .colors(Array(pixels))
        case 2: .wide(portableSamples(pixels))
        default: .indices(Array(pixels))
        }
    return RawMask(width: header.width, height: header.height, values: values, holdsWholeGreys: header.pixelBytes == 3)
}
