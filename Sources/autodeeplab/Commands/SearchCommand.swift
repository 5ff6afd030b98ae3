import ArgumentParser
import Comparisons
import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// `search`: leaves the best genotype in the run folder, of a network or of a decoder for an encoder.
struct SearchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search a network for a data set, or a decoder for a trained encoder.")

    @OptionGroup var options: SearchOptions

    func run() throws {
        let configuration = try options.configuration()
        if options.printing.isDone(with: configuration) { return }
        try InputFiles([options.options.config].compactMap { $0 }).refuse(run: options.run.output)
        if configuration.search.method != .paper { return try trainCandidates(configuration) }
        if options.trials > 1 { return try runTrials(configuration) }
        try refuseTrials()
        try options.run.group.enter()
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let folder = try RunFolder(at: options.run.output, resume: options.run.goesOn)
        let search = try Experiments.Search(
            configuration, folder: folder, reporter: options.shared.reporter, interruption: interruption)
        let genotype = try search.run()
        guard ProcessGroup.isLeader else { return ProcessGroup.leave() }
        ProcessGroup.leave()
        try tellLimits(genotype, configuration)
        if options.shared.json {
            print(String(decoding: genotype.json(), as: UTF8.self), terminator: "")
        } else {
            let skips = genotype.skipDescription.map { ", long skips from layer \($0)" } ?? ""
            let path = genotype.path.map { "\($0.rawValue)" }.joined(separator: " ")
            print("\(folder.paths.genotype): path \(path)\(skips)")
        }
    }

    /// Says what the network that was found costs, where that has limits.
    private func tellLimits(_ genotype: Genotype, _ configuration: Configuration) throws {
        guard configuration.search.limits != LimitConfiguration() else { return }
        let limits = try CostLimits(
            configuration.search.limits, configuration.train, on: InputSpecification(configuration, split: nil)
        ) { try LatencyModel(configuration) }
        let judgement = try limits.judge(.genotype(genotype), filters: configuration.train.filters)
        if let time = judgement.milliseconds {
            options.shared.reporter.report(
                .note(
                    "the network takes \(fixed(time, digits: 1)) ms an image with train.filters="
                        + "\(configuration.train.filters)"))
        }
        for excess in judgement.excess { options.shared.reporter.report(.warning("the network has \(excess)")) }
    }

    /// A search that would begin anew in the folder of several would leave them behind.
    private func refuseTrials() throws {
        let paths = RunPaths(folder: options.run.output)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: options.run.output)) ?? []
        let exists = FileManager.default.fileExists(atPath:)
        guard options.run.goesOn, !exists(paths.lastCheckpoint),
            exists(paths.trials) || names.contains(where: { $0.wholeMatch(of: /seed-\d+/) != nil })
        else { return }
        throw RunError(
            .changed, path: options.run.output,
            "holds several trials: go on with --resume, --trials and --trial-epochs as they were")
    }

    private func trainCandidates(_ configuration: Configuration) throws {
        guard options.trials == 1, options.run.group.processes == 1 else {
            throw UsageError(
                description: "search.method: a search by \(configuration.search.method) takes neither --trials nor"
                    + " --processes: start the command again with --resume, and both processes share the candidates")
        }
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let search = try CandidateSearch(configuration, output: options.run.output, resume: options.run.goesOn)
        let table = try search.run(reporter: options.shared.reporter, interruption: interruption)
        if options.shared.json {
            try printJSON(table)
        } else {
            print(table.lines.joined(separator: "\n"))
            let winner = table.rows.first { $0.name == table.winner }
            if table.encoder != nil, let decoder = winner?.decoder {
                let paths = RunPaths(folder: options.run.output)
                let isGenotype = FileManager.default.fileExists(atPath: paths.genotype)
                print("\(isGenotype ? paths.genotype : paths.model): decoder \(decoder)")
            }
        }
    }

    private func runTrials(_ configuration: Configuration) throws {
        let seeds = try SeedList.count(options.trials).seeds(from: configuration.seed)
        let runner = try TrialRunner(
            configuration, seeds: seeds, epochs: options.trialEpochs, options: options.run,
            isQuiet: options.shared.quiet)
        let table = try runner.run(parallel: options.parallel)
        print(
            options.shared.json
                ? try String(contentsOfFile: runner.paths.trials, encoding: .utf8)
                : table.lines.joined(separator: "\n"))
    }
}
