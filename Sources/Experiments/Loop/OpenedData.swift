import Configurations
import Datasets
import Foundation
import Images
import Runs
import Torch

extension Configuration {
    /// Opens the data set of a run and settles here what its masks mean, where it lies and what it is measured on.
    ///
    /// What a checkpoint says goes before what the masks look like. In a group of processes rank 0 looks at them.
    ///
    /// - Parameters:
    ///   - checkpoint: The checkpoint from which the run goes on; nil for a new one.
    ///   - reporter: Who shows the progress.
    /// - Returns: The data set.
    /// - Throws: An error about data that cannot be used.
    mutating func settleData(from checkpoint: Checkpoint?, reporter: any ProgressReporter) throws -> Dataset {
        data = data.withAbsolutePaths()
        if let text = checkpoint?.metadata["configuration"],
            let saved = try? Configuration.parse(yaml: text, source: "checkpoint")
        {
            data.adopt(saved.data.meaning)
        }
        if let group = ProcessGroup.current, !ProcessGroup.isLeader {
            let meaning = try JSONDecoder().decode(MaskMeaning.self, from: group.broadcast(Data()))
            (data.masks, data.labels.ignore, data.labels.map) = (meaning.form, meaning.ignore, meaning.map)
            let dataset = try data.dataset(acceptingUnnamedClasses: false, reporter: reporter)
            _ = data.settleValidation(in: dataset)
            return dataset
        }
        let dataset = try data.dataset(acceptingUnnamedClasses: false, reporter: reporter)
        let meaning = dataset.meaning
        (data.masks, data.labels.ignore, data.labels.map) = (meaning.form, meaning.ignore, meaning.map)
        if let group = ProcessGroup.current { _ = group.broadcast(try JSONEncoder().encode(meaning)) }
        if let fault = data.settleValidation(in: dataset) { reporter.report(.warning(fault)) }
        return dataset
    }

    /// Warns of masks from which little can be learnt, before hours are spent on it; in a group rank 0 does.
    ///
    /// - Parameters:
    ///   - samples: The training images.
    ///   - dataset: Their data set.
    ///   - reporter: Who takes warnings and progress.
    /// - Throws: `DataError` where no pixel is labelled, or a mask cannot be read.
    func warnOfLabels(_ samples: [Sample], _ dataset: Dataset, reporter: any ProgressReporter) throws {
        guard ProcessGroup.isLeader else { return }
        let isLong = samples.count > 500
        if isLong { reporter.report(.began(stage: "counting labels", unit: "mask", total: samples.count)) }
        let counts = try LabelCounts(of: samples, in: dataset, threads: workerThreads) { done in
            if isLong { reporter.report(.advanced(Advance(completed: done))) }
        }
        if isLong { reporter.report(.ended(stage: "counting labels")) }
        for fault in counts.faults(Split(rawValue: data.splits.train), of: dataset) {
            switch fault.kind {
            case .nothingLabelled: throw DataError(file: data.root, problem: fault.text)
            case .mistake: reporter.report(.warning("\(data.root): \(fault.text)"))
            case .remark: reporter.report(.note("\(data.root): \(fault.text)"))
            }
        }
    }
}
