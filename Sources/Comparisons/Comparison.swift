import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// Trains and measures networks under the same budget and the same seeds, each run in a folder of its own.
///
/// What is finished is not repeated and what was interrupted goes on, so the same comparison can be run again, with
/// more networks or seeds too. Several processes can work on one folder: each run is done by one of them.
public struct Comparison {
    /// The comparison's folder.
    public let output: String
    /// The networks in the order of the table.
    public let networks: [ComparedNetwork]
    /// The seeds of every network.
    public let seeds: [Int]
    /// The split that is measured.
    public let split: String
    /// Warnings of networks whose cost cannot be made equal, or is over a limit.
    public let warnings: [String]
    private let configuration: Configuration
    private let images: InputSpecification
    private let priced: [CostedNetwork]
    private let report: String?

    /// Multiply-adds count as equal within this share of the first network's.
    public static let tolerance = 0.1

    /// Opens the data and a folder, and refuses what does not go with the runs in it.
    ///
    /// - Parameters:
    ///   - arguments: What names the networks, as `NetworkChoice` takes it.
    ///   - configuration: How to train and to evaluate; `seed` and `train.filters` are set run by run.
    ///   - seeds: The seeds of every network.
    ///   - split: The split to measure on.
    ///   - output: The comparison's folder; new, empty, or that of a comparison before.
    ///   - skipAblation: Whether each network with long skips is compared with the same without.
    ///   - equalMultiplyAdds: Whether each network takes the filters that bring it closest to the first one's cost.
    ///   - report: A run's folder, whose report.html is to show the table.
    ///   - limits: What a network may cost at most: one that costs more is left out.
    /// - Throws: One line about a network, the data, or a folder that holds something else.
    public init(
        _ arguments: [String], _ configuration: Configuration, seeds: [Int], split: String, output: String,
        skipAblation: Bool = false, equalMultiplyAdds: Bool, report: String? = nil,
        limits: LimitConfiguration = LimitConfiguration()
    ) throws {
        try self.init(
            arguments, configuration, seeds: seeds, split: split, output: output, skipAblation: skipAblation,
            equalMultiplyAdds: equalMultiplyAdds, report: report, limits: limits
        ) { try LatencyModel(configuration) }
    }

