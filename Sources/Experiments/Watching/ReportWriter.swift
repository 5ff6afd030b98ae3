import Configurations
import Datasets
import Foundation
import Reporting
import Runs
import SearchSpace
import Torch

/// Writes report.html into a run's folder, from what is in it.
///
/// - Parameter run: The run's folder.
/// - Returns: The page's path.
/// - Throws: `RunError` where the folder holds no run, `FileError` where the page cannot be written.
@discardableResult
public func writeReport(ofRun run: String) throws -> String { try writeReport(ofRun: run, to: nil) }

/// Refuses to write a page over that of several trainings, as of `run` or a race: it would become one of a run that has not
/// begun.
///
/// - Parameter run: The folder.
/// - Throws: `RunError` where such a page is there.
public func refusePageOfSeveral(ofRun run: String) throws(RunError) {
    let (paths, files) = (RunPaths(folder: run), FileManager.default)
    guard files.fileExists(atPath: paths.report), !files.fileExists(atPath: paths.log) else { return }
    throw RunError(
        .overwrites, path: paths.report,
        "is the page of several trainings, written by the command that began them: resume that command")
}

/// Writes report.html of a run, with what is known of it already.
///
/// - Parameters:
///   - run: The run's folder.
///   - records: What its log holds; nil reads it.
///   - classes: The data's classes; nil takes those of the run's model, or of the data as far as they can be read.
///   - trials: The trials of which the run is the best.
///   - measured: A table of measured networks, in place of the comparison that the run was named to.
///   - path: Where the page is written; nil is the run's own report.html.
/// - Returns: The page's path.
/// - Throws: `RunError` where the folder holds no run, `FileError` where the page cannot be written.
@discardableResult
package func writeReport(
    ofRun run: String, records: [RunRecord]? = nil, classes: ClassTable? = nil, trials: TrialTable? = nil,
    measured: RunReport.Table? = nil, to path: String? = nil
) throws -> String {
    let paths = RunPaths(folder: run)
    guard FileManager.default.fileExists(atPath: paths.configuration) else {
        throw RunError(.missing, path: run, "no run is in this folder")
    }
    let text = String(decoding: try boundedContents(of: paths.configuration, limit: 1 << 20), as: UTF8.self)
    let configuration = try Configuration.resolve(preset: nil, file: paths.configuration, overrides: [])
    let records = records ?? RunRecord.all(in: optionalContents(of: paths.log) ?? Data())
    let trained = records.last?.path == nil ? try? loadGenotype(paths.genotype) : nil
    // An encoder with a decoder has no genotype; nor does it search a path.
    let isTraining = trained != nil || configuration.train.encoder != .none && records.last?.path == nil
    var report = RunReport(
        kind: isTraining ? "train" : "search",
        name: URL(fileURLWithPath: run).standardizedFileURL.lastPathComponent,
        records: records,
        epochs: isTraining ? configuration.train.epochs(records.last) : configuration.search.totalEpochs)
    report.genotype = trained
    if isTraining, trained == nil {
        report.decoder = (try? foundDecoder(paths)) ?? configuration.train.decoder.genotype
    }
    report.configuration = text
    report.environment = environment(paths.environment)
    report.samples = picture(paths.samples, width: 1_160)
    report.written = Date().formatted(.iso8601)
    let table = classes ?? modelClasses(paths.model) ?? (try? configuration.data.dataset().classes)
    report.classes = table.map { zip($0.names, $0.palette).map { .init(name: $0, colour: $1.hex) } } ?? []
    report.measurements = measurements(ofRun: paths)
    if let own = trained ?? records.last?.genotype {
        let classes = table?.count ?? 19
        let best = records.compactMap { $0.values["mIOU"] }.max()
        let evaluated = storedMetrics(paths)?.mIOU
        let train = configuration.train
        report.comparison = compared(
            own, train, classes: classes, channels: configuration.data.channels,
            mIOU: evaluated ?? (trained == nil ? nil : best))
        report.comparisonBasis =
            "\(train.crop.height) x \(train.crop.width) pixels, F = \(train.filters), \(classes) classes"
    }
    report.measured =
        measured
        ?? optionalContents(of: paths.comparison)
        .flatMap { try? JSONDecoder().decode(ComparisonSummary.self, from: $0) }
        .map { RunReport.Table(caption: $0.caption, columns: $0.columns, rows: $0.rows) }
    if let trials {
        report.trialSummary = trials.summary
        report.trials = trials.trials.map {
            RunReport.Trial(seed: $0.seed, mIOU: $0.mIOU, path: $0.path, isBest: $0.seed == trials.best)
        }
    }
    let target = path ?? paths.report
    try AtomicFile.write(
        Data(report.html().utf8), to: target, below: URL(fileURLWithPath: target).deletingLastPathComponent().path)
    return target
}

/// This run's network and the known designs.
private func compared(
    _ own: Genotype, _ train: TrainConfiguration, classes: Int, channels: Int, mIOU: Double?
) -> [RunReport.ComparedNetwork] {
    let network = train.network(classes: classes, channels: channels)
    func row(_ name: String, _ genotype: Genotype, _ mIOU: Double?) -> RunReport.ComparedNetwork {
        let cost = Cost(network.layout(of: genotype), height: train.crop.height, width: train.crop.width)
        return RunReport.ComparedNetwork(
            name: name, parameters: cost.parameters, multiplyAdds: cost.multiplyAdds, mIOU: mIOU)
    }
    let designs = KnownDesign.allCases.compactMap { design in
        (try? design.genotype()).map { row(design.rawValue, $0, nil) }
    }
    return [row("this run", own, mIOU)] + designs
}

private func environment(_ path: String) -> [(name: String, value: String)] {
    guard let data = optionalContents(of: path),
        let environment = try? JSONDecoder().decode(Environment.self, from: data)
    else { return [] }
    return [
        ("autodeeplab", "\(environment.version), Swift \(environment.swift)"), ("libtorch", environment.libtorch),
        ("system", environment.system), ("processor", environment.processor),
        ("threads", "\(environment.threads) of \(environment.cores) cores"), ("device", environment.device),
        ("started", environment.date), ("command", environment.arguments.joined(separator: " ")),
    ]
}

extension TrainConfiguration {
    /// Epochs in all; where iterations are set, as far as a record tells how many steps an epoch has.
    fileprivate func epochs(_ record: RunRecord?) -> Int? {
        guard iterations > 0 else { return epochs }
        guard let record, record.step > 0 else { return nil }
        if record.step >= iterations { return record.epoch + 1 }
        return (iterations * (record.epoch + 1) + record.step - 1) / record.step
    }
}
