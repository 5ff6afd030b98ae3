/// What a JPEG says about itself beside its pixels; every offset in it is checked, for files may lie.
package struct JPEGMetadata {
    /// EXIF's orientation, 1 (upright) to 8; 1 where there is none.
    package private(set) var orientation = 1
    /// Whether Adobe wrote the file, whose CMYK is inverted.
    package private(set) var hasAdobeMarker = false

    /// Walks the segments in front of the first scan.
    package init(_ bytes: [UInt8]) {
        var position = 2
        while position + 4 <= bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            if marker == 0xFF {
                position += 1
                continue
            }
            // Start of scan or end of image: no metadata behind it.
            if marker == 0xDA || marker == 0xD9 { return }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            guard length >= 2, position + 2 + length <= bytes.count else { return }
            let body = bytes[position + 4..<position + 2 + length]
            if marker == 0xE1, body.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
                if let value = exifOrientation(tiff: Array(body.dropFirst(6))) { orientation = value }
            } else if marker == 0xEE, body.starts(with: "Adobe".utf8) {
                hasAdobeMarker = true
            }
            position += 2 + length
        }
    }
}

/// Looks up tag 0x0112 in the first directory of an EXIF block; nil where it is absent or malformed.
func exifOrientation(tiff: [UInt8]) -> Int? {
    let littleEndian: Bool
    if tiff.starts(with: [0x49, 0x49]) {
        littleEndian = true
    } else if tiff.starts(with: [0x4D, 0x4D]) {
        littleEndian = false
    } else {
        return nil
    }
    func integer(_ offset: Int, bytes count: Int) -> Int? {
        guard offset >= 0, offset <= tiff.count - count else { return nil }
        let digits = tiff[offset..<offset + count]
        return (littleEndian ? Array(digits.reversed()) : Array(digits)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard integer(2, bytes: 2) == 42, let directory = integer(4, bytes: 4),
        let entries = integer(directory, bytes: 2)
    else { return nil }
    for entry in 0..<entries {
        let start = directory + 2 + entry * 12
        guard let tag = integer(start, bytes: 2) else { return nil }
        if tag == 0x0112, integer(start + 2, bytes: 2) == 3, let value = integer(start + 8, bytes: 2) {
            return (1...8).contains(value) ? value : nil
        }
    }
    return nil
}

/// A PNG's orientation by its `eXIf` chunk; 1 where there is none in front of the pixels.
package func pngOrientation(_ bytes: [UInt8]) -> Int {
    var position = 8
    while position + 8 <= bytes.count {
        let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
        let type = bytes[position + 4..<position + 8]
        guard !type.elementsEqual("IDAT".utf8), position + 8 + length <= bytes.count else { return 1 }
        if type.elementsEqual("eXIf".utf8) {
            return exifOrientation(tiff: Array(bytes[position + 8..<position + 8 + length])) ?? 1
        }
        position += 12 + length
    }
    return 1
}

extension Image {
    /// The image turned upright from one of EXIF's eight orientations.
    package func oriented(_ orientation: Int) -> Image {
        guard (2...8).contains(orientation) else { return self }
        let isTurned = orientation >= 5
        return Image(
            width: isTurned ? height : width, height: isTurned ? width : height, channels: channels,
            pixels: turned(pixels, width: width, height: height, channels: channels, by: orientation))
    }
}

/// Pixels of a width and height turned upright from one of EXIF's eight orientations.
func turned<Value>(_ pixels: [Value], width: Int, height: Int, channels: Int, by orientation: Int) -> [Value] {
    guard (2...8).contains(orientation) else { return pixels }
    let (newWidth, newHeight) = orientation >= 5 ? (height, width) : (width, height)
    let (lastX, lastY) = (width - 1, height - 1)
    var result: [Value] = []
    result.reserveCapacity(pixels.count)
    for y in 0..<newHeight {
        for x in 0..<newWidth {
            let (sourceX, sourceY) =
                switch orientation {
                case 2: (lastX - x, y)
                case 3: (lastX - x, lastY - y)
                case 4: (x, lastY - y)
                case 5: (y, x)
                case 6: (y, lastY - x)
                case 7: (lastX - y, lastY - x)
                default: (lastX - y, x)
                }
            let source = (sourceY * width + sourceX) * channels
            for channel in 0..<channels { result.append(pixels[source + channel]) }
        }
    }
    return result
}
