import Configurations
import Datasets
import Foundation
import Images
import Inference
import Runs
import Segmentation
import Torch

/// Measures a model on a split (paper 5.2).
///
/// - Parameters:
///   - model: The trained network.
///   - configuration: Data, scales, mirroring, windows.
///   - split: The split's name; nil takes the configuration's `data.splits.val`.
///   - reporter: Who shows the progress.
///   - interruption: Asks to stop, which is done after an image.
/// - Returns: What was measured.
/// - Throws: An error that names the file which cannot be used; `Interrupted` if asked to stop.
public func evaluate(
    _ model: Model, _ configuration: Configuration, split: String?, reporter: any ProgressReporter,
    interruption: Interruption = Interruption()
) throws -> Evaluation {
    var configuration = configuration
    // What the network learnt by is what it is measured by, whatever these masks look like.
    configuration.data.adopt(model.masks)
    configuration.data.channels = model.channels
    let dataset = try configuration.data.dataset(acceptingUnnamedClasses: false, reporter: reporter)
    try compareClasses(of: dataset, with: model.classes.names, reporter: reporter)
    let count = model.classes.count
    Engine.threads = configuration.workerThreads
    let name = split ?? configuration.data.splits.val
    let samples = try dataset.samples(Split(rawValue: name)) { reporter.report(.note($0)) }
    let settings = configuration.evaluate
    let evaluator = Evaluator(
        samples: samples,
        reader: model.reader(of: dataset), classes: count, inference: Predictor(settings, device: model.device),
        shownChannels: model.shown(of: configuration.data))
    let start = Date()
    var boundary = settings.boundary > 0 ? BoundaryScore(classes: count, tolerance: settings.boundary) : nil
    var worst = WorstImages(limit: settings.worst, shownChannels: evaluator.shownChannels)
    var scores: [ImageScore] = []
    var (ignored, done) = (0, 0)
    reporter.report(.began(stage: "evaluate", unit: "image", total: samples.count))
    let matrix = try evaluator(
        network: model.coarseScores,
        judged: { item, prediction, matrix in
            ignored += item.mask.labels.reduce(0) { $0 + ($1 == Mask.ignored ? 1 : 0) }
            boundary?.add(labels: item.mask, prediction: prediction)
            worst.add(item, prediction: prediction, matrix)
            scores.append(ImageScore(item.sample, matrix))
        },
        stop: { interruption.signal != nil },
        advanced: {
            done = $0
            reporter.report(evaluator.reader.notes)
            reporter.report(.advanced(Advance(completed: $0)))
        })
    reporter.report(.ended(stage: "evaluate"))
    if matrix == nil, let signal = interruption.signal {
        throw Interrupted(signal: signal, done: done, of: samples.count, units: "images")
    }
    let total = matrix ?? ConfusionMatrix(classes: count)
    try warnOfIgnored(
        ignored, in: total, names: model.classes.names, split: name, root: configuration.data.root, reporter)
    return Evaluation(
        metrics: Metrics(
            total, boundary: boundary, worst: worst.listed, names: model.classes.names, images: samples.count,
            seconds: Date().timeIntervalSince(start), split: name, settings: settings, scaling: model.scaling),
        matrix: total, images: scores, classes: model.classes, worst: worst.images)
}
