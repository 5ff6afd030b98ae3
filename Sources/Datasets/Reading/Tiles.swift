import Foundation
import Images

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
        var information = stat()
        if cache == nil, lstat(folder, &information) == 0, information.st_mode & S_IFMT == S_IFLNK {
            throw DataError(
                file: folder, problem: "is a link, which decoded images would be written through: name a folder instead"
            )
        }
        result.samples = []
        for sample in pairing.samples {
            do {
                let size = try TileStore.size(of: sample.image, limits: limits.forTiles)
                for y in Self.starts(size.height, height) {
                    for x in Self.starts(size.width, width) {
                        var part = sample
                        part.name = "\(sample.name)-\(y)-\(x)"
                        part.tile = Tile(
                            x: x, y: y, width: min(width, size.width), height: min(height, size.height), cache: folder)
                        result.samples.append(part)
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

extension ReadLimits {
    /// Tiles are cut from PNG and TIFF row by row and from decoded copies by position: their images may be forty times larger.
    var forTiles: ReadLimits { ReadLimits(pixels: pixels.multipliedSafely(by: 40), fileBytes: fileBytes * 8) }
}

extension Int {
    fileprivate func multipliedSafely(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// Reads parts of large pictures: from portable images directly, from others by way of a decoded copy on the
/// disk.
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
    static func image(
        _ path: String, _ tile: Tile, channels: Int, limits: ReadLimits, range: ValueRange?
    ) throws -> DecodedImage {
        guard channels == 3 else {
            let picture = try checked(
                copy(of: path, in: tile.cache, limits, range: range, as: .bands(channels)), tile, file: path)
            return portableImage(
                width: tile.width, height: tile.height, channels: channels, try picture.read(tile))
        }
        let picture = try picture(path, tile, limits: limits, range: range, asColors: true)
        return portableImage(
            width: tile.width, height: tile.height, pixelBytes: picture.pixelBytes, try picture.read(tile),
            range: range)
    }

    /// A part of a mask.
    static func mask(_ path: String, _ tile: Tile, limits: ReadLimits, labels: LabelMap) throws -> Mask {
        try labels.labels(of: rawMask(path, tile, limits: limits, asColors: labels.form == .colors), file: path)
    }

    /// A part of a mask as its file holds it.
    static func rawMask(_ path: String, _ tile: Tile, limits: ReadLimits, asColors: Bool = false) throws -> RawMask {
        let picture = try picture(path, tile, limits: limits, range: nil, asColors: asColors)
        let bytes = try picture.read(tile)
        let values: RawMask.Values =
            switch picture.pixelBytes {
            case 3: .colors(bytes)
            case 2: .wide(portableSamples(bytes))
            default: .indices(bytes)
            }
        return RawMask(
            width: tile.width, height: tile.height, values: values,
            holdsWholeGreys: picture.pixelBytes == 3 && holdsWholeGreys(path, limits: limits))
    }

    /// Whether a file of colours holds 8 bits of each, by its header; of TIFF it is not looked for.
    private static func holdsWholeGreys(_ path: String, limits: ReadLimits) -> Bool {
        guard let bytes = try? readFileBytes(path, limit: limits.forTiles.fileBytes, prefix: 33), bytes.count >= 33
        else { return false }
        return switch try? PictureFormat(bytes, file: path) {
        case .png: bytes[24] == 8 && bytes[25] != 3
        case .bmp: bytes[28] >= 24
        case .webP, .portable: true
        case .tiff, .gif, .jpeg, nil: false
        }
    }

    private static func isPortable(_ path: String) -> Bool {
        [".ppm", ".pgm", ".pnm"].contains { path.lowercased().hasSuffix($0) }
    }

    private static func picture(
        _ path: String, _ tile: Tile, limits: ReadLimits, range: ValueRange?, asColors: Bool
    ) throws -> PortableImage {
        let picture =
            try isPortable(path)
            ? PortableImage(path)
            : copy(of: path, in: tile.cache, limits, range: range, as: asColors ? .colors : .labels)
        return try checked(picture, tile, file: path)
    }

    /// A picture that holds a tile.
    private static func checked(_ picture: PortableImage, _ tile: Tile, file: String) throws -> PortableImage {
        guard tile.x + tile.width <= picture.width, tile.y + tile.height <= picture.height else {
            throw DataError(
                file: file,
                problem: "is \(picture.width)x\(picture.height) pixels, smaller than its partner: they must be equal")
        }
        return picture
    }

    /// The decoded copy of a picture, made where there is none of the file as it is now.
    private static func copy(
        of path: String, in folder: String, _ limits: ReadLimits, range: ValueRange?, as content: TileCopy.Content
    ) throws -> PortableImage {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size] as? Int, let date = attributes[.modificationDate] as? Date
        else { throw DataError(.missing, file: path, problem: "cannot be opened") }
        let scale = range.map { "|\($0.low)-\($0.high)" } ?? ""
        let key = "\(path)|\(size)|\(date.timeIntervalSince1970)|\(content.key)\(scale)"
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
                try TileCopy(path: path, limits: limits.forTiles, range: range, content: content).write(to: target)
            }
            return try PortableImage(target, isBands: content.isBands)
        }
    }
}
