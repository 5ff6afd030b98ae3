import Foundation
import Images

/// An image with its labels, decoded, checked and of one size.
public struct LabelledImage: Sendable {
    /// The image.
    public let image: Image
    /// Its labels: classes and 255.
    public let mask: Mask

    /// How much memory it takes.
    var bytes: Int { image.pixels.count + mask.labels.count }
}

/// Reads samples: decodes both files, checks their sizes and labels, and resizes them.
public struct SampleReader: Sendable {
    /// What the values in masks mean.
    public let labels: LabelMap
    /// The factor that images are resized by, masks alike; 0.5 is half resolution.
    public let resize: Double
    /// What each image's longer side is brought to instead, whatever it was; nil leaves it to the factor.
    public let longerSide: Int?
    /// What the readers accept.
    public let limits: ReadLimits
    /// The values that become black and white in images of more than 8 bits; nil takes their upper 8 bits.
    public let range: ValueRange?
    /// How many channels images have; 3 are colours, whatever the file has.
    public let channels: Int
    /// What becomes of their bytes before a network sees them.
    public let normalization: ChannelNormalization
    /// What was met in files that should be known, until somebody tells it.
    public let notes = ReadNotes()

    /// A reader for a data set's samples.
    public init(
        labels: LabelMap, resize: Double = 1, longerSide: Int? = nil, limits: ReadLimits = ReadLimits(),
        range: ValueRange? = nil, channels: Int = 3, normalization: ChannelNormalization? = nil
    ) {
        precondition(resize > 0 && (longerSide ?? 1) > 0, "resizing by \(resize), to \(longerSide ?? 0)")
        self.labels = labels
        self.resize = resize
        self.longerSide = longerSide
        self.limits = limits
        self.range = range
        self.channels = channels
        self.normalization = normalization ?? .unmeasured(channels: channels)
    }

    /// Reads an image with its labels, both resized.
    public func read(_ sample: Sample) throws -> LabelledImage {
        let (image, mask) = try readImageAndOriginalMask(sample)
        return LabelledImage(image: image, mask: mask.resized(width: image.width, height: image.height))
    }

    /// Reads an image, resized, with its labels as they are in the file.
    package func readImageAndOriginalMask(_ sample: Sample) throws -> (Image, Mask) {
        let decoded = try decode(sample)
        let mask = try readMask(sample, width: decoded.fullWidth, height: decoded.fullHeight)
        let (width, height) = size(width: decoded.fullWidth, height: decoded.fullHeight)
        return (decoded.image.resized(width: width, height: height), mask)
    }

    /// Reads a sample's labels alone, as they are in the file.
    package func readMask(_ sample: Sample) throws -> Mask {
        guard sample.outlines != nil else { return try readMask(sample, width: nil, height: nil) }
        let size = try readImageSize(path: sample.image, limits: limits)
        return try readMask(sample, width: size.width, height: size.height)
    }

    /// Decodes a sample's image; a JPEG may come out smaller where it will be resized to that size or less.
    package func decode(_ sample: Sample) throws -> DecodedImage {
        if let tile = sample.tile {
            return try TileStore.image(sample.image, tile, channels: channels, limits: limits, range: range)
        }
        let decoded =
            channels == 3 && sample.furtherImages.isEmpty
            ? try readImage(path: sample.image, limits: limits, range: range, target: size)
            : try readBands(paths: sample.imageFiles, channels: channels, limits: limits, range: range)
        notes.add(decoded.notes, file: sample.image)
        return decoded
    }

    /// Reads the labels of an image of a given size, where it is given; `noting` takes what should be known of the file.
    package func readMask(
        _ sample: Sample, width: Int?, height: Int?, noting: ([ReadNote]) -> Void = { _ in }
    ) throws -> Mask {
        guard let path = sample.mask else {
            throw DataError(.missing, file: sample.image, problem: "has no mask")
        }
        var mask: Mask
        if let tile = sample.tile {
            mask = try TileStore.mask(path, tile, limits: limits, labels: labels)
        } else if let outlines = sample.outlines {
            // What could not be decoded may tell its size all the same.
            let size =
                try width.flatMap { width in height.map { (width: width, height: $0) } }
                ?? readImageSize(path: sample.image, limits: limits)
            try outlines.check(width: size.width, height: size.height, file: path, image: sample.image)
            mask = outlines.mask(width: size.width, height: size.height)
        } else {
            func read(_ path: String) throws -> Mask {
                try labels.read(path: path, limits: limits) { found in
                    notes.add(found, file: path)
                    noting(found)
                }
            }
            mask = try read(path)
            for further in sample.furtherMasks { try mask.add(read(further), file: further, to: path) }
        }
        guard mask.width == width ?? mask.width, mask.height == height ?? mask.height else {
            throw DataError(
                file: path,
                problem: "is \(mask.width)x\(mask.height) pixels, but its image \(sample.image) is"
                    + " \(width ?? 0)x\(height ?? 0) as displayed: they must be equal")
        }
        return mask
    }

    /// The size that an image of a given size is resized to.
    private func size(width: Int, height: Int) -> (Int, Int) {
        ImageScaling(factor: resize, longerSide: longerSide).size(width: width, height: height)
    }
}

extension Mask {
    /// Takes what is no background in another object's mask.
    fileprivate mutating func add(_ other: Mask, file: String, to first: String) throws {
        guard (other.width, other.height) == (width, height) else {
            throw DataError(
                file: file,
                problem: "is \(other.width)x\(other.height) pixels, where \(first) of the same image is"
                    + " \(width)x\(height): they must be equal")
        }
        for (place, label) in other.labels.enumerated() where label != 0 && labels[place] == 0 { labels[place] = label }
    }
}

/// Keeps decoded samples up to a number of bytes; `lock` guards its variables.
///
/// Every epoch visits each sample once, in random order: dropping old entries would only exchange them for others that
/// are no likelier to come next, so what fits first stays.
package final class SampleCache: @unchecked Sendable {
    private let lock = NSLock()
    private let limit: Int
    private var bytes = 0
    private var entries: [Int: LabelledImage] = [:]

    package init(limit: Int) { self.limit = limit }

    package subscript(index: Int) -> LabelledImage? { lock.withLock { entries[index] } }

    package func keep(_ sample: LabelledImage, at index: Int) {
        lock.withLock {
            guard entries[index] == nil, bytes + sample.bytes <= limit else { return }
            entries[index] = sample
            bytes += sample.bytes
        }
    }
}
