import Foundation
import Images

/// Counts of pixels by their label and by what was predicted for them, over a whole set of images.
///
/// All of a set's figures come from one matrix, never from means of per-image figures. Pixels labelled 255 are not
/// counted.
public struct ConfusionMatrix: Hashable, Codable, Sendable {
    /// How many classes there are.
    public let classes: Int
    /// Pixels by label, then by prediction: `classes * classes` counts.
    public private(set) var counts: [Int]

    /// Makes an empty matrix.
    public init(classes: Int) {
        precondition((1...255).contains(classes), "\(classes) classes")
        self.classes = classes
        counts = [Int](repeating: 0, count: classes * classes)
    }

    /// A matrix of counts by label, then by prediction.
    package init(classes: Int, counts: [Int]) {
        precondition((1...255).contains(classes) && counts.count == classes * classes, "\(classes) classes")
        self.classes = classes
        self.counts = counts
    }

    /// Pixels with a label and a prediction, labels outermost.
    public subscript(label: Int, prediction: Int) -> Int { counts[label * classes + prediction] }

    /// Counts an image's pixels: as many predictions as labels, all of them classes or, for labels, 255.
    public mutating func add(labels: [UInt8], predictions: [UInt8]) {
        precondition(labels.count == predictions.count, "\(predictions.count) predictions, \(labels.count) labels")
        for (label, prediction) in zip(labels, predictions) where label != Mask.ignored {
            precondition(
                label < classes && prediction < classes,
                "label \(label) and prediction \(prediction) with \(classes) classes")
            counts[Int(label) * classes + Int(prediction)] += 1
        }
    }

    /// Adds another matrix of the same classes.
    public mutating func merge(_ other: ConfusionMatrix) {
        precondition(classes == other.classes, "\(other.classes) classes into \(classes)")
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// Pixels labelled with a class.
    public func labelled(_ label: Int) -> Int { (0..<classes).reduce(0) { $0 + self[label, $1] } }

    /// Pixels predicted as a class, of those that have a label.
    public func predicted(_ prediction: Int) -> Int { (0..<classes).reduce(0) { $0 + self[$1, prediction] } }

    /// Pixels counted.
    public var total: Int { counts.reduce(0, +) }

    /// Intersection over union of a class; nil where it is neither labelled nor predicted anywhere.
    public func iou(_ label: Int) -> Double? {
        let union = labelled(label) + predicted(label) - self[label, label]
        return union == 0 ? nil : Double(self[label, label]) / Double(union)
    }

    /// Intersection over union of each class, nil for absent ones.
    public var iou: [Double?] { (0..<classes).map { iou($0) } }

    /// Mean intersection over union of the classes that are labelled or predicted; 0 where nothing was counted.
    public var mIOU: Double { mean(iou.compactMap { $0 }) }

    /// Share of the pixels that are right; 0 where nothing was counted.
    public var pixelAccuracy: Double {
        total == 0 ? 0 : Double((0..<classes).reduce(0) { $0 + self[$1, $1] }) / Double(total)
    }

    /// Share of a class's labelled pixels that are right; nil where none is labelled.
    public func accuracy(_ label: Int) -> Double? {
        let count = labelled(label)
        return count == 0 ? nil : Double(self[label, label]) / Double(count)
    }

    /// Mean of the accuracies of the labelled classes; 0 where nothing was counted.
    public var meanAccuracy: Double { mean((0..<classes).compactMap { accuracy($0) }) }

    /// Mean intersection over union, each class weighted by its labelled pixels; 0 where nothing was counted.
    public var frequencyWeightedIOU: Double {
        let total = total
        guard total > 0 else { return 0 }
        return (0..<classes).reduce(0) { $0 + (iou($1) ?? 0) * Double(labelled($1)) / Double(total) }
    }

    /// What a controller is rewarded by (arXiv 1810.10804).
    ///
    /// - Parameter background: A class that is left out.
    /// - Returns: The geometric mean of mean IoU, frequency-weighted IoU and mean accuracy over the labelled classes; 0 where
    ///   none is labelled.
    public func reward(leavingOut background: Int? = nil) -> Double {
        let present = (0..<classes).filter { $0 != background && labelled($0) > 0 }
        let total = Double(present.reduce(0) { $0 + labelled($1) })
        let weighted = present.reduce(0) { $0 + (iou($1) ?? 0) * Double(labelled($1)) / total }
        return cbrt(mean(present.compactMap { iou($0) }) * weighted * mean(present.compactMap { accuracy($0) }))
    }
}

private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
