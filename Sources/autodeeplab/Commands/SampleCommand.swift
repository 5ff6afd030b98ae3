import ArgumentParser
import Comparisons
import Configurations
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

            --encoder writes decoders for that encoder, uniform over the choices of their space; --of names a decoder then.
            """)

    @Option(help: "How many genotypes to write, 1 to 10000.")
    var count: Int

    @Option(help: ArgumentHelp("The folder for the genotypes; new or empty.", valueName: "dir"), transform: outputName)
    var output: String

    @Option(help: "Write decoders for this encoder in place of networks.")
    var encoder: EncoderKind?

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
        if encoder != nil && (anyFilters || longSkips || layers != nil || blocks != nil) {
            throw ValidationError("--encoder: decoders have no --any-filters, --long-skips, --layers and --blocks")
        }
    }

    func run() throws {
        var configuration = try costs.configuration(shared)
        limits.adapt(&configuration.search.limits)
        let images = try costs.images(configuration)
        if let encoder { return try sampleDecoders(encoder, configuration, images) }
        let reference = try of.map { try loadGenotype($0) }
        let search = configuration.search
        let sampler = try GenotypeSampler(
            layers: layers ?? reference?.layers ?? search.layers, blocks: blocks ?? reference?.blocks ?? search.blocks,
            atrous: reference?.atrous ?? search.atrous, longSkips: longSkips || search.longSkips == .on,
            stem: reference?.stem ?? search.stem)
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
        try show(zip(paths, items).map { Row($0, $1, base: base) })
    }

    private func sampleDecoders(
        _ encoder: EncoderKind, _ configuration: Configuration, _ images: InputSpecification
    ) throws {
        let train = configuration.train
        func cost(_ network: NetworkChoice) -> Cost { network.cost(train, on: images) }
        let base = try of.map { Double(cost(.encoder(encoder, try loadDecoder($0))).multiplyAdds) }
        try requireEmptyFolder(output)
        let limits = try CostLimits(configuration.search.limits, train, on: images) { try LatencyModel(configuration) }
        let wanted = multiplyAdds.flatMap { range in base.map { range.lower * $0...range.upper * $0 } }
        let networks = try DecoderCandidates(encoder, limits: limits, filters: train.filters, wanted: wanted)
            .draw(count: count, seed: configuration.seed).map(\.network)
        let genotypes = networks.compactMap(\.decoderGenotype)
        let paths = try GenotypeSample.write(genotypes.map { $0.json() }, to: output)
        try show(
            zip(paths, zip(networks, genotypes)).map { path, item in
                Row(
                    path, item.1, cost(item.0), base: base,
                    milliseconds: try limits.judge(item.0, filters: train.filters).milliseconds)
            })
    }

    private func show(_ rows: [Row]) throws {
        if shared.json { return try printJSON(rows) }
        for row in rows { print(row.line) }
    }

    /// A genotype as it is shown.
    private struct Row: Encodable {
        let file: String
        var filters: Int?
        var decoder: String?
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

        init(_ file: String, _ decoder: DecoderGenotype, _ cost: Cost, base: Double?, milliseconds: Double?) {
            self.file = file
            self.decoder = decoder.name
            parameters = cost.parameters
            multiplyAdds = cost.multiplyAdds
            relativeMultiplyAdds = base.map { Double(cost.multiplyAdds) / $0 }
            self.milliseconds = milliseconds
        }

        var line: String {
            "\(file): \(filters.map { "\($0) filters" } ?? decoder ?? ""), \(grouped(parameters)) parameters, "
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
