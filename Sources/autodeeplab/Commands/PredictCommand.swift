import ArgumentParser
import Deployment
import Inference
import Runs

/// `predict`: masks of images by a trained network.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Write the masks that a trained network sees in images.")

    @OptionGroup var options: PredictOptions

    func run() throws {
        let configuration = try options.configuration()
        let model = try openModel(options.model, configuration, reporter: options.shared.reporter)
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption, unit: "image")
        defer { withExtendedLifetime(handlers) {} }
        let result = try predict(
            model, inputs: options.images, output: options.output, options: options.prediction(configuration),
            protecting: InputFiles(run: options.model), reporter: options.shared.reporter, interruption: interruption)
        if options.shared.json {
            try printJSON(result.masks)
        } else {
            print("\(options.output): \(result.masks.count) \(result.masks.count == 1 ? "mask" : "masks")")
        }
        if result.failures > 0 { throw ExitCode(ExitStatus.badData.rawValue) }
    }
}
