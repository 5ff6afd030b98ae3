import Configurations
import Datasets
import Foundation
import Images
import Reporting
import Runs
import Segmentation
import Torch

/// What `evaluate` tells and `metrics.json` holds.
public struct Metrics: Codable, Equatable, Sendable {
    /// One class's part.
    public struct Class: Codable, Equatable, Sendable {
        /// The class's name.
        public var name: String
        /// Intersection over union; nil where the class is absent.
        public var iou: Double?
        /// Share of the class's labelled pixels that are right; nil where none is labelled.
        public var accuracy: Double?
        /// F-score of the class's boundaries; nil where there are none, or they were not measured.
        public var boundaryF: Double?
        /// Labelled pixels of the class.
        public var pixels: Int
    }

    /// One of the images that went worst.
    public struct Worst: Codable, Equatable, Sendable {
        /// The image's name within its split.
        public var name: String
        /// The image's file.
        public var image: String
        /// mIOU of this image alone.
        public var mIOU: Double
        /// The picture of it, beside metrics.json.
        public var picture: String
    }

    /// The split that was measured.
    public var split: String
    /// Factors of the image's size whose probabilities were averaged.
    public var scales: [Double]
    /// Whether the mirrored image counted too.
    public var flip: Bool
    /// Side of the windows; 0 where images were seen whole.
    public var window: Int
    /// Share of a window that the next one covered again.
    public var overlap: Double
    /// What images were resized by before the network saw them.
    public var resize: Double
    /// What their longer side was brought to instead; nil where they were resized by the factor.
    public var longerSide: Int?
    /// Mean over the classes that are there.
    public var mIOU: Double
    /// Mean of the classes' IoU, weighted by their labelled pixels.
    public var frequencyWeightedIOU: Double
    /// Share of labelled pixels that are right.
    public var pixelAccuracy: Double
    /// Mean of the classes' own accuracies.
    public var meanAccuracy: Double
    /// Mean of the classes' boundary F-scores; nil where not measured.
    public var boundaryF: Double?
    /// Class by class.
    public var classes: [Class]
    /// The images that went worst, the worst first.
    public var worst: [Worst]
    /// Number of images.
    public var images: Int
    /// Time that it took.
    public var seconds: Double

    init(
        _ matrix: ConfusionMatrix, boundary: BoundaryScore?, worst: [Worst], names: [String], images: Int,
        seconds: Double, split: String, settings: EvaluateConfiguration, scaling: ImageScaling
    ) {
        self.split = split
        scales = settings.scales
        flip = settings.flip
        window = settings.window
        overlap = settings.overlap
        resize = scaling.factor
        longerSide = scaling.longerSide
        mIOU = matrix.mIOU
        frequencyWeightedIOU = matrix.frequencyWeightedIOU
        pixelAccuracy = matrix.pixelAccuracy
        meanAccuracy = matrix.meanAccuracy
        boundaryF = boundary?.mean
        classes = names.enumerated().map { label, name in
            Class(
                name: name, iou: matrix.iou(label), accuracy: matrix.accuracy(label),
                boundaryF: boundary?.fScore(label), pixels: matrix.labelled(label))
        }
        self.worst = worst
        self.images = images
        self.seconds = seconds
    }

    /// The same with the figures of another matrix.
    fileprivate func replacing(_ matrix: ConfusionMatrix) -> Metrics {
        var result = self
        result.mIOU = matrix.mIOU
        result.frequencyWeightedIOU = matrix.frequencyWeightedIOU
        result.pixelAccuracy = matrix.pixelAccuracy
        result.meanAccuracy = matrix.meanAccuracy
        result.boundaryF = nil
        for label in result.classes.indices {
            result.classes[label].iou = matrix.iou(label)
            result.classes[label].accuracy = matrix.accuracy(label)
            result.classes[label].boundaryF = nil
            result.classes[label].pixels = matrix.labelled(label)
        }
        return result
    }
}

/// A model's results on a split, with what can be drawn of them.
public struct Evaluation {
    /// The figures.
    public let metrics: Metrics
    /// Pixels of all images by label and prediction.
    public let matrix: ConfusionMatrix
    /// Image by image; of the images of this process alone, and none of a validation in training.
    public let images: [ImageScore]
    let classes: ClassTable
    let worst: [JudgedImage]

    /// Writes `metrics.json`, `confusion.csv`, `confusion.svg` and, in `worst`, the images that went worst: image,
    /// labels and prediction side by side.
    ///
    /// In the folder itself these are of the last evaluation; `splits/NAME` keeps those of each split.
    ///
    /// - Parameter folder: A folder, which is made where it is missing.
    /// - Throws: An error where it cannot be written.
    public func write(to folder: String) throws {
        let paths = RunPaths(folder: folder)
        try OutputPaths(in: folder).refuseLinks(at: paths.evaluationPlaces)
        try writeFiles(to: paths.split(metrics.split).folder, below: folder)
        try writeFiles(to: folder, below: folder)
    }

