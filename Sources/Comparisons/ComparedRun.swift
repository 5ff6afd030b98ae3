import Configurations
import Deployment
import Experiments
import Foundation
import Inference
import Runs
import SearchSpace
import Torch

/// One training with its evaluation within a comparison: a network under a seed, in a run folder of its own.
struct ComparedRun: SharedRun {
    let network: CostedNetwork
    let seed: Int
    /// The comparison's folder.
    let output: String
    let split: String
    let images: InputSpecification
    /// The comparison's configuration with this run's seed and filters.
    let configuration: Configuration

    /// What result.json in the run's folder holds.
    private struct Record: Codable {
        var split: String
        var evaluation: [String: String]
        var mIOU: Double
        var validationMIOU: Double
        var secondsPerImage: Double
        var threads: Int
    }

    var name: String { "\(network.network.name)-seed\(seed)" }
    var paths: RunPaths { RunPaths(folder: output + "/" + name) }

    /// What is known of the run, from its folder alone.
    var result: ComparisonSummary.Run {
        let record = finished
        return ComparisonSummary.Run(
            seed: seed, folder: name, mIOU: record?.mIOU, validationMIOU: record?.validationMIOU,
            secondsPerImage: record?.secondsPerImage, threads: record?.threads)
    }

    var isFinished: Bool { finished != nil }

    /// The record of a run that was trained as long, and evaluated in the way, that is asked for now.
    private var finished: Record? {
        guard let data = optionalContents(of: paths.comparedRun),
            let record = try? JSONDecoder().decode(Record.self, from: data), record.split == split,
            record.evaluation == configuration.evaluationTexts, let saved = try? savedConfiguration(),
            saved.train.epochs == configuration.train.epochs, saved.train.iterations == configuration.train.iterations
        else { return nil }
        return record
    }

    private func savedConfiguration() throws -> Configuration? {
        guard FileManager.default.fileExists(atPath: paths.configuration) else { return nil }
        return try Configuration.resolve(file: paths.configuration)
    }

    /// Refuses a run that is there already and is not this one.
    ///
    /// - Throws: `RunError` that shows what differs.
    func refuseChanges() throws {
        guard let saved = try savedConfiguration() else { return }
        _ = try configuration.changes(since: saved, stage: "train", run: paths.folder)
        // A training that goes on knows its teacher by its content; one that has ended is not asked.
        guard saved.train.teacher == configuration.train.teacher else {
            throw RunError(
                .changed, path: paths.folder,
                "was trained with train.teacher \"\(saved.train.teacher)\", not \"\(configuration.train.teacher)\"",
                advice: .takeOtherOutput)
        }
        guard FileManager.default.fileExists(atPath: paths.genotype) else { return }
        guard try loadGenotype(paths.genotype) == network.network.choice.genotype else {
            throw RunError(
                .changed, path: paths.folder,
                "holds a training of another network than \(network.network.argument)", advice: .takeOtherOutput)
        }
    }

    /// Trains and measures what is still missing; a run that was interrupted goes on.
    ///
    /// - Throws: `RunError` with reason `locked` where another process is at work on this run.
    func complete(reporter: any ProgressReporter, interruption: Interruption) throws {
        let folder = try RunFolder(at: paths.folder, resume: true)
        defer { withExtendedLifetime(folder) {} }
        // Another process may have finished it since.
        if isFinished { return }
        if network.network.choice.genotype != nil { reporter.report(.note("\(name): \(network.filters) filters")) }
        let training = try Training(
            network.network.choice.genotype, configuration, folder: folder, reporter: reporter,
            interruption: interruption)
        let best = try training.run()
        let model = try Model(at: paths.folder, device: try configuration.device.device())
        let evaluation = try evaluate(model, configuration, split: split, reporter: reporter)
        try evaluation.write(to: paths.folder)
        try writeReport(ofRun: paths.folder)
        try writeModelCard(ofRun: paths.folder)
        let times = model.milliseconds(height: images.height, width: images.width, repetitions: 5)
        let record = Record(
            split: split, evaluation: configuration.evaluationTexts, mIOU: evaluation.metrics.mIOU,
            validationMIOU: best,
            secondsPerImage: times[times.count / 2] / 1e3 * Double(images.windows), threads: configuration.workerThreads
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(record), to: paths.comparedRun, below: paths.folder)
    }
}

extension Configuration {
    /// The settings that say how a network is measured.
    var evaluationTexts: [String: String] { texts.filter { $0.key.hasPrefix("evaluate.") } }
}
