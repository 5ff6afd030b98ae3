import ArgumentParser
import Comparisons
import Experiments
import Foundation
import Runs
import SearchSpace

/// `sample`: random genotypes.
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Write random genotypes, to set a searched one against.",
        discussion: """
            Uniform over all paths, and over all cells that a search can end with: two different inputs a block, no \
            operator `none`. Equal ones are left out; the same seed writes the same files. Layers, blocks and the form of \
            atrous operators are those of --of, else of the configuration. With --long-skips, or search.longSkips=on, it \
            is uniform over all pairs of a path and its long skips.

            --multiply-adds 0.9:1.1 --of GENOTYPE keeps those that cost 0.9 to 1.1 times as much as GENOTYPE with the \
            same filters. So the sample is uniform among networks of that cost, and can be trained with one setting of \
            train.filters. With --any-filters it is uniform over the whole space instead: a genotype counts where some \
            filters of its own bring it into the range, and is to be trained with those (`compare \
            --equal-multiply-adds` finds them again).
            """)

    @Option(help: "How many genotypes to write, 1 to 10000.")
    var count: Int

    @Option(help: ArgumentHelp("The folder for the genotypes; new or empty.", valueName: "dir"))
    var output: String

    @Option(
        help: ArgumentHelp("The least and the most multiply-adds, as factors of those of --of.", valueName: "0.9:1.1"))
    var multiplyAdds: FactorRange?

    @Option(help: ArgumentHelp("What costs are set against, and layers and blocks taken from.", valueName: "genotype"))
    var of: String?

    @Flag(help: "Let each genotype have filters of its own.")
    var anyFilters = false

    @Flag(help: "Let paths have long skips.")
    var longSkips = false

    @Option(help: "The number of layers, 1 to 64.")
    var layers: Int?

    @Option(help: "The number of blocks, 1 to 16.")
    var blocks: Int?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var costs: CostOptions
    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (1...10_000).contains(count) else { throw ValidationError("--count must be from 1 to 10000") }
        if ["json", "png", "svg"].contains((output as NSString).pathExtension.lowercased()) {
            throw ValidationError("--output \(output): names a folder, and this is a file's name")
        }
        if multiplyAdds != nil && of == nil { throw ValidationError("--multiply-adds needs --of GENOTYPE") }
        if anyFilters && multiplyAdds == nil { throw ValidationError("--any-filters needs --multiply-adds") }
    }

    func run() throws {
        var configuration = try costs.configuration(shared)
        limits.adapt(&configuration.search.limits)
        let images = try costs.images(configuration)
        let reference = try of.map { try loadGenotype($0) }
        let search = configuration.search
        let sampler = try GenotypeSampler(
            layers: layers ?? reference?.layers ?? search.layers, blocks: blocks ?? reference?.blocks ?? search.blocks,
            atrous: reference?.atrous ?? search.atrous, longSkips: longSkips || search.longSkips == .on)
        let base = reference.map { Double(configuration.train.cost(of: $0, on: images).multiplyAdds) }
        let wanted = multiplyAdds.flatMap { range in
            base.map { base in
                GenotypeSample.Wanted(
                    multiplyAdds: range.lower * base...range.upper * base, anyFilters: anyFilters)
            }
        }
        try requireEmptyFolder(output)
        let limits = try CostLimits(configuration.search.limits, configuration.train, on: images) {
            try LatencyModel(configuration)
        }
        let items = try GenotypeSample(sampler, configuration.train, on: images, wanted: wanted, limits: limits)
            .draw(count: count, seed: configuration.seed)
        let paths = try GenotypeSample.write(items, to: output)
        let rows = zip(paths, items).map { Row($0, $1, base: base) }
        if shared.json { return try printJSON(rows) }
        for row in rows { print(row.line) }
    }

    /// A genotype as it is shown.
    private struct Row: Encodable {
        let file: String
        let filters: Int
        let parameters: Int
        let multiplyAdds: Int
        let relativeMultiplyAdds: Double?
        let milliseconds: Double?

        init(_ file: String, _ item: GenotypeSample.Item, base: Double?) {
            self.file = file
            filters = item.filters
            parameters = item.cost.parameters
            multiplyAdds = item.cost.multiplyAdds
            relativeMultiplyAdds = base.map { Double(item.cost.multiplyAdds) / $0 }
            milliseconds = item.milliseconds
        }

        var line: String {
            "\(file): \(filters) filters, \(grouped(parameters)) parameters, "
                + "\(fixed(Double(multiplyAdds) / 1e9, digits: 3)) billion multiply-adds"
                + (relativeMultiplyAdds.map { ", \(fixed($0, digits: 3)) times those of --of" } ?? "")
                + (milliseconds.map { ", \(fixed($0, digits: 1)) ms" } ?? "")
        }
    }
}

/// Two factors with a colon between them.
struct FactorRange: ExpressibleByArgument {
    let lower: Double
    let upper: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let lower = parts[0], let upper = parts[1] else { return nil }
        guard lower.isFinite, upper.isFinite, lower >= 0, upper >= lower, upper <= 1e6 else { return nil }
        self.lower = lower
        self.upper = upper
    }
}
