import ArgumentParser
import Configurations
import Foundation
import Inference
import Runs
import SearchSpace

/// Where a run keeps its files, and whether it goes on with one that is there.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's folder; new or empty, unless the run is resumed.", valueName: "run"))
    var output = ""

    @Flag(help: "Go on with the run in the folder, from its last checkpoint.")
    var resume = false

    @OptionGroup var group: GroupOptions

    /// Whether the run in the folder goes on: asked for, or started again after a process of the group had failed.
    var goesOn: Bool { resume || group.isRestart }

    /// Refuses what names no folder; to print settings none is needed.
    func validate(isPrinting: Bool) throws {
        if output.isEmpty && !isPrinting { throw ValidationError("Give the run's folder: --output RUN") }
        if output.contains(where: \.isNewline) { throw ValidationError("--output: a folder's name has one line") }
    }

    /// Refuses to go on where there is no run, and nothing to begin one with.
    func refuseAbsent(_ options: ConfigurationOptions) throws {
        guard goesOn, options.config == nil, options.preset == nil,
            !FileManager.default.fileExists(atPath: RunPaths(folder: output).configuration)
        else { return }
        throw RunError(.missing, path: output, "no run is in this folder: begin one without --resume")
    }

    /// The run to go on with; nil for a new one.
    var resumed: String? { goesOn ? output : nil }
}

/// What `search` takes.
struct SearchOptions: ParsableArguments {
    @Option(
        help: """
            Search a decoder for this encoder, trained on ImageNet, in place of a network (see `make encoders`); \
            search.method is reinforcement where it says paper.
            """)
    var encoder: EncoderKind?

    @Option(help: "Searches with so many seeds, from --seed on; the best by a short training is kept.")
    var trials = 1

    @Option(help: "Trials at a time, which share the machine's cores.")
    var parallel = 1

    @Option(help: "Epochs of the short training that measures a trial.")
    var trialEpochs = 10

    @OptionGroup var limits: LimitOptions
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var printing: PrintOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        try run.validate(isPrinting: printing.printConfig)
        if options.config == nil && options.preset == nil && !run.goesOn {
            throw ValidationError("Give --config FILE or --preset NAME, or --resume to go on with a run")
        }
        guard (1...1_000).contains(trials), (1...256).contains(parallel), (1...100_000).contains(trialEpochs) else {
            throw ValidationError(
                "--trials \(trials), --parallel \(parallel), --trial-epochs \(trialEpochs): expected 1 to 1000, 1 to 256 "
                    + "and 1 to 100000")
        }
        if trials > 1 && ProcessInfo.processInfo.environment["RANK"] != nil {
            throw ValidationError(
                "--trials starts its own processes: leave torchrun out, or start a search for each seed")
        }
    }

    /// The configuration to search with.
    ///
    /// - Throws: `ConfigurationError` where decoders are wanted, and not all that they need is said.
    func configuration() throws -> Configuration {
        try run.refuseAbsent(options)
        var configuration = try options.resolve(shared, resuming: run.resumed, with: encoderSettings())
        limits.adapt(&configuration.search.limits)
        return try run.group.adapt(configuration)
    }
}

extension SearchOptions {
    /// The settings that `--encoder` stands for.
    fileprivate func encoderSettings() throws -> [String] {
        guard let encoder else { return [] }
        // The method that all else says: the paper's has no decoders.
        let method = try options.resolve(shared, resuming: run.resumed, with: ["search.space=networks"]).search.method
        return ["train.encoder=\(encoder.rawValue)", "search.space=decoders"]
            + (method == .paper ? ["search.method=reinforcement"] : [])
    }
}

extension EncoderKind: ExpressibleByArgument {}
extension PathDecoding: ExpressibleByArgument {}

/// What `train` takes.
struct TrainOptions: ParsableArguments {
    @Option(help: "A genotype file, a search's run folder, or a known network's name.")
    var genotype: String?

    @Option(help: "An encoder trained on ImageNet, with a decoder, in place of a genotype (see `make encoders`).")
    var encoder: EncoderKind?

    @Option(
        help: ArgumentHelp(
            "What makes classes of the encoder's maps: unet (the default), deeplabv3+, light, fine, nekrasov:arch0, arch1 or "
                + "arch2, or a file with a decoder's genotype, or the folder of a search that found one.",
            valueName: "decoder"))
    var decoder: String?

    @Option(
        help: ArgumentHelp(
            "Start from the weights of a trained network, whose classes may be others: a run folder or a model file.",
            valueName: "model"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "Learn from the scores of a trained model too, beside the labels: a run folder or a model file.",
            valueName: "model"))
    var teacher: String?

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var printing: PrintOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        try run.validate(isPrinting: printing.printConfig)
        if genotype != nil && encoder != nil { throw ValidationError("Give --genotype or --encoder, not both") }
    }

    /// Refuses to train where nothing says which network.
    func refuseNoNetwork(_ configuration: Configuration) throws {
        guard genotype == nil, from == nil, !run.goesOn, configuration.train.encoder == .none else { return }
        throw UsageError(
            description:
                "give --genotype FILE or NAME, --encoder NAME, --from MODEL (a trained network to start from), "
                + "or --resume to go on with a run")
    }

    /// The configuration with the widths of the model to start from, where there is one.
    func adopting(_ configuration: Configuration) throws -> Configuration {
        guard let from, !run.goesOn else { return configuration }
        return configuration.adopting(try Model(at: from)).configuration
    }

    /// The files that the training begins with.
    func inputs(_ configuration: Configuration) -> InputFiles {
        let teacher = configuration.train.teacher
        let arguments = [genotype, decoder, from, teacher.isEmpty ? nil : teacher].compactMap { $0 }
        return arguments.reduce(InputFiles([options.config].compactMap { $0 })) { $0 + InputFiles(run: $1) }
    }

    /// The configuration to train with.
    func configuration() throws -> Configuration {
        try run.refuseAbsent(options)
        var configuration = try options.resolve(shared, resuming: run.resumed)
        if let encoder { configuration.train.encoder = EncoderChoice(encoder) }
        if let decoder { configuration.train.decoder = try loadDecoder(decoder) }
        if let teacher { configuration.train.teacher = teacher }
        try configuration.validate()
        try refuseNoNetwork(configuration)
        return try run.group.adapt(configuration)
    }
}

/// What `decode` takes.
struct DecodeOptions: ParsableArguments {
    @Argument(help: "A search's run folder, or one of its checkpoints.")
    var source: String

    @Option(
        help: ArgumentHelp("Where to write the genotype; standard output without it.", valueName: "file"),
        transform: outputName)
    var output: String?

    @Option(
        help: ArgumentHelp(
            "What the arrows of the path are weighed by (default: the search's search.architecture.path)."))
    var path: PathDecoding?

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if let output { try refuseEnding(of: output, unlike: ["json", ""]) }
    }
}

/// What `demo` takes.
struct DemoOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder for the scenes and the run.", valueName: "dir"), transform: outputName)
    var output = "runs/demo"

    @Option(help: ArgumentHelp("How long the run may take: 4min, 1h.", valueName: "time"))
    var budget = "4min"

    @OptionGroup var shared: SharedOptions
}
