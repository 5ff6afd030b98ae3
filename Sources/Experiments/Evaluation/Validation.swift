import Configurations
import Datasets
import Foundation
import Images
import Inference
import Runs
import Segmentation
import Torch

/// What a run measures at the end of an epoch.
struct Validation {
    let matrix: ConfusionMatrix
    /// Mean cross entropy of the labelled pixels.
    let loss: Double?
    let worst: [JudgedImage]
    let images: Int
    let seconds: Double

    /// What log.jsonl gets.
    var logged: [(String, LogValue)] {
        [
            ("mIOU", .number(matrix.mIOU)), ("validationLoss", .number(loss ?? .nan)),
            ("classIOU", .numbers(matrix.iou.map { $0 ?? .nan })),
        ]
    }

    /// What a controller would be told; nothing where the search goes by no reward.
    func reward(_ search: SearchConfiguration, _ classes: ClassTable) -> [(String, LogValue)] {
        guard search.method == .reinforcement || search.space == .decoders else { return [] }
        let reward =
            switch search.controller.reward {
            case .foreground: matrix.reward(leavingOut: classes.background)
            case .allClasses: matrix.reward()
            case .mIOU: matrix.mIOU
            }
        return [("reward", .number(reward))]
    }

    /// What metrics.csv gets more: a column a class.
    func columns(_ names: [String]) -> [(String, Double)] {
        zip(Validation.columnNames(names), matrix.iou).map { ($0, $1 ?? .nan) }
    }

    /// The columns of the classes: `iou.NAME`, without what has a meaning in a table and all distinct.
    private static func columnNames(_ names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.enumerated().map { index, name in
            let plain = name.map { $0.isNewline || ",\"".contains($0) ? " " : $0 }
            let column = "iou." + String(plain)
            return taken.insert(column).inserted ? column : column + " (\(index))"
        }
    }

    /// As an evaluation of a split, which can be written.
    func evaluation(_ classes: ClassTable, split: String, scaling: ImageScaling) -> Evaluation {
        let judged = WorstImages(worst)
        return Evaluation(
            metrics: Metrics(
                matrix, boundary: nil, worst: judged.listed, names: classes.names, images: images, seconds: seconds,
                split: split, settings: EvaluateConfiguration(), scaling: scaling),
            matrix: matrix, images: [], classes: classes, worst: judged.images)
    }
}

extension Evaluator {
    /// Measures a network, its loss too; in a group the worst images are the worst of this process's.
    ///
    /// - Parameters:
    ///   - count: How many of the worst images are kept.
    ///   - network: Scores of a batch of images.
    ///   - stop: Asked after every image whether to give up.
    /// - Returns: What was measured; nil if one process gave up.
    /// - Throws: An error that names the image which cannot be read.
    func validate(worst count: Int, network: @escaping Predictor.Network, stop: () -> Bool) throws -> Validation? {
        var loss = PixelLoss()
        var worst = WorstImages(limit: count, shownChannels: shownChannels)
        let start = Date()
        let matrix = try self(
            network: network,
            judged: { item, prediction, matrix in worst.add(item, prediction: prediction, matrix) },
            scored: { item, scores in
                loss.add(labels: item.mask, areProbabilities: scores.isProbability) { scores.rows($0) }
            }, stop: stop)
        guard let matrix else { return nil }
        return Validation(
            matrix: matrix, loss: loss.mean(), worst: worst.images, images: samples.count,
            seconds: Date().timeIntervalSince(start))
    }
}

/// The images of a set that went worst, the worst first.
struct WorstImages {
    private(set) var images: [JudgedImage] = []
    private let limit: Int
    private let shownChannels: [Int]

    /// None yet of so many, of which pictures show some channels.
    init(limit: Int, shownChannels: [Int]) {
        self.limit = limit
        self.shownChannels = shownChannels
    }

    /// These, the worst first.
    init(_ images: [JudgedImage]) {
        self.images = images
        limit = images.count
        shownChannels = []
    }

    mutating func add(_ item: EvaluationItem, prediction: Mask, _ matrix: ConfusionMatrix) {
        guard limit > 0 else { return }
        images.append(JudgedImage(item, shownChannels, prediction: prediction, matrix))
        // Stable for equal figures, so that the list is the same each time.
        images.sort { ($0.mIOU, $0.sample.name) < ($1.mIOU, $1.sample.name) }
        if images.count > limit { images.removeLast() }
    }

    /// As metrics.json lists them.
    var listed: [Metrics.Worst] {
        images.enumerated().map { place, judged in
            Metrics.Worst(
                name: judged.sample.name, image: judged.sample.image, mIOU: judged.mIOU,
                picture: "worst/\(place + 1).png")
        }
    }
}
