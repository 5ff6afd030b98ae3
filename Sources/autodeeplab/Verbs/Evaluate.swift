import ArgumentParser
import Experiments
import Foundation

/// `evaluate`: measures a model on a split.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a trained network: IoU of every class, mIOU, accuracy.")

    @OptionGroup var options: EvaluateOptions

    func run() throws {
        let configuration = try options.configuration()
        let model = try Model(at: options.model, device: try configuration.device.device())
        let metrics = try evaluate(model, configuration, split: options.split, reporter: options.shared.reporter)
        try metrics.write(toRun: options.model)
        if FileManager.default.fileExists(atPath: RunPaths(folder: options.model).log) {
            try writeReport(ofRun: options.model)
            try writeModelCard(ofRun: options.model)
        }
        if options.shared.json { return try printJSON(metrics) }
        for entry in metrics.classes {
            print(
                "\(entry.name): \(entry.iou.map { fixed($0, digits: 4) } ?? "absent") (\(grouped(entry.pixels)) pixels)"
            )
        }
        print("mIOU \(fixed(metrics.mIOU, digits: 4)), pixel accuracy \(fixed(metrics.pixelAccuracy, digits: 4))")
    }
}
