import Configurations
import Datasets
import Foundation
import Runs

/// Reads every file of a data set once and reports what is there, what is wrong, and what to begin with.
///
/// - Parameters:
///   - configuration: Names the data set, its classes and labels, and the threads.
///   - reporter: Who shows the progress.
/// - Returns: The report, with a crop and batches for this machine's memory.
/// - Throws: An error where the folder is no data set at all; all other faults are in the report.
public func checkData(_ configuration: Configuration, reporter: any ProgressReporter) throws -> DatasetReport {
    let dataset = try configuration.data.dataset(acceptingUnnamedClasses: true, reporter: reporter)
    var data = configuration.data
    let validation = data.settleValidation(in: dataset)
    let splits = data.splits
    let needed = validation == nil ? [splits.train, splits.val] : [splits.train]
    let check = try DatasetCheck(
        dataset, threads: configuration.workerThreads, needed: needed.map(Split.init(rawValue:)),
        measured: Split(rawValue: splits.test))
    reporter.report(.began(stage: "data check", unit: "image", total: check.count))
    var report = check.run { reporter.report(.advanced(Advance(completed: $0))) }
    reporter.report(.ended(stage: "data check"))
    if let validation { report.notes.append(validation) }
    report.addWhatTrainingRefuses(dataset, train: splits.train)
    if let own = DataFile.path(in: configuration.data.root) {
        report.notes.append("\(own): its settings hold where the configuration gives no others")
    }
    report.suggestion.complete(for: report, memory: ProcessMemory.available ?? 0)
    return report
}

extension DatasetReport {
    /// Adds what a check can do without and search or training cannot.
    fileprivate mutating func addWhatTrainingRefuses(_ dataset: Dataset, train: String) {
        if !dataset.namesClasses {
            problems.append(
                Problem(
                    file: root, problem: "names no classes: write classes.txt, one name a line, or set data.classes"))
        }
        if splits[train]?.images == 1 {
            notes.append(
                "one image alone in the split `\(train)`: it can be trained on, and a search needs two at least")
        }
    }
}

extension DatasetReport.Suggestion {
    /// Bytes that a training step takes for each pixel of its crops, at F = 20: measured 2,800 (docs/PERFORMANCE.md).
    private static let trainBytesPerPixel = 4_000.0
    /// The same for the paper's supernet: measured 17,000, and besides for its weights, their gradients and momenta.
    private static let searchBytesPerPixel = 20_000.0
    private static let searchBytes = 1e9

    /// Adds what follows from the sizes of the images and from the memory in bytes.
    mutating func complete(for report: DatasetReport, memory: Int) {
        let medians = report.order.compactMap { report.splits[$0]?.median }.filter { !$0.isEmpty }
        guard let shorter = medians.first?.min() else { return }
        let side = min(max(1, Int(clamping: (Double(shorter - 1) / 32).rounded())), 16) * 32 + 1
        crop = [side, side]
        // A part of the memory is for data, weights and others' programs.
        let (usable, pixels) = (0.7 * Double(memory), Double(side * side))
        trainBatch = min(16, max(1, Int(clamping: usable / pixels / Self.trainBytesPerPixel)))
        searchBatch = min(16, Int(clamping: max(0, usable - Self.searchBytes) / pixels / Self.searchBytesPerPixel))
    }
}
