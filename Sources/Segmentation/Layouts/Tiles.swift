import Foundation

/// How the layout `tiles` cuts its images.
public struct TileOptions: Hashable, Sendable {
    /// Rows of a tile; images with fewer rows are a tile of their own.
    public var height = 1_024
    /// Columns of a tile.
    public var width = 1_024
    /// The folder for decoded copies of compressed images, which parts can be read from; nil puts it into the data set.
    public var cache: String?

    /// The defaults.
    public init() {}

    /// Cuts every image of a split: tiles of equal size that cover it, the last ones flush with its edges.
    func cut(_ pairing: Pairing, root: String, limits: ReadLimits) throws -> Pairing {
        var result = pairing
        let folder = cache ?? join(root, ".tiles")
        result.samples = []
        for sample in pairing.samples {
            do {
                let size = try TileStore.size(of: sample.image, limits: limits.forTiles)
                for y in Self.starts(size.height, height) {
                    for x in Self.starts(size.width, width) {
                        let tile = Tile(
                            x: x, y: y, width: min(width, size.width), height: min(height, size.height), cache: folder)
                        result.samples.append(
                            Sample(
                                name: "\(sample.name)-\(y)-\(x)", image: sample.image, mask: sample.mask, tile: tile))
                    }
                }
            } catch let error as DataError {
                result.problems.append(error)
            }
        }
        return result
    }

    private static func starts(_ length: Int, _ tile: Int) -> [Int] {
        guard length > tile else { return [0] }
        let count = (length + tile - 1) / tile
        return (0..<count).map { $0 * (length - tile) / (count - 1) }
    }
}

/// A part of an image and its mask.
public struct Tile: Hashable, Codable, Sendable {
    /// First column.
    public let x: Int
    /// First row.
    public let y: Int
    /// Columns.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The folder for decoded copies.
    public let cache: String

    /// A part, and where decoded copies are kept.
    public init(x: Int, y: Int, width: Int, height: Int, cache: String) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.cache = cache
    }
}

extension ReadLimits {
    /// Tiles are cut from PNG row by row and from decoded copies by position: their images may be forty times larger.
    var forTiles: ReadLimits { ReadLimits(pixels: pixels.multipliedSafely(by: 40), fileBytes: fileBytes * 8) }
}

extension Int {
    fileprivate func multipliedSafely(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// Reads parts of large pictures: from portable images directly, from PNG and JPEG by way of a decoded copy on the disk.
enum TileStore {
    /// Copies are made one at a time, so that two threads never make the same one.
    private static let lock = NSLock()

    /// An image's size by its header.
    static func size(of path: String, limits: ReadLimits) throws -> (width: Int, height: Int) {
        if isPortable(path) {
            let picture = try PortableImage(path)
            return (picture.width, picture.height)
        }
        return try readImageSize(path: path, limits: limits)
    }

    /// A part of an image.
    static func image(_ path: String, _ tile: Tile, limits: ReadLimits) throws -> Image {
        let picture = try picture(path, tile, limits: limits, asColors: true)
        let bytes = try picture.read(tile)
        switch picture.pixelBytes {
        case 3: return Image(width: tile.width, height: tile.height, pixels: bytes)
        case 2:
            let grey = stride(from: 0, to: bytes.count, by: 2).flatMap { [bytes[$0], bytes[$0], bytes[$0]] }
            return Image(width: tile.width, height: tile.height, pixels: grey)
        default:
            return Image(width: tile.width, height: tile.height, pixels: bytes.flatMap { [$0, $0, $0] })
        }
    }

    /// A part of a mask.
    static func mask(_ path: String, _ tile: Tile, limits: ReadLimits, labels: LabelMap) throws -> Mask {
        let picture = try picture(path, tile, limits: limits, asColors: labels.form == .colors)
        let bytes = try picture.read(tile)
        let values: RawMask.Values =
            switch picture.pixelBytes {
            case 3: .colors(bytes)
            case 2:
                .wide(stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) })
            default: .indices(bytes)
            }
        return try labels.labels(of: RawMask(width: tile.width, height: tile.height, values: values), file: path)
    }

