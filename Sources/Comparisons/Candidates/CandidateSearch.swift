import Configurations
import Datasets
import Experiments
import Foundation
import Inference
import Reporting
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
    public let schedule: HalvingSchedule
    private let configuration: Configuration
    private let images: InputSpecification
    private let proposer: any CandidateProposer

    /// Opens the data and a folder, and refuses what does not go with what is in it.
    ///
    /// - Parameters:
    ///   - configuration: The search's method and candidates, and how they are trained.
    ///   - output: The folder; new, empty, or that of such a search before.
    ///   - resume: Whether a search that is there goes on.
    /// - Throws: One line about a network, the data, or a folder that holds something else.
    public init(_ configuration: Configuration, output: String, resume: Bool) throws {
        let (search, train) = (configuration.search, configuration.train)
        self.output = output
        self.configuration = configuration
        guard train.iterations == 0 else {
            throw ConfigurationError(
                .outOfRange,
                "train.iterations: a search by \(search.method) goes by epochs: set train.epochs, and this to 0")
        }
        schedule = HalvingSchedule(
            candidates: search.candidates, reduction: search.reduction, epochs: train.epochs)
        try configuration.refuseUnusable()
        images = try InputSpecification(configuration, split: nil)
        proposer = try CandidateSearch.proposer(configuration, images)
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
    public static func files(in output: String) -> [String] {
        let paths = RunPaths(folder: output)
        return [paths.configuration, paths.genotype, paths.model, paths.report]
            + ["candidates.json", "candidates.csv"].map { output + "/" + $0 }
    }

    /// All candidates have the multiply-adds of DeepLabv3's path with `train.filters`, within this share.
    private static let tolerance = 0.1

    private static func proposer(
        _ configuration: Configuration, _ images: InputSpecification
    ) throws -> any CandidateProposer {
        let (search, train) = (configuration.search, configuration.train)
        let sampler = try GenotypeSampler(layers: search.layers, blocks: search.blocks, atrous: search.atrous)
        let reference = try KnownDesign.deeplabv3.genotype(
            layers: max(search.layers, KnownDesign.deeplabv3.minimumLayers))
        let wanted = Double(train.cost(of: reference, on: images).multiplyAdds)
        let sample = GenotypeSample(
            sampler, train, on: images,
            wanted: .init(
                multiplyAdds: wanted * (1 - tolerance)...wanted * (1 + tolerance), anyFilters: true))
        func candidate(_ name: String, _ genotype: Genotype) -> Candidate {
            let filters = train.filters(of: genotype, closestTo: Int(clamping: wanted), on: images).filters
            return Candidate(name: name, genotype: genotype, filters: filters)
        }
        switch search.method {
        case .random: return PoolProposer(given: [], sample: sample, seed: configuration.seed)
        case .evolution: return EvolutionProposer(sample: sample, seed: configuration.seed)
        case .race, .paper:
            let pool = try ComparedNetwork.named(by: search.pool).map { candidate($0.name, $0.genotype) }
            let designs = KnownDesign.allCases.compactMap { design in
                (try? design.genotype(layers: search.layers)).map { candidate(design.rawValue, $0) }
            }
            var seen: Set<Genotype> = []
            let given = (pool + designs).filter { seen.insert($0.genotype).inserted }
            return PoolProposer(given: given, sample: sample, seed: configuration.seed)
        }
    }

    private func refuseChanges(resume: Bool) throws {
        let paths = RunPaths(folder: output)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        guard names.contains(where: { !$0.hasPrefix(".") }) else { return }
        guard resume else {
            throw RunError(
                .notEmpty, path: output, "is not empty: go on with the search in it by --resume, or name another folder"
            )
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
        if let warning = try shortness() { reporter.report(.warning(warning)) }
        var runs: [CandidateRun] = []
        var errors: [String: any Error] = [:]
        for (number, rung) in schedule.rungs.enumerated() {
            func train(_ entries: [CandidateRun]) throws {
                try complete(entries, rung: rung, errors: &errors, reporter, interruption) {
                    try table(runs, $0).write(to: output)
                }
            }
            reporter.report(
                .note(
                    "rung \(number + 1) of \(schedule.rungs.count): \(rung.candidates) candidates, "
                        + "\(rung.epochs) epochs"))
            if number == 0 {
                while runs.count < rung.candidates {
                    let scored = runs.map {
                        ScoredCandidate(
                            genotype: $0.candidate.genotype, filters: $0.candidate.filters,
                            score: $0.score(after: rung.epochs))
                    }
                    let proposed = try proposer.candidates(after: scored, limit: rung.candidates)
                    let entries = proposed.enumerated().map { index, candidate in
                        CandidateRun(
                            candidate, number: runs.count + index + 1, of: rung.candidates, in: output, configuration)
                    }
                    runs += entries
                    try train(entries)
                }
            } else {
                try train(Array(ranked(runs, after: schedule.rungs[number - 1].epochs).prefix(rung.candidates)))
            }
        }
        let last = schedule.rungs[schedule.rungs.count - 1]
        guard let winner = ranked(runs, after: last.epochs).first, winner.score(after: last.epochs) != nil else {
            throw errors.values.first ?? RunError(.diverged, path: output, "no candidate could be trained")
        }
        var result = table(runs, errors)
        result.winner = winner.name
        try result.write(to: output)
        let paths = RunPaths(folder: output)
        try AtomicFile.write(winner.candidate.genotype.json(), to: paths.genotype, below: output)
        try AtomicFile.write(
            try boundedContents(of: winner.paths.model, limit: 1 << 33), to: paths.model, below: output)
        try writeReport(ofRun: winner.paths.folder, measured: result.table, to: paths.report)
        return result
    }

    /// Steps below which a first rung says little: of nine candidates on nuclei five still saw nothing but background after
    /// 58 steps, and none of the three best after 174.
    private static let leastSteps = 150

    private func shortness() throws -> String? {
        let (train, data) = (configuration.train, configuration.data)
        let samples = try data.dataset().samples(Split(rawValue: data.splits.train)).count
        let steps = schedule.rungs[0].epochs * max(1, samples / train.batch / train.accumulate)
        guard schedule.rungs.count > 1, steps < CandidateSearch.leastSteps else { return nil }
        return
            "the first rung has \(steps) steps, after which scores say little: more train.epochs, a smaller train.batch,"
            + " or fewer search.candidates help"
    }

    /// Those that took part in a rung, the best first; equal ones in the order in which they were proposed.
    private func ranked(_ runs: [CandidateRun], after epochs: Int) -> [CandidateRun] {
        let scored = runs.enumerated().compactMap { index, run in run.score(after: epochs).map { (index, run, $0) } }
        return scored.sorted { ($1.2, $0.0) < ($0.2, $1.0) }.map(\.1)
    }

    /// Brings candidates to the end of a rung; those that another process works on are waited for.
    private func complete(
        _ entries: [CandidateRun], rung: HalvingSchedule.Rung, errors: inout [String: any Error],
        _ reporter: any ProgressReporter, _ interruption: Interruption, note: ([String: any Error]) throws -> Void
    ) throws {
        var pending = entries
        while !pending.isEmpty {
            var held: [CandidateRun] = []
            for run in pending where run.score(after: rung.epochs) == nil && errors[run.name] == nil {
                if let signal = interruption.signal { throw Interrupted(signal: signal, comparison: output) }
                do {
                    try run.complete(through: rung.epochs, reporter: reporter, interruption: interruption)
                    let score = run.score(after: rung.epochs).map { String(format: "val mIOU %.4f", $0) }
                    reporter.report(.note("\(run.name): \(score ?? "not measured")"))
                } catch let error as RunError where error.reason == .locked {
                    held.append(run)
                    continue
                } catch let error as Interrupted {
                    throw Interrupted(signal: error.signal, comparison: output)
                } catch {
                    errors[run.name] = error
                    reporter.report(.warning("\(run.name): \(error)"))
                }
                try note(errors)
            }
            if held.count == pending.count { Thread.sleep(forTimeInterval: 1) }
            pending = held
        }
    }

    private func table(_ runs: [CandidateRun], _ errors: [String: any Error]) -> CandidateTable {
        CandidateTable(
            epochs: schedule.rungs.map(\.epochs),
            rows: runs.map { run in
                let cost = run.configuration.train.cost(of: run.candidate.genotype, on: images)
                var scores: [Double] = []
                for rung in schedule.rungs {
                    guard let score = run.score(after: rung.epochs) else { break }
                    scores.append(score)
                }
                return CandidateTable.Row(
                    name: run.name, path: run.candidate.genotype.path.map(\.rawValue), filters: run.candidate.filters,
                    parameters: cost.parameters, multiplyAdds: cost.multiplyAdds, scores: scores,
                    error: errors[run.name].map { "\($0)" })
            })
    }
}
