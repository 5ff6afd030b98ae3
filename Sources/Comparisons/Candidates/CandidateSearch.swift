import Configurations
import Datasets
import Experiments
import Foundation
import Runs
import SearchSpace
import Torch

/// A search that trains candidates: a pool is proposed, and successive halving finds its best.
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
    let configuration: Configuration
    /// How candidates are trained, each with its own network.
    private let training: Configuration
    private let images: InputSpecification
    private let pool: CandidatePool
    private let limits: CostLimits
    /// Steps of an epoch.
    private let steps: Int
    /// Times a step, where candidates have equal time.
    private let timer: EqualTime.Timer?

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
    ///   - timer: Says how many seconds a training step of a network takes where candidates have equal time; nil times it.
    /// - Throws: As above.
    package init(
        _ configuration: Configuration, output: String, resume: Bool, rests: Bool = false,
        latency: (() throws -> LatencyModel)? = nil,
        timer: ((_ configuration: Configuration, _ network: NetworkChoice) -> Double)? = nil
    ) throws {
        let search = configuration.search
        self.output = output
        self.configuration = configuration
        training = configuration.ofCandidates
        let train = training.train
        guard train.iterations == 0 else {
            throw ConfigurationError(
                .outOfRange,
                "train.iterations: a search by \(search.method) goes by epochs: set train.epochs, and this to 0")
        }
        try EqualTime.refuseUntimed(configuration)
        schedule = HalvingSchedule(
            candidates: search.candidates, reduction: search.reduction, epochs: configuration.train.epochs,
            rests: rests,
            before: train.epochs - configuration.train.epochs)
        let dataset = try configuration.refuseUnusable()
        try train.refuseMissingWeights(of: search.space == .decoders ? train.encoder.kind : search.stem.encoder)
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)).count
        steps = train.stepsOfEpoch(images: samples)
        warning = schedule.shortness(stepsPerEpoch: steps)
        images = try InputSpecification(configuration, split: nil, of: dataset)
        self.timer = search.equalTime ? timer ?? EqualTime.timer(on: images) : nil
        limits = try CostLimits(search.limits, train, on: images) {
            try latency?() ?? LatencyModel(configuration, place: .folder(output))
        }
        pool = try CandidatePool(training, images, limits)
        try refuseChanges(resume: resume)
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: CandidateSearch.files(in: output))
        try OutputPaths.refuseLinks(toOutput: output)
        try RunFolder.makeFolder(output)
        AtomicFile.removeLeftovers(in: output)
        var written = configuration
        written.data = configuration.data.withAbsolutePaths()
        try AtomicFile.write(Data(written.yaml().utf8), to: RunPaths(folder: output).configuration, below: output)
    }

    /// What a search writes into its folder, besides the folders of its candidates.
    package static func files(in output: String) -> [String] {
        let paths = RunPaths(folder: output)
        return [paths.configuration, paths.genotype, paths.model, paths.report]
            + ["candidates.json", "candidates.csv"].map { output + "/" + $0 } + [
                paths.latency, ScoredPool.file(in: output), SearchedPool.folder(in: output),
                ControllerProposer.file(in: output), EqualTime.file(in: output),
            ]
    }

    /// How candidates come about, of those given the ones within the limits; who is left out is told.
    private func proposer(
        _ reporter: any ProgressReporter, _ interruption: Interruption
    ) throws -> any CandidateProposer {
        let search = configuration.search
        let stops = search.space == .decoders ? search.decoder.stopping : search.controller.stopping
        let rule = search.space == .decoders && stops ? StoppingRule(seed: configuration.seed) : nil
        if search.method == .evolution {
            return EvolutionProposer(space: pool.space, seed: configuration.seed, rule: rule)
        }
        if search.method == .reinforcement {
            return ControllerProposer(configuration, space: pool.space, judges: stops, in: output, interruption)
        }
        let all = CandidatePool.different(try pool.searched(configuration, in: output) + pool.given)
        let fitting = try all.filter { candidate in
            let excess = try limits.judge(candidate.network, filters: candidate.filters).excess
            if !excess.isEmpty {
                reporter.report(.note("\(candidate.name) is left out: \(excess.joined(separator: ", "))"))
            }
            return excess.isEmpty
        }
        guard search.method == .race, !search.supernet.isEmpty || search.searchesFirst,
            fitting.count < search.candidates, let sample = pool.sample
        else {
            return PoolProposer(given: fitting, space: pool.space, seed: configuration.seed, rule: rule)
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
            given: fitting + scored.candidates.filter { !known.contains($0.network) }, space: pool.space,
            seed: configuration.seed)
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
        do {
            return try run(reporter: reporter, interruption: interruption, pacing: nil)
        } catch let error as Interrupted {
            throw Interrupted(signal: error.signal, candidatesOf: output)
        }
    }

    /// As above, within a time.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    ///   - pacing: Keeps the time; nil leaves candidates and lengths as they are.
    /// - Returns: The table, which stands in the folder too.
    /// - Throws: As above, and what `pacing` throws.
    package func run(
        reporter: any ProgressReporter, interruption: Interruption, pacing: Pacing?
    ) throws -> CandidateTable {
        if let warning { reporter.report(.warning(warning)) }
        try searchFirst(reporter: reporter, interruption: interruption)
        let proposer = try proposer(reporter, interruption)
        var schedule = schedule
        var state = State()
        // What one candidate's encoder sees another one's sees too.
        let features = FrozenFeatures(megabytes: training.train.frozenMegabytes)
        var times = try timer.map { try EqualTime(in: output, reference: pool.reference, by: $0) }
        var number = 0
        while number < schedule.rungs.count {
            let before = number > 0 ? schedule.rungs[number - 1].epochs : 0
            func narrow(trained: Int) throws {
                guard let pacing, number + 1 < schedule.rungs.count,
                    schedule.rungs[number].candidates > max(1, trained)
                else { return }
                let runs = trained > 0 ? Array(state.runs.prefix(trained)) : state.runs
                let count = try pacing.candidates(progress(of: runs, rung: number, trained: trained, schedule))
                schedule.narrow(rung: number, to: max(trained, count))
            }
            // Where one candidate is left of it, the rung is the last one's.
            if number > 0 { try narrow(trained: 0) }
            let isLast = number > 0 && number + 1 == schedule.rungs.count
            func settleLast(after done: Int, since begin: Int) throws {
                guard isLast, let pacing, let best = ranked(state.runs, after: done).first else { return }
                let epochs = try pacing.epochs(best.last(after: done, since: begin, of: schedule))
                schedule.settleLast(epochs: epochs)
                state.runs = state.runs.map { $0.settled(epochs: epochs, of: schedule) }
            }
            try settleLast(after: before, since: 0)
            let rung = schedule.rungs[number]
            func train(_ entries: [CandidateRun], through epochs: Int? = nil) throws {
                let rests = Set(schedule.rungs.map(\.epochs) + [state.part, epochs].compactMap(\.self))
                let length = epochs ?? schedule.rungs[number].epochs
                let parts = entries.map {
                    CandidateRun.Part(run: $0, epochs: length, rests: rests, features: features)
                }
                try complete(parts, in: output, reporter: reporter, interruption: interruption) { part, error in
                    state.errors[part.name] = error
                    try table(state, schedule).write(to: output)
                }
            }
            reporter.report(
                .note(
                    "rung \(number + 1) of \(schedule.rungs.count): \(rung.candidates) "
                        + "\(rung.candidates == 1 ? "candidate" : "candidates"), \(rung.epochs) epochs"))
            if number == 0 {
                state.part = proposer.judges ? firstPart(of: rung) : nil
                while state.runs.count < schedule.rungs[0].candidates {
                    let proposed = try proposer.candidates(after: state.scored, limit: rung.candidates)
                    let entries = try proposed.enumerated().map { index, candidate in
                        let number = state.runs.count + index
                        let timed = try times?.settle(candidate, number: number, training, steps: steps, interruption)
                        return CandidateRun(
                            timed ?? candidate, number: number + 1, of: rung.candidates, in: output, training)
                    }
                    state.runs += entries
                    if let part = state.part { try train(entries, through: part) }
                    let passing = try judged(entries, by: proposer, &state, reporter)
                    if pacing == nil {
                        try train(passing)
                    } else {
                        for run in passing {
                            let position = state.runs.firstIndex { $0.name == run.name } ?? 0
                            guard position < schedule.rungs[0].candidates else { continue }
                            try train([run])
                            try narrow(trained: position + 1)
                        }
                        state.runs = Array(state.runs.prefix(schedule.rungs[0].candidates))
                    }
                    state.score(entries, after: rung.epochs)
                }
                if state.runs.allSatisfy({ $0.score(after: rung.epochs) == nil || state.stopped.contains($0.name) }) {
                    // All were stopped: the best of them are trained on, so that the search comes to a result.
                    let count = schedule.rungs.dropFirst().first?.candidates ?? 1
                    let best = ranked(state.runs.filter { state.stopped.contains($0.name) }, after: state.part ?? 0)
                        .prefix(count)
                    state.stopped.subtract(best.map(\.name))
                    try train(Array(best))
                }
            } else {
                // Whoever comes so far has its encoder trained too.
                features.forget()
                func best() -> [CandidateRun] { Array(ranked(state.runs, after: before).prefix(rung.candidates)) }
                var done = before
                while isLast, pacing != nil, let middle = Pacing.middle(after: done, of: schedule) {
                    try train(best(), through: middle)
                    try settleLast(after: middle, since: done)
                    done = middle
                }
                try train(best())
            }
            number += 1
        }
        let last = schedule.rungs[schedule.rungs.count - 1]
        guard let winner = ranked(state.runs, after: last.epochs).first else {
            throw state.runs.lazy.compactMap { state.errors[$0.name] }.first
                ?? RunError(.diverged, path: output, "no candidate could be trained")
        }
        var result = try table(state, schedule)
        result.winner = winner.name
        try result.write(to: output)
        let paths = RunPaths(folder: output)
        let network = winner.candidate.network
        let decoder = configuration.search.space == .decoders ? network.decoderGenotype : nil
        if let json = network.genotype?.json() ?? decoder?.json() {
            try AtomicFile.write(json, to: paths.genotype, below: output)
        }
        try AtomicFile.write(
            try boundedContents(of: winner.paths.model, limit: 1 << 33), to: paths.model, below: output)
        try writeReport(ofRun: winner.paths.folder, measured: result.table, to: paths.report)
        return result
    }

    /// What is known of the candidates so far; all of it follows from their folders.
    private struct State {
        var runs: [CandidateRun] = []
        var scored: [ScoredCandidate] = []
        var errors: [String: any Error] = [:]
        /// The names of those that were not trained on after the first part of the first rung.
        var stopped: Set<String> = []
        /// Epochs of that part; nil where nothing is judged.
        var part: Int?

        /// Takes in what candidates came to that were proposed together.
        mutating func score(_ entries: [CandidateRun], after epochs: Int) {
            scored += entries.map { run in
                let early = part.flatMap { run.reward(after: $0) }
                if let part, stopped.contains(run.name) {
                    return ScoredCandidate(
                        run.candidate.network, score: run.score(after: part), reward: early, early: early)
                }
                return ScoredCandidate(
                    run.candidate.network, score: run.score(after: epochs), reward: run.reward(after: epochs),
                    early: early)
            }
        }
    }

    /// Epochs after which candidates are judged: those of the decoder alone, else half of the first rung's.
    private func firstPart(of rung: HalvingSchedule.Rung) -> Int? {
        let alone = training.train.epochs - configuration.train.epochs
        return alone > 0 ? alone : rung.epochs > 1 ? rung.epochs / 2 : nil
    }

    /// Of candidates that were trained for the first part those that are worth more; who is not is told and noted.
    private func judged(
        _ runs: [CandidateRun], by proposer: any CandidateProposer, _ state: inout State,
        _ reporter: any ProgressReporter
    ) throws -> [CandidateRun] {
        guard let part = state.part else { return runs }
        var before = state.scored
        return try runs.filter { run in
            let reward = run.reward(after: part)
            let goesOn = try reward.map { try proposer.goesOn(early: $0, after: before) } ?? false
            before.append(ScoredCandidate(run.candidate.network, score: nil, early: reward))
            if let reward, !goesOn {
                state.stopped.insert(run.name)
                let value = String(format: "%.4f", reward)
                reporter.report(
                    .note("\(run.name): not trained on, its reward of \(value) is too far below the others'"))
            }
            return goesOn
        }
    }

    /// Those that took part in a rung, the best first; equal ones in the order in which they were proposed.
    private func ranked(_ runs: [CandidateRun], after epochs: Int) -> [CandidateRun] {
        let scored = runs.enumerated().compactMap { index, run in run.score(after: epochs).map { (index, run, $0) } }
        return scored.sorted { ($1.2, $0.0) < ($0.2, $1.0) }.map(\.1)
    }

    private func table(_ state: State, _ schedule: HalvingSchedule) throws -> CandidateTable {
        var table = CandidateTable(
            epochs: schedule.rungs.map(\.epochs),
            rows: try state.runs.map { run in
                let network = run.candidate.network
                let cost = network.cost(run.configuration.train, on: images)
                var row = CandidateTable.Row(
                    name: run.name, path: network.genotype?.path.map(\.rawValue),
                    skips: network.genotype.flatMap { $0.hasSkips ? $0.skips : nil },
                    filters: network.genotype.map { _ in run.candidate.filters },
                    parameters: cost.parameters, multiplyAdds: cost.multiplyAdds,
                    milliseconds: try limits.judge(network, filters: run.candidate.filters)
                        .milliseconds,
                    scores: run.scores(after: schedule.rungs.map(\.epochs)),
                    error: state.errors[run.name].map { "\($0)" })
                if case .encoder(_, let decoder) = network { row.decoder = decoder.rawValue }
                let isStopped = state.stopped.contains(run.name)
                if isStopped { row.isStopped = true }
                row.reward = (isStopped ? state.part : schedule.rungs.first?.epochs).flatMap { run.reward(after: $0) }
                return row
            })
        if configuration.search.space == .decoders {
            table.encoder = configuration.train.encoder.rawValue
            table.alone = training.train.epochs - configuration.train.epochs
        }
        return table
    }
}