    private static func isPortable(_ path: String) -> Bool {
        [".ppm", ".pgm"].contains { path.lowercased().hasSuffix($0) }
    }

    private static func picture(
        _ path: String, _ tile: Tile, limits: ReadLimits, asColors: Bool
    ) throws -> PortableImage {
        let picture = try isPortable(path) ? PortableImage(path) : copy(of: path, in: tile.cache, limits, asColors)
        guard tile.x + tile.width <= picture.width, tile.y + tile.height <= picture.height else {
            throw DataError(
                file: path,
                problem: "is \(picture.width)x\(picture.height) pixels, smaller than its partner: they must be equal")
        }
        return picture
    }

    /// The decoded copy of a picture, made where there is none of the file as it is now.
    private static func copy(
        of path: String, in folder: String, _ limits: ReadLimits, _ asColors: Bool
    ) throws -> PortableImage {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size] as? Int, let date = attributes[.modificationDate] as? Date
        else { throw DataError(.missing, file: path, problem: "cannot be opened") }
        let key = "\(path)|\(size)|\(date.timeIntervalSince1970)|\(asColors)"
        let name = String(contentHash(Array(key.utf8)), radix: 16)
        let target = join(folder, "\(name).pnm")
        return try lock.withLock {
            if !isFile(target) {
                do {
                    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                } catch {
                    throw DataError(
                        .unwritable, file: folder,
                        problem: "cannot be made for decoded tiles: name another folder by data.tiles.cache")
                }
                try decode(path, to: target, limits.forTiles, asColors)
            }
            return try PortableImage(target)
        }
    }

    /// Decodes a picture into a portable one: PNG row by row, others at once and so within the ordinary limit.
    private static func decode(_ path: String, to target: String, _ limits: ReadLimits, _ asColors: Bool) throws {
        let bytes = try readFileBytes(path, limit: limits.fileBytes)
        let whole = ReadLimits(pixels: limits.pixels / 40, fileBytes: limits.fileBytes)
        if case .jpeg = try PictureFormat(bytes, file: path) {
            guard asColors else {
                throw DataError(
                    file: path, problem: "is a JPEG, which alters label values: masks must be palette or grey PNG")
            }
            let image = try decodeJPEG(bytes, file: path, limits: whole) { ($0, $1) }.image
            return try write(image, to: target)
        }
        let kind = try pngKind(bytes, file: path, limits: limits)
        let size = pngSize(bytes) ?? (0, 0)
        if asColors, pngOrientation(bytes) != 1 {
            return try write(decodePNGImage(bytes, file: path, limits: whole).image, to: target)
        }
        let isColor = asColors || kind.channels > 2
        // Fewer than 8 bits and alpha need taking apart, which the whole decoder does.
        if isColor || kind.channels == 1 && kind.depth >= 8 {
            let pixelBytes = isColor ? 3 : kind.depth / 8
            let writer = try FileWriter(target)
            try writer.write(PortableImage.header(width: size.width, height: size.height, pixelBytes: pixelBytes))
            let done = try decodePNGRows(bytes, file: path, limits: limits, asColors: isColor) { row in
                try writer.write(pixelBytes == 2 ? swapped(row) : Array(row))
            }
            if done { return try writer.finish() }
        }
        let raw = try decodePNGMask(bytes, file: path, limits: whole, asColors: isColor)
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

    /// A row of 16-bit samples in the machine's order, as bytes with the higher first.
    private static func swapped(_ row: UnsafeRawBufferPointer) -> [UInt8] {
        stride(from: 0, to: row.count - 1, by: 2).flatMap { offset -> [UInt8] in
            let value = row.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            return [UInt8(value >> 8), UInt8(value & 255)]
        }
    }

    private static func write(_ image: Image, to target: String) throws {
        let writer = try FileWriter(target)
        try writer.write(PortableImage.header(width: image.width, height: image.height, pixelBytes: 3))
        try writer.write(image.pixels)
        try writer.finish()
    }
}
