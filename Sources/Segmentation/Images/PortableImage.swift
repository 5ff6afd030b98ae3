import Foundation

/// A picture in the portable formats P5 (grey, 8 or 16 bits) and P6 (colour, 8 bits), of which any part can be read
/// without the rest.
struct PortableImage {
    let file: String
    let width: Int
    let height: Int
    /// Bytes of a pixel: 1, 2 (the higher first) or 3.
    let pixelBytes: Int
    private let start: Int

    /// Reads the header and checks that the file is as long as it says.
    init(_ file: String) throws {
        self.file = file
        let head = try readFileBytes(file, limit: .max, prefix: 1_024)
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
        var information = stat()
        guard stat(file, &information) == 0, information.st_size >= start + width * height * pixelBytes else {
            throw fault("is cut off: \(width)x\(height) pixels need \(start + width * height * pixelBytes) bytes")
        }
    }

    /// The header of a picture.
    static func header(width: Int, height: Int, pixelBytes: Int) -> [UInt8] {
        Array("\(pixelBytes == 3 ? "P6" : "P5")\n\(width) \(height)\n\(pixelBytes == 2 ? 65_535 : 255)\n".utf8)
    }

    /// The bytes of a part that lies inside the picture, row by row.
    func read(_ part: Tile) throws -> [UInt8] {
        precondition(part.x >= 0 && part.y >= 0 && part.x + part.width <= width && part.y + part.height <= height)
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DataError(.missing, file: file, problem: "cannot be opened") }
        defer { close(descriptor) }
        let line = part.width * pixelBytes
        return try [UInt8](unsafeUninitializedCapacity: line * part.height) { buffer, count in
            count = 0
            for row in 0..<part.height {
                let offset = start + ((part.y + row) * width + part.x) * pixelBytes
                var done = 0
                while done < line, let base = buffer.baseAddress {
                    let got = pread(descriptor, base + count + done, line - done, off_t(offset + done))
                    if got < 0 && errno == EINTR { continue }
                    guard got > 0 else { throw DataError(file: file, problem: "cannot be read, or became shorter") }
                    done += got
                }
                count += line
            }
        }
    }
}
