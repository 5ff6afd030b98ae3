import Configurations
import Datasets
import Experiments
import Foundation
import Runs
import Torch

/// A data set as people have it, made ready: classes are proposed and splits drawn where they are missing.
///
/// Nothing is written into the data's own folder. What was decided lies in the run's, to be looked at and changed:
/// `classes.txt`, and `splits.csv`.
struct PreparedData {
    /// The settings under which the data are read from now on.
    let data: DataConfiguration
    /// The data set.
    let dataset: Dataset
    /// What was decided, in words.
    let notes: [String]
    /// Files of splits for a cross-validation, where images are few.
    let folds: [String]

    /// Opens a data set and writes what is missing into the run's folder.
    ///
    /// - Parameters:
    ///   - data: Where the data are, and what is already known of them.
    ///   - output: The run's folder.
    ///   - seed: Decides which images go into which split.
    ///   - folds: How many parts few images are divided into.
    ///   - reporter: Who shows the progress.
    /// - Throws: `DataError` about data that cannot be used.
    init(_ data: DataConfiguration, output: String, seed: UInt64, folds: Int, reporter: any ProgressReporter) throws {
        var data = data.withAbsolutePaths()
        var notes: [String] = []
        let absolute = URL(fileURLWithPath: output).standardizedFileURL.path
        var dataset = try data.dataset(acceptingUnnamedClasses: true, reporter: reporter)
        if !dataset.namesClasses {
            let proposal = try ClassProposal(dataset)
            let path = absolute + "/classes.txt"
            try AtomicFile.write(Data(proposal.classFile.utf8), to: path, below: absolute)
            proposal.settle(&data, classFile: path)
            notes.append(proposal.note + " (\(output)/classes.txt; edit the names there)")
            dataset = try data.dataset(acceptingUnnamedClasses: false, reporter: reporter)
        }
        let usual = SplitConfiguration()
        var foldFiles: [String] = []
        if data.splits == usual, let proposal = try SplitProposal(dataset, seed: seed, folds: folds) {
            let path = absolute + "/splits.csv"
            try AtomicFile.write(Data(proposal.assignment.table.utf8), to: path, below: absolute)
            data.splits.file = path
            for (number, fold) in proposal.folds.enumerated() {
                try RunFolder.makeFolder(absolute + "/folds")
                foldFiles.append(absolute + "/folds/fold-\(number + 1).csv")
                try AtomicFile.write(Data(fold.table.utf8), to: foldFiles[number], below: absolute)
            }
            // There is nothing else to measure on while the last network is trained.
            if !foldFiles.isEmpty { data.splits.val = data.splits.train }
            let counts = ["train", "val", "test"].map { "\(proposal.counts[$0] ?? 0) \($0)" }.joined(separator: ", ")
            notes.append(proposal.note + ": \(counts) (\(output)/splits.csv)")
            dataset = try data.dataset(acceptingUnnamedClasses: false, reporter: reporter)
        }
        (data.masks, data.labels.ignore, data.labels.map) = (
            dataset.meaning.form, dataset.meaning.ignore, dataset.meaning.map
        )
        self.data = data
        self.dataset = dataset
        var seen: Set<String> = []
        let found = dataset.splits.flatMap { (try? dataset.pairing($0))?.notes ?? [] }
        self.notes = notes + dataset.notes + found.filter { seen.insert($0).inserted }
        self.folds = foldFiles
    }
}
