import ArgumentParser
import Experiments
import Foundation
import Inference
import Runs

/// `evaluate`: measures a model on a split.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a trained network: IoU of every class, mIOU, accuracy.")

    @OptionGroup var options: EvaluateOptions

    func run() throws {
        let configuration = try options.configuration()
        if options.printing.isDone(with: configuration) { return }
        if let folder = options.folder {
            try refuseEvaluation(
                in: folder, of: options.model, configuration, split: options.split, config: options.options.config)
        }
        let model = try openModel(options.model, configuration, reporter: options.shared.reporter)
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption, unit: "image")
        defer { withExtendedLifetime(handlers) {} }
        let evaluation = try evaluate(
            model, configuration, split: options.split, reporter: options.shared.reporter, interruption: interruption)
        // What was measured is shown also where it cannot be written.
        let written = Result { try write(evaluation) }
        if options.shared.json { try printJSON(evaluation.metrics) } else { show(evaluation.metrics) }
        try written.get()
        if !options.shared.json { showPlaces(evaluation.metrics) }
    }

    private func write(_ evaluation: Evaluation) throws {
        if let folder = options.folder { try evaluation.write(to: folder) }
        if options.output == nil, FileManager.default.fileExists(atPath: RunPaths(folder: options.model).log) {
            try writeReport(ofRun: options.model)
            try writeModelCard(ofRun: options.model)
        }
    }

    private func show(_ metrics: Metrics) {
        func figure(_ value: Double?) -> String { value.map { fixed($0, digits: 4) } ?? "absent" }
        for entry in metrics.classes {
            let boundary = metrics.boundaryF == nil ? "" : ", boundary F \(figure(entry.boundaryF))"
            print("\(entry.name): \(figure(entry.iou))\(boundary) (\(grouped(entry.pixels)) pixels)")
        }
        print(
            "mIOU \(figure(metrics.mIOU)), frequency-weighted IoU \(figure(metrics.frequencyWeightedIOU)), pixel "
                + "accuracy \(figure(metrics.pixelAccuracy)), mean accuracy \(figure(metrics.meanAccuracy))"
                + (metrics.boundaryF.map { ", boundary F \(figure($0))" } ?? ""))
        let scales = metrics.scales.map { "\($0)" }.joined(separator: ", ")
        print(
            "\(metrics.split): \(metrics.images) images at scale \(scales)" + (metrics.flip ? ", mirrored too" : "")
                + (metrics.window == 0 ? "" : ", by windows of \(metrics.window)"))
    }

    private func showPlaces(_ metrics: Metrics) {
        guard let folder = options.folder else { return }
        let paths = RunPaths(folder: folder)
        print("\(paths.evaluation), \(paths.confusionPicture)" + (metrics.worst.isEmpty ? "" : ", \(paths.worst)"))
    }
}
