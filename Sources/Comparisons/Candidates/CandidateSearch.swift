import Configurations
import Datasets
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// A search that trains candidates of equal cost: a pool is proposed, and successive halving finds its best.
///
/// Each candidate is a run in a folder of its own, which rests at the end of a rung and goes on in the next. Nothing else
/// is the search's state: what a candidate scored stands in its run's log. So the search goes on after any stop, and
/// several processes may work on one folder, each on the candidates that no other one has locked.
public struct CandidateSearch {
    /// The search's folder.
    public let output: String
    /// The rungs.
    package let schedule: HalvingSchedule
    /// What is doubtful about the schedule; nil where nothing is.
    public let warning: String?
    private let configuration: Configuration
    private let images: InputSpecification
    private let given: [Candidate]
    private let sample: GenotypeSample
    /// The multiply-adds that all candidates have, up to ``tolerance``.
    private let multiplyAdds: Int
    private let limits: CostLimits

    /// Opens the data and a folder, and refuses what does not go with what is in it.
    ///
    /// - Parameters:
    ///   - configuration: The search's method and candidates, and how they are trained.
    ///   - output: The folder; new, empty, or that of such a search before.
    ///   - resume: Whether a search that is there goes on.
    /// - Throws: One line about a network, the data, or a folder that holds something else.
    public init(_ configuration: Configuration, output: String, resume: Bool) throws {
        try self.init(configuration, output: output, resume: resume, rests: false)
    }

