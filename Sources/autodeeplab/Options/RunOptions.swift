import ArgumentParser
import Experiments

/// Where a run keeps its files, and whether it goes on with one that is there.
struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The run's folder; new or empty, unless the run is resumed.", valueName: "run"))
    var output: String

    @Flag(help: "Go on with the run in the folder, from its last checkpoint.")
    var resume = false

    /// The run to go on with; nil for a new one.
    var resumed: String? { resume ? output : nil }
}

/// What `search` takes.
struct SearchOptions: ParsableArguments {
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if options.config == nil && options.preset == nil && !run.resume {
            throw ValidationError("Give --config FILE or --preset NAME, or --resume to go on with a run")
        }
    }

    /// The configuration to search with.
    func configuration() throws -> Configuration {
        try options.resolve(shared, resuming: run.resumed)
    }
}

/// What `train` takes.
struct TrainOptions: ParsableArguments {
    @Option(help: "A genotype file, a search's run folder, or a known network's name.")
    var genotype: String?

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var run: RunOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if genotype == nil && !run.resume {
            throw ValidationError("Give --genotype FILE or NAME, or --resume to go on with a run")
        }
    }

    /// The configuration to train with.
    func configuration() throws -> Configuration {
        try options.resolve(shared, resuming: run.resumed)
    }
}

/// What `decode` takes.
struct DecodeOptions: ParsableArguments {
    @Argument(help: "A search's run folder, or one of its checkpoints.")
    var source: String

    @Option(help: ArgumentHelp("Where to write the genotype; standard output without it.", valueName: "file"))
    var output: String?

    @OptionGroup var shared: SharedOptions
}

/// What `demo` takes.
struct DemoOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The folder for data, runs and predictions.", valueName: "dir"))
    var output = "runs/demo"

    @OptionGroup var shared: SharedOptions
}
