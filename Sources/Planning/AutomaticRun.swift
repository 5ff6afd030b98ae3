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
        /// Seconds that it took, this time.
        public var seconds: Double
    }

    private let started: Date

    /// Looks at the data and makes the plan, or takes up the one that is in the folder.
    ///
    /// - Parameters:
    ///   - budget: How long the run may take.
    ///   - output: The run's folder: new, empty, or that of such a run before.
    ///   - base: Data, seed, device and threads; where `isPlan`, all else too.
    ///   - isPlan: Whether `base` is a plan that was made before and is to be followed.
    ///   - resume: Whether a run that is there goes on.
    ///   - reporter: Who shows the progress.
    /// - Throws: One line about data that cannot be used, or a folder that holds something else.
    public init(
        budget: Budget, output: String, _ base: Configuration, isPlan: Bool = false, resume: Bool = false,
        reporter: any ProgressReporter
    ) throws {
        started = Date()
        self.output = output
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: AutomaticRun.files(in: output))
        try OutputPaths.refuseLinks(toOutput: output)
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []).filter {
            !$0.hasPrefix(".")
        }
        if !names.isEmpty {
            let early = ["classes.txt", "splits.csv", "plan.yaml"]
            guard names.contains("plan.json") || names.allSatisfy(early.contains) else {
                throw RunError(.notEmpty, path: output, "is not empty and holds no such run: name another folder")
            }
            guard resume || !names.contains("plan.json") else {
                throw RunError(
                    .notEmpty, path: output, "is not empty", advice: .resumeOrTakeOtherFolder(of: "run"))
            }
        }
        if names.contains("plan.json") {
            let file = AutomaticRun.planFile(in: output)
            let bytes = try boundedContents(of: file, limit: 1 << 24)
            guard let plan = try? JSONDecoder().decode(Plan.self, from: bytes) else {
                throw RunError(.damaged, path: file, "is no plan of this version: begin a new run")
            }
            self.plan = plan
            configuration = try Configuration.resolve(file: output + "/plan.yaml")
            return
        }
        try RunFolder.makeFolder(output)
        AtomicFile.removeLeftovers(in: output)
        let prepared = try PreparedData(
            base.data, output: output, seed: UInt64(base.seed), reporter: reporter)
        for note in prepared.notes { reporter.report(.note(note)) }
        var settled = base
        settled.data = prepared.data
        try AutomaticRun.refuseFaults(settled, reporter: reporter)
        let facts = try DataFacts(prepared.dataset, reader: prepared.dataset.reader())
        let planner = Planner(
            budget: budget, elapsed: Date().timeIntervalSince(started), facts: facts, base: settled,
            encoder: EncoderKind.allCases.first { TrainConfiguration.weightsFile(of: $0) != nil },
            reporter: reporter)
        let (plan, configuration) = try planner.plan(notes: prepared.notes, isSettled: isPlan)
        try AtomicFile.write(
            Data(plan.yaml(of: configuration).utf8), to: output + "/plan.yaml", below: output)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        // Last: where it is, all that it speaks of is.
        try AtomicFile.write(try encoder.encode(plan), to: AutomaticRun.planFile(in: output), below: output)
        self.plan = plan
        self.configuration = configuration
    }

    private static func planFile(in output: String) -> String { output + "/plan.json" }

    /// What a run writes into its folder, besides the folder of its candidates.
    static func files(in output: String) -> [String] {
        let paths = RunPaths(folder: output)
        return [paths.configuration, paths.genotype, paths.model, paths.report, paths.card] + paths.evaluationPlaces
            + ["plan.json", "plan.yaml", "classes.txt", "splits.csv", "model.onnx", "candidates", "training"].map {
                output + "/" + $0
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
            return try completeStages(reporter: reporter, interruption: interruption)
        } catch let error as Interrupted {
            // Whichever stage it was: all of them go on together.
            throw Interrupted(signal: error.signal, automaticRun: output)
        }
    }

    private func completeStages(reporter: any ProgressReporter, interruption: Interruption) throws -> Outcome {
        for stage in plan.stages.dropFirst() {
            reporter.report(.note("planned: \(stage.name), \(Budget.text(stage.seconds))"))
        }
        let table = try trainBest(reporter: reporter, interruption: interruption)
        let trained = Date()
        let (winner, settled) = try takeOver(table)
        func stopIfAsked() throws {
            guard let signal = interruption.signal else { return }
            throw Interrupted(signal: signal, automaticRun: output)
        }
        try stopIfAsked()
        let model = try Model(at: winner, device: try settled.device.device())
        let split = settled.data.splits.test
        let evaluation = try evaluate(
            model, settled, split: split, reporter: reporter, interruption: interruption)
        try evaluation.write(to: output)
        try stopIfAsked()
        let onnx = exported(model, reporter: reporter)
        try writeModelCard(ofRun: output)
        let interval = evaluation.images.bootstrapInterval(seed: UInt64(settled.seed))
        let report = try OutcomePage(
            run: self, table: table, model: model, configuration: settled, evaluation: evaluation, interval: interval,
            hasONNX: onnx != nil, seconds: (trained.timeIntervalSince(started), Date().timeIntervalSince(trained))
        ).report()
        let path = RunPaths(folder: output).report
        try AtomicFile.write(Data(report.html().utf8), to: path, below: output)
        return Outcome(
            model: winner, onnx: onnx, report: path, metrics: evaluation.metrics,
            interval: interval.map { [$0.lowerBound, $0.upperBound] },
            seconds: Date().timeIntervalSince(started))
    }

    /// Where networks are trained.
    private var work: String { output + (configuration.train.encoder == .none ? "/candidates" : "/training") }

    /// Trains candidates down to the best, or an encoder with its decoder.
    ///
    /// - Returns: The candidates; nil where there was no choice.
    private func trainBest(
        reporter: any ProgressReporter, interruption: Interruption
    ) throws -> CandidateTable? {
        guard configuration.train.encoder != .none else {
            return try CandidateSearch(configuration, output: work, resume: true)
                .run(reporter: reporter, interruption: interruption)
        }
        let folder = try RunFolder(at: work, resume: FileManager.default.fileExists(atPath: work))
        try Training(nil, configuration, folder: folder, reporter: reporter, interruption: interruption).run()
        return nil
    }

    /// Makes the trained model the run's own, with the configuration that it was trained under.
    private func takeOver(_ table: CandidateTable?) throws -> (model: String, configuration: Configuration) {
        let (source, target) = (RunPaths(folder: work), RunPaths(folder: output))
        var settled = configuration
        if let row = table?.rows.first(where: { $0.name == table?.winner }) { settled.train.filters = row.filters }
        try AtomicFile.write(try boundedContents(of: source.model, limit: 1 << 33), to: target.model, below: output)
        if table != nil {
            try AtomicFile.write(
                try boundedContents(of: source.genotype, limit: 1 << 20), to: target.genotype, below: output)
        }
        try AtomicFile.write(Data(settled.yaml().utf8), to: target.configuration, below: output)
        return (target.model, settled)
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
