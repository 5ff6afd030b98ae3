import Datasets
import Foundation
import Images

/// What a plan has to know of a data set's images and masks.
public struct DataFacts: Equatable, Codable, Sendable {
    /// Images by split.
    public var images: [String: Int]
    /// Names of the classes.
    public var classes: [String]
    /// The middle height of the training images, in pixels.
    public var height: Int
    /// Their middle width.
    public var width: Int
    /// The shortest side of all.
    public var smallest: Int
    /// Share of the labelled pixels of each class.
    public var shares: [Double]
    /// Median width of what is labelled as each class, in pixels: twice its area over its outline; 0 for absent ones.
    public var thickness: [Double]

    /// Masks that are looked at.
    private static let limit = 120

    /// Reads the masks of some training images, evenly spread over all.
    ///
    /// - Throws: `DataError` where one cannot be read.
    package init(_ dataset: Dataset, reader: SampleReader) throws {
        classes = dataset.classes.names
        images = [:]
        for split in dataset.splits { images[split.rawValue] = (try? dataset.samples(split))?.count ?? 0 }
        let samples = try dataset.samples(.train)
        let count = min(samples.count, Self.limit)
        var (heights, widths): ([Int], [Int]) = ([], [])
        var pixels = [Int](repeating: 0, count: 256)
        var outlines = [Int](repeating: 0, count: 256)
        for index in 0..<count {
            let mask = try reader.readMask(samples[index * samples.count / count])
            heights.append(mask.height)
            widths.append(mask.width)
            Self.count(mask, pixels: &pixels, outlines: &outlines)
        }
        height = heights.sorted()[count / 2]
        width = widths.sorted()[count / 2]
        smallest = min(heights.min() ?? 1, widths.min() ?? 1)
        let labelled = Double(max(1, pixels.prefix(classes.count).reduce(0, +)))
        shares = pixels.prefix(classes.count).map { Double($0) / labelled }
        thickness = zip(pixels, outlines).prefix(classes.count).map { $1 == 0 ? 0 : 2 * Double($0) / Double($1) }
    }

    /// Adds up the pixels of each label, and the sides between a pixel and one of another label.
    private static func count(_ mask: Mask, pixels: inout [Int], outlines: inout [Int]) {
        let (height, width) = (mask.height, mask.width)
        mask.labels.withUnsafeBufferPointer { labels in
            for row in 0..<height {
                for column in 0..<width {
                    let place = row * width + column
                    let label = Int(labels[place])
                    pixels[label] += 1
                    if column + 1 < width, labels[place + 1] != labels[place] {
                        outlines[label] += 1
                        outlines[Int(labels[place + 1])] += 1
                    }
                    if row + 1 < height, labels[place + width] != labels[place] {
                        outlines[label] += 1
                        outlines[Int(labels[place + width])] += 1
                    }
                }
            }
        }
    }

    /// The width of the thinnest class that is there, in pixels.
    var thinnest: Double { thickness.filter { $0 > 0 }.min() ?? .infinity }
}
