import ArgumentParser
import Configurations
import Experiments
import Planning
import Runs

/// `demo`: `run` on generated scenes.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "What `run` does, on generated street scenes, in minutes.")

    @OptionGroup var options: DemoOptions

    func run() throws {
        let configuration = try Configuration.resolve(preset: nil, file: nil, overrides: options.shared.overrides)
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let demo = Demo(output: options.output)
        let outcome = try demo.complete(
            budget: Budget(options.budget), configuration, reporter: options.shared.reporter,
            interruption: interruption)
        if options.shared.json { return try printJSON(outcome) }
        print(outcome.text)
        print(
            """

            For your own images in DIR/images with masks in DIR/masks:
              autodeeplab run DIR --budget 30min --output runs/mine
              autodeeplab predict runs/mine IMAGE... --output masks --overlay
            """)
    }
}

extension AutomaticRun.Outcome {
    /// What came out, for people to read.
    var text: String {
        let classes = metrics.classes.map { "\($0.name): IoU \($0.iou.map { fixed($0, digits: 4) } ?? "absent")" }
        let interval = interval.map { " (95% \(fixed($0[0], digits: 3)) to \(fixed($0[1], digits: 3)))" } ?? ""
        return
            (classes + [
                "\(metrics.split) mIOU \(fixed(metrics.mIOU, digits: 4))\(interval) on \(metrics.images) images",
                "\(report): what it is worth, and what to do next",
                "\(model)\(onnx.map { ", \($0)" } ?? "")",
            ]).joined(separator: "\n")
    }
}
