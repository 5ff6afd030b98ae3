import ArgumentParser
import Configurations
import Datasets
import Deployment
import Foundation

/// How a network looks at an image.
struct InferenceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Factors of the image's size, whose probabilities are averaged.", valueName: "0.5,1.0"))
    var scales: ScaleList?

    @Flag(help: "Average with the mirrored image too.")
    var flip = false

    @Option(help: "Go through images that are larger by windows of this side in pixels; 0 takes them whole.")
    var window: Int?

    @Option(help: "Share of a window that the next one covers again (default: 0.25).")
    var overlap: Double?

    /// The settings with what is typed here over them.
    func applied(to configuration: Configuration) throws -> Configuration {
        var configuration = configuration
        if let scales { configuration.evaluate.scales = scales.scales }
        if flip { configuration.evaluate.flip = true }
        if let window { configuration.evaluate.window = window }
        if let overlap { configuration.evaluate.overlap = overlap }
        try configuration.validate()
        return configuration
    }
}

/// What `evaluate` takes.
struct EvaluateOptions: ParsableArguments {
    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Option(help: "The split to measure on (default: the configuration's val).")
    var split: String?

    @Option(
        help: ArgumentHelp("The folder for the results (default: the run's).", valueName: "dir"), transform: outputName)
    var output: String?

    @OptionGroup var inference: InferenceOptions
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var printing: PrintOptions
    @OptionGroup var shared: SharedOptions

    /// The configuration to measure with: that of the model's run, where it is one, under what is typed here.
    func configuration() throws -> Configuration {
        try inference.applied(to: options.resolve(shared, resuming: model))
    }

    /// Where the results go; nil for a model file without a place for them.
    var folder: String? {
        var isFolder: ObjCBool = false
        let isRun = FileManager.default.fileExists(atPath: model, isDirectory: &isFolder) && isFolder.boolValue
        return output ?? (isRun ? model : nil)
    }
}

extension ResultForm: ExpressibleByArgument {}
extension ProbabilityFile: ExpressibleByArgument {}

/// What `predict` takes.
struct PredictOptions: ParsableArguments {
    @Argument(help: "A training's run folder, or a model file.")
    var model: String

    @Argument(help: "Images, or folders of images with their subfolders.")
    var images: [String]

    @Option(help: ArgumentHelp("The folder for the masks.", valueName: "dir"), transform: outputName)
    var output: String

    @Flag(help: "Write the images with the masks over them too; a background stays as it is.")
    var overlay = false

    @Option(
        help: ArgumentHelp(
            "The channels, counted from 0, that overlays show as red, green and blue, or one that they show as grey.",
            valueName: "channels"))
    var show: ChannelList?

    @Flag(
        inversion: .prefixedNo,
        help: "Put a legend of the classes in it below each overlay, of a third of its height at most.")
    var legend = true

    @Option(help: "Write the probabilities of all classes too, as npy or safetensors.")
    var probabilities: ProbabilityFile?

    @Flag(help: "Write measurements.csv too: pixels, share and connected parts of each class in each image.")
    var measure = false

    @Option(help: ArgumentHelp("The side of a pixel, for areas in that table.", valueName: "length"))
    var pixelSize: Double?

    @Option(help: "Write the files that a benchmark's server takes: cityscapes, voc or ade20k.")
    var form: ResultForm?

    @Option(help: "Million pixels up to which images are read (default: 100).")
    var megapixels = 100

    @OptionGroup var inference: InferenceOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if !(1...100_000).contains(megapixels) {
            throw ValidationError("--megapixels \(megapixels): expected 1 to 100000")
        }
        if let pixelSize {
            guard pixelSize.isFinite, pixelSize > 0 else {
                throw ValidationError("--pixel-size \(pixelSize): expected a length above 0")
            }
            guard measure else { throw ValidationError("--pixel-size goes with --measure") }
        }
    }

    /// The configuration to predict with.
    func configuration() throws -> Configuration {
        try inference.applied(to: Configuration.resolve(preset: nil, file: nil, overrides: shared.overrides))
    }

    /// What is written and how.
    func prediction(_ configuration: Configuration) -> PredictionOptions {
        var result = PredictionOptions()
        result.overlay = overlay
        result.legend = legend
        result.probabilities = probabilities
        result.form = form
        result.measures = measure
        result.pixelSize = pixelSize
        result.evaluate = configuration.evaluate
        result.megapixels = megapixels
        result.shownChannels = show?.channels
        return result
    }
}

/// One or three channels with commas between them.
struct ChannelList: ExpressibleByArgument {
    let channels: [Int]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard numbers.count == parts.count, [1, 3].contains(numbers.count),
            numbers.allSatisfy({ (0..<32).contains($0) })
        else { return nil }
        channels = numbers
    }
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
