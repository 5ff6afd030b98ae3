import ArgumentParser
import Experiments
import Foundation

/// What `evaluate` takes.
struct EvaluateOptions: ParsableArguments {
    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Option(help: "The split to measure on (default: the configuration's val).")
    var split: String?

    @Option(help: ArgumentHelp("Factors of the image's size, whose probabilities are averaged.", valueName: "0.5,1.0"))
    var scales: ScaleList?

    @Flag(help: "Average with the mirrored image too.")
    var flip = false

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var shared: SharedOptions

    /// The configuration to measure with: that of the model's run, where it is one, under what is typed here.
    func configuration() throws -> Configuration {
        var configuration = try options.resolve(shared, resuming: model)
        if let scales { configuration.evaluate.scales = scales.scales }
        if flip { configuration.evaluate.flip = true }
        try configuration.validate()
        return configuration
    }
}

/// What `predict` takes.
struct PredictOptions: ParsableArguments {
    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Argument(help: "Images, or folders of images.")
    var images: [String]

    @Option(help: ArgumentHelp("The folder for the masks.", valueName: "dir"))
    var output: String

    @Flag(help: "Write the images with the masks over them too.")
    var overlay = false

    @OptionGroup var shared: SharedOptions
}

/// Factors with commas between them.
struct ScaleList: ExpressibleByArgument {
    let scales: [Double]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.count == parts.count, numbers.allSatisfy({ $0.isFinite && $0 > 0 }) else { return nil }
        scales = numbers
    }
}
