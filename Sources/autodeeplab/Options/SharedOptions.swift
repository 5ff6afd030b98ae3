import ArgumentParser
import Configurations
import Runs
import Torch

extension DeviceChoice: ExpressibleByArgument {}

/// What every verb takes.
struct SharedOptions: ParsableArguments {
    @Option(help: "Where to compute: auto, cpu, cuda or mps (default: auto).")
    var device: DeviceChoice?

    @Option(help: "Seed of everything random (default: 0).")
    var seed: Int?

    @Option(help: "Processor threads; 0 takes one for each core (default: 0).")
    var threads: Int?

    @Flag(help: "Write the result as JSON, and nothing else, to standard output.")
    var json = false

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    @Flag(help: "Show every step on a line of its own.")
    var verbose = false

    /// The options as `key=value`, over everything else.
    var overrides: [String] {
        [device.map { "device=\($0.rawValue)" }, seed.map { "seed=\($0)" }, threads.map { "threads=\($0)" }]
            .compactMap { $0 }
    }

    /// Who shows the progress.
    ///
    /// In a group of processes rank 0 does.
    var reporter: any ProgressReporter {
        ProcessGroup.isLeader ? TerminalReporter(isQuiet: quiet, isVerbose: verbose) : SilentReporter()
    }
}
