import Images
import Torch

/// The probability of every class at every pixel of an image, as plain numbers that may cross tasks.
public struct ClassProbabilities: Equatable, Sendable {
    /// The number of classes.
    public let classes: Int
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int
    /// Class by class, row by row: the value of class c at column x of row y is number `(c * height + y) * width + x`.
    public let values: [Float]

    /// The probability of a class at a pixel.
    public subscript(label: Int, x x: Int, y y: Int) -> Float {
        precondition((0..<classes).contains(label), "class \(label) of \(classes)")
        precondition((0..<width).contains(x) && (0..<height).contains(y), "pixel \(x), \(y) of \(width)x\(height)")
        return values[(label * height + y) * width + x]
    }

    /// The numbers as a tensor `[classes, H, W]`, for this task alone.
    public func tensor(on device: Device = .cpu) -> Tensor {
        Tensor(values, shape: [classes, height, width], device: device)
    }
}

extension Model {
    /// The probability of every class at every pixel of an image, at the image's size.
    ///
    /// - Parameters:
    ///   - image: The image.
    ///   - limit: The most bytes that the numbers may take: 4 for each class and pixel.
    /// - Returns: Plain numbers.
    /// - Throws: `DataError` where they would take more; nothing is allocated then.
    public func probabilities(of image: Image, limit: Int = 1 << 30) throws -> ClassProbabilities {
        let size = MemoryLayout<Float>.size
        guard image.width * image.height <= limit / size / classes.count else {
            throw DataError(
                file: "image",
                problem: "the probabilities of \(classes.count) classes at \(image.width)x\(image.height) pixels take "
                    + "\(image.width * image.height * classes.count * size) bytes, more than the limit of \(limit)")
        }
        var inference = Predictor(device: device)
        _ = inference.boundMemory(for: image, self)
        let map = map(of: image, by: inference).probabilities
        var values = [Float](repeating: 0, count: map.classes * map.height * map.width)
        map.forEachStrip { row, strip in
            let numbers = withoutGradients { strip.contiguous().floats() }
            let count = strip.size(2) * map.width
            for label in 0..<map.classes {
                let start = (label * map.height + row) * map.width
                values.replaceSubrange(start..<start + count, with: numbers[label * count..<(label + 1) * count])
            }
        }
        return ClassProbabilities(classes: map.classes, height: map.height, width: map.width, values: values)
    }
}
