import Comparisons
import Configurations
import Datasets
import Deployment
import Experiments
import Export
import Foundation
import Images
import Inference
import Networks
import Reporting
import Runs
import SearchSpace
import Torch

/// The whole road from a folder of images and a time: look at the data, plan, choose among networks, train, measure,
/// export, report.
///
///     var data = Configuration()
///     data.data.root = "images"
///     let run = try AutomaticRun(
///         budget: Budget("30min"), output: "runs/mine", data, reporter: SilentReporter())
///     let outcome = try run.complete(reporter: SilentReporter(), interruption: Interruption())
///     print(outcome.metrics.mIOU)
///
/// It may be stopped at any moment. Begun again in the same folder it goes on where it was and ends with the same network.
public struct AutomaticRun {
    /// The run's folder.
    public let output: String
    /// The plan, as it stands in the folder.
    public let plan: Plan
    /// How candidates are chosen and trained.
    public let configuration: Configuration

    /// What came out.
    public struct Outcome: Encodable, Sendable {
        /// The trained network.
        public var model: String
        /// The same for other programs; nil where it could not be exported.
        public var onnx: String?
        /// The page to read.
        public var report: String
        /// The split that was measured.
        public var metrics: Metrics
        /// The interval of 95% of the mean IoU over the choice of images; nil for fewer than two.
        public var interval: [Double]?
        /// Seconds that it took, in all processes that worked on it.
        public var seconds: Double
    }

    private let account: TimeAccount
    private static let early = ["classes.txt", "splits.csv", "folds", "plan.yaml", "times.json"]

