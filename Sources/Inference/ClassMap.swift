import Foundation
import Images
import Torch

/// A number for each class and pixel of an image, of which rows are computed as they are asked for.
///
/// At an image's size such maps take gigabytes where classes are many: 5 GB for 150 classes and 8.5 million pixels.
/// What a network computes is a sixteenth of that; it is brought to the image's size some rows at a time.
package struct ClassMap {
    /// The number of classes.
    package let classes: Int
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// Whether the numbers are probabilities; else they are scores, whose softmax is.
    package let isProbability: Bool
    /// The most rows that are cheap to have at once.
    private let rowLimit: Int
    private let read: (Range<Int>) -> Tensor

    /// A map whose rows `[1, classes, count, width]` are read from the top on, at most `rowLimit` at once.
    init(
        classes: Int, height: Int, width: Int, isProbability: Bool, rowLimit: Int = .max,
        read: @escaping (Range<Int>) -> Tensor
    ) {
        self.classes = classes
        self.height = height
        self.width = width
        self.isProbability = isProbability
        self.rowLimit = rowLimit
        self.read = read
    }

    /// Scores `[1, classes, height, width]` that are there.
    package init(scores: Tensor) {
        self.init(
            classes: scores.size(1), height: scores.size(2), width: scores.size(3), isProbability: false
        ) { rows in
            rows.count == scores.size(2) ? scores : scores.narrow(2, start: rows.lowerBound, length: rows.count)
        }
    }

    /// Rows `[1, classes, count, width]`.
    package func rows(_ rows: Range<Int>) -> Tensor { withoutGradients { read(rows) } }

    /// All rows, in strips from the top on, of which one is in memory at a time.
    package func forEachStrip(_ body: (_ row: Int, _ strip: Tensor) throws -> Void) rethrows {
        // 32 MiB of numbers: enough for the engine to be quick.
        let count = max(1, min(rowLimit, (8 << 20) / (classes * width)))
        for start in stride(from: 0, to: height, by: count) {
            try body(start, rows(start..<min(start + count, height)))
        }
    }

    /// The strongest class of each pixel.
    package func mask() -> Mask {
        var labels: [UInt8] = []
        labels.reserveCapacity(height * width)
        forEachStrip { _, strip in labels += strip.strongestClasses() }
        return Mask(width: width, height: height, labels: labels)
    }

    // MARK: Maps of maps

    /// Probabilities, by softmax where these are scores.
    package var probabilities: ClassMap {
        if isProbability { return self }
        return ClassMap(classes: classes, height: height, width: width, isProbability: true, rowLimit: rowLimit) {
            rows($0).softmax(1)
        }
    }

    /// The first rows and columns.
    func cropped(height: Int, width: Int) -> ClassMap {
        if height == self.height && width == self.width { return self }
        return with(height: height, width: width) { rows($0).narrow(3, start: 0, length: width) }
    }

    /// Left and right exchanged.
    var mirrored: ClassMap { with(height: height, width: width) { rows($0).flip([3]) } }

    /// Bilinear, as the engine resizes a whole map.
    package func resized(height: Int, width: Int, alignCorners: Bool) -> ClassMap {
        if height == self.height && width == self.width { return self }
        let source = self
        let columns = LinearPlaces(0..<width, of: width, inPlaceOf: self.width, alignCorners: alignCorners)
        return with(height: height, width: width) { range in
            let places = LinearPlaces(range, of: height, inPlaceOf: source.height, alignCorners: alignCorners)
            let (first, last) = (Int(places.indices[0]), Int(places.indices[range.count - 1]))
            // In planes, through which the strongest class is found faster.
            let rows = source.rows(first..<min(last + 2, source.height)).contiguous()
            return interpolate(rows, rows: places.counted(from: first), columns: columns)
        }
    }

    /// Mean of maps of one size.
    static func mean(of maps: [ClassMap]) -> ClassMap {
        guard let first = maps.first, maps.count > 1 else { return maps[0] }
        return first.with(height: first.height, width: first.width) { rows in
            maps.dropFirst().reduce(first.rows(rows)) { $0 + $1.rows(rows) } / Double(maps.count)
        }
    }

    private func with(height: Int, width: Int, read: @escaping (Range<Int>) -> Tensor) -> ClassMap {
        let limit = rowLimit == .max ? .max : max(1, rowLimit * height / self.height)
        return ClassMap(
            classes: classes, height: height, width: width, isProbability: isProbability, rowLimit: limit, read: read)
    }
}

extension Tensor {
    /// The strongest class of each pixel of `[1, classes, H, W]`.
    package func strongestClasses() -> [UInt8] { withoutGradients { argmax(1).to(.uint8).bytes() } }
}
