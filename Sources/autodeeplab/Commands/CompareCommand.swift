import ArgumentParser
import Comparisons
import Configurations
import Runs

/// `compare`: trains and measures networks under one budget.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Train and measure several networks under the same budget and seeds, and show one table.",
        discussion: """
            Each network and seed has a run folder in DIR; compare.json, .csv and .md hold the table. The same command \
            goes on where it was stopped, also with more networks or seeds. Several processes can share the work: \
            start the command again, with --threads 1 each, on the same folder.

            Costs are those of the network as it is trained, at the size of the split's first image padded to 32 n + 1, \
            for one pass at scale 1. Seconds are the median of passes of the network alone.
            """)

    @OptionGroup var options: CompareOptions

    func run() throws {
        let configuration = try options.configuration()
        if options.printing.isDone(with: configuration) { return }
        try options.refuseOverwriting()
        let seeds = try options.seeds.seeds(from: configuration.seed)
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        var limits = LimitConfiguration()
        options.limits.adapt(&limits)
        let comparison = try Comparison(
            options.genotypes, configuration, seeds: seeds, split: options.split ?? configuration.data.splits.test,
            output: options.output, skipAblation: options.skipAblation, equalMultiplyAdds: options.equalMultiplyAdds,
            report: options.report, limits: limits)
        let (result, error) = try comparison.run(reporter: options.shared.reporter, interruption: interruption)
        if options.shared.json {
            try printJSON(result)
        } else {
            print(result.markdown, terminator: "")
        }
        if let error { throw ExitCode(ExitStatus(for: error).rawValue) }
    }
}
