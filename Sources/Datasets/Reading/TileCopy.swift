import Images

/// Decodes a picture into a portable one: PNG and TIFF row by row, others at once and so within the ordinary limit.
struct TileCopy {
    let path: String
    /// What tiles may be cut from; the ordinary limit is a fortieth.
    let limits: ReadLimits
    let range: ValueRange?
    let content: Content

    /// What a copy holds.
    enum Content {
        /// The colours of an image, or of a mask.
        case colors
        /// A mask's numbers.
        case labels
        /// An image's channels, so many.
        case bands(Int)

        /// Whether it is an image of any number of channels.
        var isBands: Bool { if case .bands = self { true } else { false } }

        /// Tells the copies of one file apart.
        var key: String {
            switch self {
            case .colors: "true"
            case .labels: "false"
            case .bands(let channels): "bands \(channels)"
            }
        }
    }

    private var asColors: Bool { if case .labels = content { false } else { true } }

    /// Writes the copy.
    func write(to target: String) throws {
        if case .bands(let channels) = content { return try writeBands(channels, to: target) }
        let bytes = try readFileBytes(path, limit: limits.fileBytes)
        switch try PictureFormat(bytes, file: path) {
        case .png: if try writePNGRows(bytes, to: target) { return }
        case .tiff: if try writeTIFFRows(to: target) { return }
        case .jpeg, .bmp, .gif, .webP, .portable: break
        }
        let raw: RawMask
        if asColors {
            let image = try decodeImage(bytes, file: path, limits: whole, range: range).image
            raw = RawMask(width: image.width, height: image.height, values: .colors(image.pixels))
        } else {
            raw = try decodeRawMask(bytes, file: path, limits: whole)
        }
        let writer = try FileWriter(target)
        switch raw.values {
        case .indices(let values):
            try writer.write(PortableImage.header(width: raw.width, height: raw.height, pixelBytes: 1))
            try writer.write(values)
        case .wide(let values):
            try writer.write(PortableImage.header(width: raw.width, height: raw.height, pixelBytes: 2))
            try writer.write(values.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
        case .colors(let pixels):
            try writer.write(PortableImage.header(width: raw.width, height: raw.height, pixelBytes: 3))
            try writer.write(pixels)
        }
        try writer.finish()
    }

    /// Writes the copy of an image of any number of channels.
    private func writeBands(_ channels: Int, to target: String) throws {
        let bytes = try readFileBytes(path, limit: limits.fileBytes, prefix: 16)
        let writer = try FileWriter(target)
        var isDone = false
        if case .tiff = try PictureFormat(bytes, file: path) {
            isDone = try decodeTIFFBandRows(path, wanted: channels, limits: limits, range: range) {
                try writer.write(PortableImage.header(width: $0, height: $1, channels: channels))
            } row: {
                try writer.write($0)
            }
        }
        if !isDone {
            let image = try readBands(paths: [path], channels: channels, limits: whole, range: range).image
            try writer.write(PortableImage.header(width: image.width, height: image.height, channels: channels))
            try writer.write(image.pixels)
        }
        try writer.finish()
    }

    /// What is accepted where a picture is decoded at once.
    private var whole: ReadLimits { ReadLimits(pixels: limits.pixels / 40, fileBytes: limits.fileBytes) }

    /// Fewer than 8 bits, alpha and other orientations need taking apart, which the whole decoder does.
    private func writePNGRows(_ bytes: [UInt8], to target: String) throws -> Bool {
        let kind = try pngKind(bytes, file: path, limits: limits)
        let isColor = asColors || kind.channels > 2
        guard let size = pngSize(bytes), !asColors || pngOrientation(bytes) == 1,
            isColor || kind.channels == 1 && kind.depth >= 8
        else { return false }
        let pixelBytes = isColor ? 3 : kind.depth / 8
        let writer = try FileWriter(target)
        try writer.write(PortableImage.header(width: size.width, height: size.height, pixelBytes: pixelBytes))
        let isDone = try decodePNGRows(bytes, file: path, limits: limits, range: range, asColors: isColor) { row in
            try writer.write(pixelBytes == 2 ? Self.swapped(row) : Array(row))
        }
        if isDone { try writer.finish() }
        return isDone
    }

    private func writeTIFFRows(to target: String) throws -> Bool {
        let writer = try FileWriter(target)
        let isDone = try decodeTIFFRows(path, limits: limits, range: range, asColors: asColors) {
            try writer.write(PortableImage.header(width: $0, height: $1, pixelBytes: $2))
        } row: {
            try writer.write($0)
        }
        if isDone { try writer.finish() }
        return isDone
    }

    /// A row of 16-bit samples in the machine's order, as bytes with the higher first.
    private static func swapped(_ row: UnsafeRawBufferPointer) -> [UInt8] {
        stride(from: 0, to: row.count - 1, by: 2).flatMap { offset -> [UInt8] in
            let value = row.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return [UInt8(value >> 8), UInt8(value & 255)]
        }
    }
}