    /// As above, with two things to choose.
    ///
    /// - Parameters:
    ///   - configuration: The search's method and candidates, and how they are trained.
    ///   - output: The folder.
    ///   - resume: Whether a search that is there goes on.
    ///   - rests: Whether a single candidate rests after the first part of its training, to be settled anew.
    ///   - latency: Makes what says milliseconds where they have a limit; nil takes this machine's.
    /// - Throws: As above.
    package init(
        _ configuration: Configuration, output: String, resume: Bool, rests: Bool = false,
        latency: (() throws -> LatencyModel)? = nil
    ) throws {
        let (search, train) = (configuration.search, configuration.train)
        self.output = output
        self.configuration = configuration
        guard train.iterations == 0 else {
            throw ConfigurationError(
                .outOfRange,
                "train.iterations: a search by \(search.method) goes by epochs: set train.epochs, and this to 0")
        }
        schedule = HalvingSchedule(
            candidates: search.candidates, reduction: search.reduction, epochs: train.epochs, rests: rests)
        let dataset = try configuration.refuseUnusable()
        warning = CandidateSearch.shortness(
            schedule, train, samples: try dataset.samples(Split(rawValue: configuration.data.splits.train)).count)
        images = try InputSpecification(configuration, split: nil, of: dataset)
        limits = try CostLimits(search.limits, train, on: images) {
            try latency?() ?? LatencyModel(configuration, place: .folder(output))
        }
        (given, sample, multiplyAdds) = try CandidateSearch.candidates(configuration, images, limits)
        try refuseChanges(resume: resume)
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: CandidateSearch.files(in: output))
        try OutputPaths.refuseLinks(toOutput: output)
        try RunFolder.makeFolder(output)
        AtomicFile.removeLeftovers(in: output)
        try AtomicFile.write(
            Data(configuration.yaml().utf8), to: RunPaths(folder: output).configuration, below: output)
    }

    /// What a search writes into its folder, besides the folders of its candidates.
    package static func files(in output: String) -> [String] {
        let paths = RunPaths(folder: output)
        return [paths.configuration, paths.genotype, paths.model, paths.report]
            + ["candidates.json", "candidates.csv"].map { output + "/" + $0 } + [
                paths.latency, ScoredPool.file(in: output), SearchedPool.folder(in: output),
                ControllerProposer.file(in: output),
            ]
    }

    /// All candidates have the multiply-adds of DeepLabv3's path with `train.filters`, within this share.
    private static let tolerance = 0.1

    /// The networks that take part whatever is drawn, and what the others are drawn from.
    private static func candidates(
        _ configuration: Configuration, _ images: InputSpecification, _ limits: CostLimits
    ) throws -> (given: [Candidate], sample: GenotypeSample, multiplyAdds: Int) {
        let (search, train) = (configuration.search, configuration.train)
        let longSkips = search.longSkips == .on
        let sampler = try GenotypeSampler(
            layers: search.layers, blocks: search.blocks, atrous: search.atrous, longSkips: longSkips)
        let reference = try KnownDesign.deeplabv3.genotype(
            layers: max(search.layers, KnownDesign.deeplabv3.minimumLayers))
        let pool = try ComparedNetwork.named(by: search.namedPool, decoder: train.decoder)
        try ComparedNetwork.refuseEncoders(among: pool, channels: images.channels)
        // An encoder has one size, which the others take.
        let first = pool.lazy.map(\.choice).first { $0.genotype == nil } ?? .genotype(reference)
        let multiplyAdds = first.cost(train, on: images).multiplyAdds
        let wanted = Double(multiplyAdds)
        let sample = GenotypeSample(
            sampler, train, on: images,
            wanted: .init(
                multiplyAdds: wanted * (1 - tolerance)...wanted * (1 + tolerance), anyFilters: true), limits: limits)
        guard [.race, .paper].contains(search.method) else { return ([], sample, multiplyAdds) }
        func candidate(_ name: String, _ network: NetworkChoice, stepsPerEpoch: Int? = nil) -> Candidate {
            let filters = network.filters(closestTo: multiplyAdds, train, on: images).filters
            return Candidate(name: name, network, filters: filters, stepsPerEpoch: stepsPerEpoch)
        }
        let designs = KnownDesign.allCases.filter { longSkips || $0 != .unet }.compactMap { design in
            (try? design.genotype(layers: search.layers)).map { candidate(design.rawValue, .genotype($0)) }
        }
        let named = pool.map { network in
            let index = search.pool.firstIndex(of: network.argument)
            return candidate(
                network.name, network.choice, stepsPerEpoch: index.flatMap(search.stepsPerEpoch(ofPool:)))
        }
        var seen: Set<NetworkChoice> = []
        return ((named + designs).filter { seen.insert($0.network).inserted }, sample, multiplyAdds)
    }

    /// How candidates come about, of those given the ones within the limits; who is left out is told.
    private func proposer(
        _ reporter: any ProgressReporter, _ interruption: Interruption
    ) throws -> any CandidateProposer {
        if configuration.search.method == .evolution {
            return EvolutionProposer(
                sample: sample, longSkips: configuration.search.longSkips == .on, seed: configuration.seed)
        }
        if configuration.search.method == .reinforcement {
            return try ControllerProposer(configuration, sample: sample, in: output, interruption)
        }
        let search = configuration.search
        var seen: Set<NetworkChoice> = []
        let all = try (searched() + given).filter { seen.insert($0.network).inserted }
        let fitting = try all.filter { candidate in
            let excess = try limits.judge(candidate.network, filters: candidate.filters).excess
            if !excess.isEmpty {
                reporter.report(.note("\(candidate.name) is left out: \(excess.joined(separator: ", "))"))
            }
            return excess.isEmpty
        }
        guard search.method == .race, !search.supernet.isEmpty || search.searchesFirst,
            fitting.count < search.candidates
        else {
            return PoolProposer(given: fitting, sample: sample, seed: configuration.seed)
        }
        Engine.threads = configuration.workerThreads
        let scored = try ScoredPool(
            in: output, from: sample, seed: configuration.seed, count: search.scored, reporter: reporter,
            interruption: interruption
        ) {
            let run = search.supernet.isEmpty ? SearchedPool.folder(in: output) : search.supernet
            let scorer = try SupernetScorer(run: run, configuration, images: search.validationImages)
            return { try scorer.loss(of: $0) }
        }
        let known = Set(fitting.map(\.network))
        return PoolProposer(
            given: fitting + scored.candidates.filter { !known.contains($0.network) }, sample: sample,
            seed: configuration.seed)
    }

    /// Does the paper's search where the pool asks for what it finds; nothing where that is done.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; the search's error.
    package func searchFirst(reporter: any ProgressReporter, interruption: Interruption) throws {
        guard configuration.search.searchesFirst else { return }
        try complete(
            [SearchedPool(in: output, configuration)], in: output, reporter: reporter, interruption: interruption
        ) { if let error = $1 { throw error } }
    }

    /// What the paper's search found, in the size of all candidates.
    private func searched() throws -> [Candidate] {
        let search = configuration.search
        guard search.searchesFirst else { return [] }
        let steps = search.pool.firstIndex(of: SearchConfiguration.searched).flatMap(search.stepsPerEpoch(ofPool:))
        return try SearchedPool(in: output, configuration).genotypes().map { epoch, genotype in
            let isLast = epoch == search.epochs
            let network = NetworkChoice.genotype(genotype)
            return Candidate(
                name: isLast ? SearchConfiguration.searched : "\(SearchConfiguration.searched)-epoch-\(epoch)", network,
                filters: network.filters(closestTo: multiplyAdds, configuration.train, on: images).filters,
                stepsPerEpoch: steps)
        }
    }

    private func refuseChanges(resume: Bool) throws {
        let paths = RunPaths(folder: output)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        guard names.contains(where: { !$0.hasPrefix(".") }) else { return }
        guard resume else {
            throw RunError(
                .notEmpty, path: output, "is not empty", advice: .resumeOrTakeOtherFolder(of: "search"))
        }
        guard names.contains("config.yaml") else {
            throw RunError(.notEmpty, path: output, "is not empty and holds no search: name another folder")
        }
        let saved = try Configuration.resolve(file: paths.configuration)
        guard saved.search == configuration.search, saved.seed == configuration.seed,
            saved.train.epochs == configuration.train.epochs
        else {
            throw RunError(
                .changed, path: output,
                "was begun with other candidates: leave search, seed and train.epochs as they were")
        }
    }

    /// Trains what is missing, rung by rung.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Returns: The table, which stands in the folder too.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; the first candidate's error where all fail.
    public func run(reporter: any ProgressReporter, interruption: Interruption) throws -> CandidateTable {
        try run(reporter: reporter, interruption: interruption) { $0.epochs }
    }

    /// The last training before it begins: one candidate's, of which the rungs before are done.
    package struct LastTraining {
        /// Epochs that are done.
        package let done: Int
        /// Epochs that it is to have in all.
        package let epochs: Int
        /// Steps of an epoch.
        package let stepsPerEpoch: Int
        /// Seconds of a step in the last epoch that was done.
        package let secondsPerStep: Double
    }

    /// As above, with the last training's length settled when the others are done.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    ///   - settle: The epochs that it is to have; it must give the same at every call of one search.
    /// - Returns: The table, which stands in the folder too.
    /// - Throws: As above, and what `settle` throws.
    package func run(
        reporter: any ProgressReporter, interruption: Interruption, settle: (LastTraining) throws -> Int
    ) throws -> CandidateTable {
        if let warning { reporter.report(.warning(warning)) }
        try searchFirst(reporter: reporter, interruption: interruption)
        let proposer = try proposer(reporter, interruption)
        var schedule = schedule
        var runs: [CandidateRun] = []
        var scored: [ScoredCandidate] = []
        var errors: [String: any Error] = [:]
        for number in schedule.rungs.indices {
            if number > 0, number + 1 == schedule.rungs.count,
                let best = ranked(runs, after: schedule.rungs[number - 1].epochs).first
            {
                let epochs = try settle(best.last(of: schedule))
                schedule.settleLast(epochs: epochs)
                runs = runs.map { $0.settled(epochs: epochs, of: schedule) }
            }
            let rung = schedule.rungs[number]
            func train(_ entries: [CandidateRun], through epochs: Int? = nil) throws {
                let parts = entries.map { CandidateRun.Part(run: $0, epochs: epochs ?? rung.epochs) }
                try complete(parts, in: output, reporter: reporter, interruption: interruption) { part, error in
                    errors[part.name] = error
                    try table(runs, errors, schedule).write(to: output)
                }
            }
            reporter.report(
                .note(
                    "rung \(number + 1) of \(schedule.rungs.count): \(rung.candidates) candidates, "
                        + "\(rung.epochs) epochs"))
            if number == 0 {
                while runs.count < rung.candidates {
                    let proposed = try proposer.candidates(after: scored, limit: rung.candidates)
                    let entries = proposed.enumerated().map { index, candidate in
                        CandidateRun(
                            candidate, number: runs.count + index + 1, of: rung.candidates, in: output, configuration)
                    }
                    runs += entries
                    var passing = entries
                    let half = proposer.judges && rung.epochs > 1 ? rung.epochs / 2 : nil
                    if let half {
                        try train(entries, through: half)
                        passing = try judged(entries, by: proposer, after: scored, half, reporter)
                    }
                    try train(passing)
                    scored += entries.map { run in
                        let early = half.flatMap { run.reward(after: $0) }
                        let goesOn = passing.contains { $0.name == run.name }
                        return ScoredCandidate(
                            run.candidate.network, score: run.score(after: rung.epochs),
                            reward: goesOn ? run.reward(after: rung.epochs) : early, early: early)
                    }
                }
            } else {
                try train(Array(ranked(runs, after: schedule.rungs[number - 1].epochs).prefix(rung.candidates)))
            }
        }
        let last = schedule.rungs[schedule.rungs.count - 1]
        guard let winner = ranked(runs, after: last.epochs).first else {
            throw runs.lazy.compactMap { errors[$0.name] }.first
                ?? RunError(.diverged, path: output, "no candidate could be trained")
        }
        var result = try table(runs, errors, schedule)
        result.winner = winner.name
        try result.write(to: output)
        let paths = RunPaths(folder: output)
        if let genotype = winner.candidate.network.genotype {
            try AtomicFile.write(genotype.json(), to: paths.genotype, below: output)
        }
        try AtomicFile.write(
            try boundedContents(of: winner.paths.model, limit: 1 << 33), to: paths.model, below: output)
        try writeReport(ofRun: winner.paths.folder, measured: result.table, to: paths.report)
        return result
    }

    /// Of candidates that were trained for so many epochs those that are worth more; who is not is told.
    private func judged(
        _ runs: [CandidateRun], by proposer: any CandidateProposer, after scored: [ScoredCandidate], _ epochs: Int,
        _ reporter: any ProgressReporter
    ) throws -> [CandidateRun] {
        try runs.filter { run in
            guard let reward = run.reward(after: epochs) else { return false }
            let goesOn = try proposer.goesOn(early: reward, after: scored)
            if !goesOn {
                let value = String(format: "%.4f", reward)
                reporter.report(
                    .note("\(run.name): not trained on, its reward of \(value) is too far below the others'"))
            }
            return goesOn
        }
    }

    /// Steps below which a first rung says little: of nine candidates on nuclei five still saw nothing but background after
    /// 58 steps, and none of the three best after 174.
    private static let leastSteps = 150

    /// A warning of a first rung that is too short; nil where it is long enough, or the only one.
    private static func shortness(_ schedule: HalvingSchedule, _ train: TrainConfiguration, samples: Int) -> String? {
        let steps = schedule.rungs[0].epochs * train.stepsOfEpoch(images: samples)
        guard schedule.rungs[0].candidates > 1, schedule.rungs.count > 1, steps < leastSteps else { return nil }
        return
            "the first rung has \(steps) steps, after which scores say little: more train.epochs, a smaller train.batch,"
            + " or fewer search.candidates help"
    }

    /// Those that took part in a rung, the best first; equal ones in the order in which they were proposed.
    private func ranked(_ runs: [CandidateRun], after epochs: Int) -> [CandidateRun] {
        let scored = runs.enumerated().compactMap { index, run in run.score(after: epochs).map { (index, run, $0) } }
        return scored.sorted { ($1.2, $0.0) < ($0.2, $1.0) }.map(\.1)
    }

    private func table(
        _ runs: [CandidateRun], _ errors: [String: any Error], _ schedule: HalvingSchedule
    ) throws -> CandidateTable {
        CandidateTable(
            epochs: schedule.rungs.map(\.epochs),
            rows: try runs.map { run in
                let network = run.candidate.network
                let cost = network.cost(run.configuration.train, on: images)
                return CandidateTable.Row(
                    name: run.name, path: network.genotype?.path.map(\.rawValue),
                    skips: network.genotype.flatMap { $0.hasSkips ? $0.skips : nil },
                    filters: network.genotype.map { _ in run.candidate.filters },
                    parameters: cost.parameters, multiplyAdds: cost.multiplyAdds,
                    milliseconds: try limits.judge(network, filters: run.candidate.filters)
                        .milliseconds,
                    scores: run.scores(after: schedule.rungs.map(\.epochs)),
                    error: errors[run.name].map { "\($0)" })
            })
    }
}