    /// The same with milliseconds from elsewhere, which are asked for only where they have a limit.
    package init(
        _ arguments: [String], _ configuration: Configuration, seeds: [Int], split: String, output: String,
        skipAblation: Bool = false, equalMultiplyAdds: Bool, report: String? = nil, limits: LimitConfiguration,
        latency: () throws -> LatencyModel
    ) throws {
        self.output = output
        self.seeds = seeds
        self.split = split
        self.configuration = configuration
        self.report = report
        let named = try ComparedNetwork.named(
            by: arguments, decoder: configuration.train.decoder, skipAblation: skipAblation)
        if skipAblation, !named.contains(where: { $0.choice.genotype?.hasSkips == true }) {
            throw SearchSpaceError(
                problem: "none of the networks has long skips to leave out; name one that has, as unet:4")
        }
        images = try InputSpecification(configuration, split: split)
        try ComparedNetwork.refuseEncoders(among: named, channels: images.channels, configuration.train)
        try configuration.refuseUnusable()
        let all = CostedNetwork.all(named, configuration.train, on: images, equal: equalMultiplyAdds)
        let limits = try CostLimits(limits, configuration.train, on: images, latency: latency)
        var excess: [String] = []
        priced = try all.compactMap { network in
            let judgement = try limits.judge(network.network.choice, filters: network.filters)
            var network = network
            network.milliseconds = judgement.milliseconds
            if judgement.excess.isEmpty { return network }
            excess.append("\(network.network.name) is left out: \(judgement.excess.joined(separator: ", "))")
            return nil
        }
        guard !priced.isEmpty else {
            throw SearchSpaceError(problem: "no network is within the limits: " + excess.joined(separator: "; "))
        }
        networks = priced.map(\.network)
        warnings =
            excess + Set(named.compactMap { configuration.train.residualWarning(genotype: $0.argument) }).sorted()
            + (equalMultiplyAdds ? Comparison.unequal(priced) : [])
        if let report, !FileManager.default.fileExists(atPath: RunPaths(folder: report).configuration) {
            throw RunError(.missing, path: report, "no run is in this folder, whose report could show the table")
        }
        if let report { try refusePageOfSeveral(ofRun: report) }
        try refuseStrangers()
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: Comparison.files(in: output))
        for run in runs { try places.refuseLinks(inRun: run.paths.folder) }
        try OutputPaths.refuseLinks(toOutput: output)
        for run in runs { try run.refuseChanges() }
        try RunFolder.makeFolder(output)
        AtomicFile.removeLeftovers(in: output)
        try AtomicFile.write(
            Data(configuration.yaml().utf8), to: Comparison.configurationPath(in: output), below: output)
    }

    /// The file in a comparison's folder with its configuration, which is meant where no other is given.
    package static func configurationPath(in output: String) -> String { output + "/compare.yaml" }

    /// What a comparison writes into its folder, besides the folders of its runs.
    package static func files(in output: String) -> [String] {
        [configurationPath(in: output)] + ["compare.json", "compare.csv", "compare.md"].map { output + "/" + $0 }
    }

    /// Refuses a folder that holds something, but no comparison.
    private func refuseStrangers() throws(RunError) {
        // Listed once, since another process may be making the folder's first files just now.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        let own = URL(fileURLWithPath: Comparison.configurationPath(in: output)).lastPathComponent
        if names.contains(own) || names.allSatisfy({ $0.hasPrefix(".") }) { return }
        throw RunError(.notEmpty, path: output, "is not empty and holds no comparison: name another folder")
    }

    /// Does what is missing, run by run: all networks under the first seed, then under the next.
    ///
    /// A run that fails is reported, and the rest go on. A run that another process works on is left to it until
    /// nothing else is to be done.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Returns: The table, which stands in the folder too, and the first run's error.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; `FileError` where the folder cannot be written.
    public func run(
        reporter: any ProgressReporter, interruption: Interruption
    ) throws -> (result: ComparisonSummary, error: (any Error)?) {
        for warning in warnings { reporter.report(.warning(warning)) }
        var errors: [String: String] = [:]
        var first: (any Error)?
        try complete(runs, in: output, reporter: reporter, interruption: interruption) { run, error in
            errors[run.name] = error.map { "\($0)" }
            first = first ?? error
            try write(self.result(errors: errors))
        }
        let result = result(errors: errors)
        try write(result)
        return (result, first)
    }

    private func write(_ result: ComparisonSummary) throws {
        try result.write(to: output)
        guard let report else { return }
        try AtomicFile.write(try result.json(), to: RunPaths(folder: report).comparison, below: report)
        try writeReport(ofRun: report)
    }

    /// The runs, seed by seed.
    private var runs: [ComparedRun] {
        seeds.flatMap { seed in priced.map { run($0, seed: seed) } }
    }

    private func run(_ network: CostedNetwork, seed: Int) -> ComparedRun {
        var own = configuration
        own.seed = seed
        network.network.choice.settle(&own.train, filters: network.filters)
        return ComparedRun(
            network: network, seed: seed, output: output, split: split, images: images, configuration: own)
    }

    private func result(errors: [String: String]) -> ComparisonSummary {
        let rows = priced.compactMap { network in
            priced.first.map { first in
                let runs = seeds.map { seed in
                    let run = run(network, seed: seed)
                    var result = run.result
                    result.error = errors[run.name]
                    return result
                }
                return ComparisonSummary.network(network, first: first, runs: runs)
            }
        }
        return ComparisonSummary(
            split: split, size: [images.height, images.width], seeds: seeds,
            evaluation: configuration.evaluationTexts, networks: rows)
    }

    /// A line for each network whose cost is further from the first's than is allowed.
    private static func unequal(_ priced: [CostedNetwork]) -> [String] {
        guard let first = priced.first else { return [] }
        let wanted = Double(first.cost.multiplyAdds)
        return priced.compactMap { network in
            let ratio = Double(network.cost.multiplyAdds) / wanted
            guard abs(ratio - 1) > tolerance else { return nil }
            return "\(network.network.name): no filters bring its multiply-adds within "
                + "\(Int(clamping: tolerance * 100))% of \(first.network.name)'s; \(network.filters), the closest, makes "
                + String(format: "%.3f times as many", ratio)
        }
    }
}
