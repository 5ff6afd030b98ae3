import Foundation
import Segmentation
import Torch

/// Measures a model on a split (paper 5.2).
///
/// - Parameters:
///   - model: The trained network.
///   - configuration: Data, scales and mirroring.
///   - split: The split's name; nil takes the configuration's `data.splits.val`.
///   - reporter: Who shows the progress.
/// - Returns: What was measured.
/// - Throws: An error that names the file which cannot be used.
public func evaluate(
    _ model: Model, _ configuration: Configuration, split: String?, reporter: any ProgressReporter
) throws -> Metrics {
    let dataset = try configuration.data.dataset()
    guard dataset.classes.count == model.classes.count else {
        throw RunError(
            .damaged, path: configuration.data.root,
            "\(dataset.classes.count) classes, where the model has \(model.classes.count)")
    }
    Engine.threads = configuration.workerThreads
    let samples = try dataset.samples(Split(rawValue: split ?? configuration.data.splits.val))
    let evaluator = Evaluator(
        samples: samples, reader: dataset.reader(resize: model.resize),
        classes: model.classes.count,
        inference: Inference(
            scales: configuration.evaluate.scales, flip: configuration.evaluate.flip, device: model.device))
    let start = Date()
    reporter.report(.began(stage: "evaluate", unit: "image", total: samples.count))
    let matrix = try evaluator(
        network: { model.network($0, mode: .evaluation) },
        advanced: { reporter.report(.advanced(Advance(completed: $0))) })
    reporter.report(.ended(stage: "evaluate"))
    return Metrics(
        matrix ?? ConfusionMatrix(classes: model.classes.count), names: model.classes.names, images: samples.count,
        seconds: Date().timeIntervalSince(start))
}
