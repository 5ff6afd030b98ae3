import Foundation

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

    /// A reader for a data set's samples.
    public init(
        labels: LabelMap, resize: Double = 1, longerSide: Int? = nil, limits: ReadLimits = ReadLimits()
    ) {
        precondition(resize > 0 && (longerSide ?? 1) > 0, "resizing by \(resize), to \(longerSide ?? 0)")
        self.labels = labels
        self.resize = resize
        self.longerSide = longerSide
        self.limits = limits
    }

    /// Reads an image with its labels, both resized.
    public func read(_ sample: Sample) throws -> LabelledImage {
        let (image, mask) = try readOriginal(sample)
        let size = size(of: image)
        return LabelledImage(
            image: image.resized(width: size.width, height: size.height),
            mask: mask.resized(width: size.width, height: size.height))
    }

    /// The size that an image is resized to.
    public func size(of image: Image) -> (width: Int, height: Int) {
        let factor = longerSide.map { Double($0) / Double(max(image.width, image.height)) } ?? resize
        return (scaled(image.width, by: factor), scaled(image.height, by: factor))
    }

    /// Reads an image with its labels as they are in the files.
    func readOriginal(_ sample: Sample) throws -> (Image, Mask) {
        guard let path = sample.mask else {
            throw DataError(.missing, file: sample.image, problem: "has no mask")
        }
        let image = try readImage(path: sample.image, limits: limits)
        let mask = try labels.apply(to: readMask(path: path, limits: limits), file: path)
        guard image.width == mask.width, image.height == mask.height else {
            throw DataError(
                file: path,
                problem: "is \(mask.width)x\(mask.height) pixels, but its image \(sample.image) is"
                    + " \(image.width)x\(image.height) as displayed: they must be equal")
        }
        return (image, mask)
    }
}

/// Keeps decoded samples up to a number of bytes; `lock` guards its variables.
///
/// Every epoch visits each sample once, in random order: dropping old entries would only exchange them for others that
/// are no likelier to come next, so what fits first stays.
final class SampleCache: @unchecked Sendable {
    private let lock = NSLock()
    private let limit: Int
    private var bytes = 0
    private var entries: [Int: LabelledImage] = [:]

    init(limit: Int) { self.limit = limit }

    subscript(index: Int) -> LabelledImage? { lock.withLock { entries[index] } }

    func keep(_ sample: LabelledImage, at index: Int) {
        lock.withLock {
            guard entries[index] == nil, bytes + sample.bytes <= limit else { return }
            entries[index] = sample
            bytes += sample.bytes
        }
    }
}