    /// Looks at the data and makes the plan, or takes up the one that is in the folder.
    ///
    /// - Parameters:
    ///   - budget: How long the run may take.
    ///   - output: The run's folder: new, empty, or that of such a run before.
    ///   - base: Data, seed, device and threads; where `isPlan`, all else too.
    ///   - isPlan: Whether `base` is a plan that was made before and is to be followed.
    ///   - resume: Whether a run that is there goes on.
    ///   - given: What must be as it was where a run goes on: settings of the data, `seed`, `budget`, `maxLatency`, `maxMemory`.
    ///   - milliseconds: The most that an image may take on this machine; nil for any time.
    ///   - megabytes: The most memory that the training may take; nil for what is free.
    ///   - reporter: Who shows the progress.
    /// - Throws: One line about data that cannot be used, a folder that holds something else, or limits that no network
    ///   keeps.
    public init(
        budget: Budget, output: String, _ base: Configuration, isPlan: Bool = false, resume: Bool = false,
        given: Set<String> = [], milliseconds: Double? = nil, megabytes: Double? = nil,
        reporter: any ProgressReporter
    ) throws {
        self.output = output
        try AutomaticRun.refuseTeacher(base)
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: AutomaticRun.files(in: output))
        try OutputPaths.refuseLinks(toOutput: output)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []).filter {
            !$0.hasPrefix(".")
        }
        if !names.isEmpty {
            guard names.contains("plan.json") || names.allSatisfy(AutomaticRun.early.contains) else {
                throw RunError(.notEmpty, path: output, "is not empty and holds no such run: name another folder")
            }
            guard resume || !names.contains("plan.json") else {
                throw RunError(
                    .notEmpty, path: output, "is not empty", advice: .resumeOrTakeOtherFolder(of: "run"))
            }
        }
        _ = try base.device.device()
        let asked = AutomaticRun.asked(
            budget, base, isPlan: isPlan, milliseconds: milliseconds, megabytes: megabytes)
        account = TimeAccount(folder: output, clock: TimeAccount.uptime)
        if names.contains("plan.json") {
            plan = try Plan(in: output)
            configuration = try Configuration.resolve(file: output + "/plan.yaml")
            try AutomaticRun.refuseChanges(of: given, asked, since: plan, configuration, in: output)
            try AutomaticRun.refuseTeacher(configuration)
            return
        }
        let made = try RunFolder.makeFolder(output)
        var isPlanned = false
        // A start that failed leaves nothing but what it may have proposed.
        defer { if !isPlanned { RunFolder.remove(made, with: "times.json") } }
        AtomicFile.removeLeftovers(in: output)
        let folds = isPlan ? 0 : budget.seconds < 120 ? 2 : budget.seconds < 300 ? 3 : 5
        let prepared = try PreparedData(
            base.data, output: output, seed: UInt64(base.seed), folds: folds, reporter: reporter)
        for note in prepared.notes { reporter.report(.note(note)) }
        var settled = base
        settled.data = prepared.data
        if isPlan { AutomaticRun.takeEncoder(&settled) }
        try AutomaticRun.refuseFaults(settled, reporter: reporter)
        let facts = try DataFacts(prepared.dataset, reader: prepared.dataset.reader())
        let planner = Planner(
            budget: budget, elapsed: account.total, facts: facts, base: settled,
            encoders: EncoderKind.allCases.filter { TrainConfiguration.weightsFile(of: $0) != nil },
            folds: prepared.folds, limits: .init(milliseconds: milliseconds, bytes: megabytes.map { $0 * 1e6 }),
            trial: trialTraining, reporter: reporter)
        var (plan, configuration) = try planner.plan(notes: prepared.notes, isSettled: isPlan)
        plan.asked = asked
        try AtomicFile.write(
            Data(plan.yaml(of: configuration).utf8), to: output + "/plan.yaml", below: output)
        // Last: where it is, all that it speaks of is.
        try plan.write(in: output)
        isPlanned = true
        self.plan = plan
        self.configuration = configuration
    }

    /// A plan that names an encoder to train is a race of one.
    private static func takeEncoder(_ configuration: inout Configuration) {
        guard let encoder = configuration.train.encoder.kind else { return }
        configuration.search.method = .race
        configuration.search.pool = ["\(encoder.rawValue)+\(configuration.train.decoder.rawValue)"]
        configuration.search.poolSteps = []
        configuration.search.candidates = 1
        configuration.train.encoder = .none
    }

    /// What a run writes into its folder, besides the folder of its candidates.
    static func files(in output: String) -> [String] {
        let paths = RunPaths(folder: output)
        return [paths.configuration, paths.genotype, paths.model, paths.report, paths.card] + paths.evaluationPlaces
            + (early + ["plan.json", "model.onnx", "candidates"]).map { output + "/" + $0 }
    }

    private static func refuseTeacher(_ configuration: Configuration) throws(ConfigurationError) {
        guard configuration.train.teacher.isEmpty else {
            throw ConfigurationError(
                .contradiction,
                "train.teacher: plans do not count a teacher's time: leave it out here, and train with it afterwards")
        }
    }

    /// Reads all files once where they are not too many, and stops at what would spoil a training.
    private static func refuseFaults(_ configuration: Configuration, reporter: any ProgressReporter) throws {
        let report = try checkData(configuration, reporter: reporter)
        let fatal = report.problems.filter(\.stopsTraining)
        for problem in report.problems.filter({ !$0.stopsTraining }).prefix(10) + fatal.dropFirst().prefix(10) {
            reporter.report(.warning("\(problem.file): \(problem.problem)"))
        }
        guard let first = fatal.first else { return }
        let more = fatal.count > 1 ? " (and \(fatal.count - 1) more)" : ""
        throw DataError(file: first.file, problem: first.problem + more)
    }

    /// Chooses, trains, measures, exports and reports, as far as that is not done yet.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Returns: What came out.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; the first candidate's error where all fail.
    public func complete(reporter: any ProgressReporter, interruption: Interruption) throws -> Outcome {
        do {
            return try completeStages(reporter: account.reporter(reporter), interruption: interruption)
        } catch let error as Interrupted {
            // Whichever stage it was: all of them go on together.
            throw Interrupted(signal: error.signal, automaticRun: output)
        }
    }

    private func completeStages(reporter: any ProgressReporter, interruption: Interruption) throws -> Outcome {
        func stopIfAsked() throws {
            guard let signal = interruption.signal else { return }
            throw Interrupted(signal: signal, automaticRun: output)
        }
        for stage in plan.stages.dropFirst() {
            reporter.report(.note("planned: \(stage.name), \(Budget.text(stage.seconds))"))
        }
        try stopIfAsked()
        let validated = try crossValidate(reporter: reporter, interruption: interruption)
        let table = try trainBest(validated, reporter: reporter, interruption: interruption)
        begin(.measuring, reporter: reporter)
        guard let winner = table.winner else { preconditionFailure("a search without a winner") }
        let trained = work + "/" + winner
        let settled = try takeOver(trained)
        try stopIfAsked()
        let model = try Model(at: RunPaths(folder: output).model, device: try settled.device.device())
        let evaluation =
            try validated.first?.evaluation
            ?? evaluate(
                model, settled, split: measuredSplit(settled), reporter: reporter, interruption: interruption)
        try evaluation.write(to: output)
        try stopIfAsked()
        let onnx = exported(model, reporter: reporter)
        try writeModelCard(ofRun: output, trainedIn: trained)
        let interval = evaluation.images.bootstrapInterval(seed: UInt64(settled.seed))
        let report = try OutcomePage(
            output: output, plan: Plan(in: output), table: table, validated: validated, model: model,
            configuration: settled, evaluation: evaluation, interval: interval, hasONNX: onnx != nil, account: account
        ).report()
        let path = RunPaths(folder: output).report
        try AtomicFile.write(Data(report.html().utf8), to: path, below: output)
        account.save()
        return Outcome(
            model: RunPaths(folder: output).model, onnx: onnx, report: path, metrics: evaluation.metrics,
            interval: interval.map { [$0.lowerBound, $0.upperBound] }, seconds: account.total)
    }

    /// Tells what begins and how much time there is for it.
    private func begin(_ part: TimeAccount.Part, reporter: any ProgressReporter) {
        account.begin(part)
        let planned = plan.seconds(of: part).map { "about \(Budget.text($0)), " } ?? ""
        let left = plan.budget - account.total
        reporter.report(
            .note("\(part.text): \(planned)\(left > 0 ? Budget.text(left) + " left" : "the time is over")"))
    }

    /// The split that the network is measured on: `test` where it has labels.
    private func measuredSplit(_ configuration: Configuration) -> String {
        let splits = configuration.data.splits
        let names = [splits.test, Split(rawValue: splits.test).usual.rawValue]
        return names.contains { plan.facts.images[$0] != nil } ? splits.test : splits.val
    }

    /// Where networks are trained.
    private var work: String { output + "/candidates" }

    /// Measures each network of the pool on few images, the best first; none where there are enough for splits.
    private func crossValidate(
        reporter: any ProgressReporter, interruption: Interruption
    ) throws -> [CrossValidation.Result] {
        guard let own = plan.crossValidation else { return [] }
        begin(.folds, reporter: reporter)
        let search = configuration.search
        let pool =
            search.pool.isEmpty
            ? [Planner.standardDesign(layers: search.layers)]
            : Array(search.pool.prefix(search.candidates))
        let networks = try ComparedNetwork.named(by: pool).enumerated().map { index, network in
            let steps = search.stepsPerEpoch(ofPool: index) ?? configuration.train.stepsPerEpoch
            return (network, configuration.train.filters, steps)
        }
        let results = try CrossValidation(plan: own, configuration: configuration, output: output).run(
            networks, reporter: reporter, interruption: interruption)
        let ranked = results.enumerated().sorted {
            ($1.element.evaluation.metrics.mIOU, $0.offset) < ($0.element.evaluation.metrics.mIOU, $1.offset)
        }
        return ranked.map(\.element)
    }

    /// Trains candidates down to the best.
    private func trainBest(
        _ validated: [CrossValidation.Result], reporter: any ProgressReporter, interruption: Interruption
    ) throws -> CandidateTable {
        var configuration = configuration
        if let best = validated.first {
            let search = configuration.search
            let steps = search.pool.firstIndex(of: best.network.argument).flatMap(search.stepsPerEpoch(ofPool:))
            configuration.search.pool = [best.network.argument]
            configuration.search.poolSteps = steps.map { [$0] } ?? []
            configuration.search.candidates = 1
        }
        let search = try CandidateSearch(
            configuration, output: work, resume: true, rests: !plan.isGiven)
        if configuration.search.searchesFirst {
            begin(.searching, reporter: reporter)
            try search.searchFirst(reporter: reporter, interruption: interruption) {
                try endsSearch(after: $0, reporter: reporter)
            }
        }
        begin(configuration.search.candidates > 1 ? .choosing : .training, reporter: reporter)
        let isRace = configuration.search.candidates > 1
        let pacing = CandidateSearch.Pacing(
            epochs: { last in
                if isRace { begin(.training, reporter: reporter) }
                return try settledEpochs(last, reporter: reporter)
            },
            candidates: { try settledCandidates($0, reporter: reporter) })
        return try search.run(reporter: reporter, interruption: interruption, pacing: pacing)
    }

    /// Seconds that are left for the race and the last training.
    private var secondsLeft: Double { plan.budget - account.total - (plan.seconds(of: .measuring) ?? 0) }

    /// Whether the search by the paper's method ends after so many epochs, since it takes longer here than was thought.
    private func endsSearch(after epoch: Int, reporter: any ProgressReporter) throws -> Bool {
        var plan = try Plan(in: output)
        if let end = plan.searchEnd { return epoch >= end.epoch }
        let epochs = configuration.search.epochs
        guard !plan.isGiven, plan.endsSearch(after: epoch, of: epochs, seconds: account.seconds(.searching)) else {
            return false
        }
        let end = Plan.SearchEnd(epoch: epoch, planned: epochs)
        plan.searchEnd = end
        try plan.write(in: output)
        reporter.report(.note(end.text))
        return true
    }

    /// How many candidates take part in a rung: as planned, unless there is no time for them.
    private func settledCandidates(
        _ progress: CandidateSearch.RungProgress, reporter: any ProgressReporter
    ) throws -> Int {
        var plan = try Plan(in: output)
        if plan.isGiven { return progress.schedule.rungs[progress.rung].candidates }
        if let known = plan.narrowings.first(where: { ($0.rung, $0.trained) == (progress.rung, progress.trained) }) {
            return known.candidates
        }
        let narrowing = plan.narrowing(progress, left: secondsLeft)
        plan.narrowings.append(narrowing)
        try plan.write(in: output)
        if let text = narrowing.text { reporter.report(.note(text)) }
        return narrowing.candidates
    }

    /// The epochs of the last training: as planned, unless this machine turned out to be another.
    private func settledEpochs(_ last: CandidateSearch.LastTraining, reporter: any ProgressReporter) throws -> Int {
        var plan = try Plan(in: output)
        if plan.isGiven { return last.epochs }
        let length: Plan.Length
        if let known = plan.lengths.first(where: { $0.done == last.done }) {
            length = known
        } else {
            length = plan.settledLength(
                done: last.done, epochs: last.epochs, secondsPerEpoch: last.secondsPerEpoch, left: secondsLeft)
            plan.lengths.append(length)
            try plan.write(in: output)
        }
        if let text = length.text { reporter.report(.note(text)) }
        return length.epochs
    }

    /// Makes the trained model the run's own, with the configuration that it was trained under.
    private func takeOver(_ trained: String) throws -> Configuration {
        let (source, target) = (RunPaths(folder: work), RunPaths(folder: output))
        let settled = try Configuration.resolve(file: RunPaths(folder: trained).configuration)
        try AtomicFile.write(try boundedContents(of: source.model, limit: 1 << 33), to: target.model, below: output)
        if FileManager.default.fileExists(atPath: source.genotype) {
            try AtomicFile.write(
                try boundedContents(of: source.genotype, limit: 1 << 20), to: target.genotype, below: output)
        }
        try AtomicFile.write(Data(settled.yaml().utf8), to: target.configuration, below: output)
        return settled
    }

    /// The ONNX model, checked where Python has the means; nil where it could not be written.
    private func exported(_ model: Model, reporter: any ProgressReporter) -> String? {
        let path = output + "/model.onnx"
        do {
            let options = try model.onnxOptions(size: nil, takesBytes: true, givesLabels: true)
            try model.exportONNX(to: path, options: options)
            let check = try ONNXCheck(path, of: model, options: options, size: .init(height: 97, width: 129))
            if let difference = check.difference, difference > 0.01 {
                reporter.report(.warning("\(path): ONNX Runtime gives other labels for \(difference) of the pixels"))
            }
            return path
        } catch {
            reporter.report(.warning("\(path): \(error)"))
            return nil
        }
    }
}