    /// The files of one evaluation alone.
    ///
    /// - Parameters:
    ///   - folder: Where they go.
    ///   - root: The run's folder or the one that a user named, in which no link is followed.
    /// - Throws: An error where they cannot be written.
    func writeFiles(to folder: String, below root: String) throws {
        let paths = RunPaths(folder: folder)
        try RunFolder.makeFolder(folder)
        for place in [folder, paths.worst] { AtomicFile.removeLeftovers(in: place) }
        // First: what metrics.json no longer lists would be taken for somebody else's.
        if let former = paths.storedEvaluation, fileType(paths.worst) == S_IFDIR {
            removePictures(of: former, in: paths.worst)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(metrics), to: paths.evaluation, below: root)
        try AtomicFile.write(Data(table.utf8), to: paths.confusionTable, below: root)
        let rows = (0..<matrix.classes).map { label in (0..<matrix.classes).map { matrix[label, $0] } }
        let picture = drawConfusion(
            names: classes.names, counts: rows, title: "Predicted classes of each class's pixels, in percent")
        try AtomicFile.write(Data(picture.utf8), to: paths.confusionPicture, below: root)
        if !worst.isEmpty { try RunFolder.makeFolder(paths.worst) }
        for (entry, judged) in zip(metrics.worst, worst) {
            let path = folder + "/" + entry.picture
            // It can be made again, and hundreds that wait for the disk take seconds.
            try AtomicFile.write(
                try pngData(judged.picture(classes), file: path), to: path, below: root, waitsForDisk: false)
        }
    }

    /// The evaluation before this one may have shown more images; nothing but its own pictures is removed.
    private func removePictures(of former: Metrics, in folder: String) {
        for number in former.worst.indices.dropFirst(worst.count).map({ $0 + 1 }) {
            let path = folder + "/\(number).png"
            if former.worst[number - 1].picture == "worst/\(number).png", fileType(path) == S_IFREG { unlink(path) }
        }
    }

    /// The confusion matrix, a row for each label.
    private var table: String {
        let names = classes.names.map(csvCell)
        let rows = names.enumerated().map { label, name in
            ([name] + (0..<matrix.classes).map { "\(matrix[label, $0])" }).joined(separator: ",")
        }
        return ([(["label"] + names).joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
    }
}

extension Evaluation {
    /// Several evaluations of other images each as one, all pixels counted together; boundaries are not.
    ///
    /// - Parameters:
    ///   - parts: At least one, of the same classes.
    ///   - split: What they are together.
    package init(pooling parts: [Evaluation], split: String) {
        var total = ConfusionMatrix(classes: parts[0].matrix.classes)
        for part in parts { total.merge(part.matrix) }
        let limit = parts.map(\.worst.count).max() ?? 0
        let worst = parts.flatMap { zip($0.metrics.worst, $0.worst) }.sorted { $0.1.mIOU < $1.1.mIOU }.prefix(limit)
        var metrics = parts[0].metrics.replacing(total)
        metrics.split = split
        metrics.images = parts.reduce(0) { $0 + $1.metrics.images }
        metrics.seconds = parts.reduce(0) { $0 + $1.metrics.seconds }
        metrics.worst = worst.enumerated().map { index, item in
            var entry = item.0
            entry.picture = "worst/\(index + 1).png"
            return entry
        }
        self.init(
            metrics: metrics, matrix: total, images: parts.flatMap(\.images), classes: parts[0].classes,
            worst: worst.map(\.1))
    }
}

/// An image with its labels and its prediction.
struct JudgedImage {
    let sample: Sample
    /// The image as pictures show it, of 3 channels.
    let image: Image
    let labels: Mask
    let prediction: Mask
    /// mIOU of this image alone.
    let mIOU: Double

    init(_ item: EvaluationItem, _ shownChannels: [Int], prediction: Mask, _ matrix: ConfusionMatrix) {
        sample = item.sample
        image = item.image.shown(shownChannels)
        labels = item.mask
        self.prediction = prediction
        // An image without a labelled pixel has no figure, and is not bad.
        mIOU = matrix.total == 0 ? 1 : matrix.mIOU
    }

    /// Image, labels and prediction side by side.
    func picture(_ classes: ClassTable) -> Image {
        sideBySide(image, labels: labels, prediction: prediction, classes: classes)
    }
}

/// An image, its labels and its prediction side by side.
func sideBySide(_ image: Image, labels: Mask, prediction: Mask, classes: ClassTable) -> Image {
    let width = min(labels.width, 640)
    let height = max(1, labels.height * width / labels.width)
    let small = image.resized(width: width, height: height)
    let overlays = [labels, prediction].map {
        small.overlaid(
            with: $0.resized(width: width, height: height), palette: classes.palette,
            background: classes.background, opacity: 0.65)
    }
    return Image.grid([[small] + overlays])
}
