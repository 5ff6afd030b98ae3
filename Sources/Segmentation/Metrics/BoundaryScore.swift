import Images

/// How well the boundaries of classes are met, over a whole set of images.
///
/// A pixel is on its class's boundary if one of its four neighbours is of another class; pixels labelled 255, and what
/// is predicted there, count as no class and make no boundary. A boundary pixel is met if the other mask has one of the
/// same class within the tolerance. Precision is the share of the predicted boundary pixels that are met, recall that
/// of the labelled ones, and the F-score 2 P R / (P + R) (Csurka et al. 2013), here from counts over all images.
public struct BoundaryScore: Hashable, Sendable {
    /// How many classes there are.
    public let classes: Int
    /// How far a boundary may be off, as a share of the image's diagonal, in whole pixels of at least 1.
    public let tolerance: Double
    private var predicted: [Int]
    private var predictedMet: [Int]
    private var labelled: [Int]
    private var labelledMet: [Int]

    /// No images yet.
    public init(classes: Int, tolerance: Double) {
        precondition((1...255).contains(classes) && tolerance > 0, "\(classes) classes, tolerance \(tolerance)")
        self.classes = classes
        self.tolerance = tolerance
        predicted = [Int](repeating: 0, count: classes)
        (predictedMet, labelled, labelledMet) = (predicted, predicted, predicted)
    }

    /// Counts an image: two masks of one size, the prediction of classes alone.
    public mutating func add(labels: Mask, prediction: Mask) {
        precondition(
            labels.width == prediction.width && labels.height == prediction.height,
            "a prediction of \(prediction.width)x\(prediction.height) for \(labels.width)x\(labels.height) labels")
        let diagonal = Double(labels.width * labels.width + labels.height * labels.height).squareRoot()
        let radius = max(1, Int(clamping: (tolerance * diagonal).rounded()))
        let wanted = boundary(of: labels)
        var seen = prediction
        for (pixel, label) in labels.labels.enumerated() where label == Mask.ignored { seen.labels[pixel] = label }
        let found = boundary(of: seen)
        let offsets = offsets(within: radius)
        count(found, in: wanted, offsets, all: &predicted, met: &predictedMet)
        count(wanted, in: found, offsets, all: &labelled, met: &labelledMet)
    }

    /// The F-score of a class's boundaries; nil where neither mask ever had one.
    public func fScore(_ label: Int) -> Double? {
        guard predicted[label] + labelled[label] > 0 else { return nil }
        guard predictedMet[label] > 0 && labelledMet[label] > 0 else { return 0 }
        let precision = Double(predictedMet[label]) / Double(predicted[label])
        let recall = Double(labelledMet[label]) / Double(labelled[label])
        return 2 * precision * recall / (precision + recall)
    }

    /// Mean F-score of the classes that have boundaries; 0 where none has.
    public var mean: Double {
        let scores = (0..<classes).compactMap { fScore($0) }
        return scores.isEmpty ? 0 : scores.reduce(0, +) / Double(scores.count)
    }

    private func count(
        _ boundary: Mask, in other: Mask, _ offsets: [(x: Int, y: Int)], all: inout [Int], met: inout [Int]
    ) {
        let (width, height) = (boundary.width, boundary.height)
        other.labels.withUnsafeBufferPointer { others in
            for y in 0..<height {
                for x in 0..<width {
                    let label = boundary[x, y]
                    guard label != Mask.ignored else { continue }
                    all[Int(label)] += 1
                    let isMet = offsets.contains { offset in
                        let (column, row) = (x + offset.x, y + offset.y)
                        return column >= 0 && column < width && row >= 0 && row < height
                            && others[row * width + column] == label
                    }
                    if isMet { met[Int(label)] += 1 }
                }
            }
        }
    }
}

/// The labels of boundary pixels; all others are ignored.
private func boundary(of mask: Mask) -> Mask {
    let (width, height) = (mask.width, mask.height)
    var result = Mask(width: width, height: height, label: Mask.ignored)
    for y in 0..<height {
        for x in 0..<width {
            let label = mask[x, y]
            guard label != Mask.ignored else { continue }
            func differs(_ column: Int, _ row: Int) -> Bool {
                guard column >= 0 && column < width && row >= 0 && row < height else { return false }
                return mask[column, row] != label && mask[column, row] != Mask.ignored
            }
            if differs(x - 1, y) || differs(x + 1, y) || differs(x, y - 1) || differs(x, y + 1) {
                result[x, y] = label
            }
        }
    }
    return result
}

/// Offsets of the pixels within a radius, the nearest first.
private func offsets(within radius: Int) -> [(x: Int, y: Int)] {
    func square(_ offset: (x: Int, y: Int)) -> Int { offset.x * offset.x + offset.y * offset.y }
    var result: [(x: Int, y: Int)] = []
    for y in -radius...radius {
        for x in -radius...radius where square((x, y)) <= radius * radius { result.append((x, y)) }
    }
    return result.sorted { square($0) < square($1) }
}
