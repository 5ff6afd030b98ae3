import ArgumentParser
import Comparisons
import Configurations
import Deployment
import Experiments
import Export
import Inference
import Networks
import Runs
import SearchSpace
import Torch

/// `bench`: how long a network takes for an image.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure milliseconds, memory and energy for an image, and milliseconds in ONNX Runtime.",
        discussion: """
            The image is treated as by `predict`: resized, gone through by windows where it is large, and every pixel gets \
            its class. A genotype needs no training: its weights are drawn at random. ONNX Runtime is measured where \
            Python has it; PYTHON names the interpreter. Energy is the processor's, where Linux shows it (RAPL, mostly to \
            root alone), with all that runs beside it.
            """)

    @Argument(
        help: """
            A training's run folder, a model file, a genotype file, or the name of a known network or of an encoder, as \
            efficientnet-lite0 or efficientnet-lite0+light.
            """)
    var model: String

    @Option(help: "Filter multiplier F of a network that is not trained (default: 20).")
    var filters: Int?

    @Option(help: "Number of classes of a network that is not trained (default: 19).")
    var classes: Int?

    @Option(help: ArgumentHelp("Height and width of the image.", valueName: "HxW"))
    var size = ImageSize(height: 513, width: 513)

    @Option(help: "How often to measure; the median is shown.")
    var repetitions = 10

    @Option(help: "Go through images that are larger by windows of this side in pixels, as predict does.")
    var window: Int?

    @Flag(
        help: """
            Compare with what the table of latencies predicts for the network alone, which `search --max-latency` goes by.
            """)
    var predict = false

    @Option(help: "With --predict: so many random genotypes besides, with all else from the network.")
    var random = 10

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if size.height < 33 || size.width < 33 || size.height > 16_384 || size.width > 16_384 {
            throw ValidationError("--size is from 33x33 to 16384x16384")
        }
        guard (1...10_000).contains(repetitions) else { throw ValidationError("--repetitions is from 1 to 10000") }
        guard (0...1_000).contains(random) else { throw ValidationError("--random is from 0 to 1000") }
        if let filters, !(1...1_024).contains(filters) { throw ValidationError("--filters must be from 1 to 1024") }
        if let classes, !(1...255).contains(classes) { throw ValidationError("--classes must be from 1 to 255") }
    }

    func run() throws {
        var configuration = try Configuration.resolve(preset: nil, file: nil, overrides: shared.overrides)
        if let window { configuration.evaluate.window = window }
        try configuration.validate()
        let handlers = SignalHandlers()
        defer { withExtendedLifetime(handlers) {} }
        if predict { return try printPredictions(configuration) }
        let time = try InferenceTime(
            of: try network(configuration),
            size: .init(height: size.height, width: size.width), repetitions: repetitions,
            configuration: configuration)
        if shared.json { return try printJSON(time) }
        let (median, fastest) = (fixed(time.milliseconds, digits: 1), fixed(time.fastest, digits: 1))
        let energy = time.joules.map { ", \(fixed($0, digits: 3)) J" } ?? ""
        print(
            "autodeeplab   \(median) ms an image (fastest \(fastest))\(energy), at most "
                + "\(time.peakBytes / 1_000_000) MB in all")
        if let other = time.onnxRuntime, let milliseconds = other.milliseconds {
            print("ONNX Runtime  \(fixed(milliseconds, digits: 1)) ms an image (version \(other.onnxRuntime ?? ""))")
        } else {
            print(
                "ONNX Runtime  not measured: "
                    + (time.onnxRuntimeProblem ?? "no onnxruntime in Python (PYTHON names one)"))
        }
        let windows = time.windows == 1 ? "" : " in \(time.windows) windows"
        print("\(size) pixels\(windows), \(time.threads) threads, median of \(repetitions)")
    }

    private func printPredictions(_ configuration: Configuration) throws {
        let network = try network(configuration).network.description
        let check = try LatencyCheck(
            of: network, named: model, count: network.genotype == nil ? 0 : random, height: size.height,
            width: size.width, repetitions: repetitions, by: LatencyModel(configuration),
            on: try configuration.device.device())
        if shared.json { return try printJSON(check) }
        for row in check.rows {
            print(
                "\(row.name): \(fixed(row.predicted, digits: 2)) ms predicted, \(fixed(row.measured, digits: 2)) measured, "
                    + "\(fixed(100 * (row.predicted / row.measured - 1), digits: 1))%, path "
                    + row.path.map(String.init).joined(separator: " "))
        }
        print("median error \(fixed(100 * check.medianError, digits: 1))%: \(size), \(check.machine.text)")
    }

    private func network(_ configuration: Configuration) throws -> Model {
        if ModelDescription.exists(at: model) {
            guard filters == nil, classes == nil else {
                throw UsageError(
                    description: "--filters and --classes are for networks without weights; \(model) has some")
            }
            return try openModel(model, configuration, reporter: shared.reporter)
        }
        var train = TrainConfiguration()
        if let filters { train.filters = filters }
        let description = try NetworkChoice(named: model, decoder: train.decoder)
            .description(train, classes: classes ?? 19)
        return Model(
            ModelDescription(description), generator: Generator(seed: 0), device: try openDevice(configuration))
    }
}
