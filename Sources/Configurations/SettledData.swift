import Datasets
import Foundation

extension DataConfiguration {
    /// What the masks' values are set to mean.
    package var meaning: MaskMeaning { MaskMeaning(form: masks, ignore: labels.ignore, map: labels.map) }

    /// Takes a meaning that was settled before, where nothing else is set here.
    ///
    /// - Parameter settled: What a run or a model remembers; nil, or a form that the layout decides, changes nothing.
    package mutating func adopt(_ settled: MaskMeaning?) {
        guard let settled, settled.form != .auto, masks == .auto, labels.map.isEmpty,
            labels.ignore.isEmpty || labels.ignore == settled.ignore
        else { return }
        masks = settled.form
        labels.ignore = settled.ignore
        labels.map = settled.map
    }

    /// Measures search and training on the training images where the data set has no validation split.
    ///
    /// - Returns: What its user should know; nil where there is such a split, or another is named.
    package mutating func settleValidation(in dataset: Dataset) -> String? {
        let usual = SplitConfiguration().val
        guard splits.val == usual, !dataset.splits.contains(Split(rawValue: usual)),
            (try? dataset.samples(Split(rawValue: usual))) == nil
        else { return nil }
        splits.val = splits.train
        return "\(root): has no split `\(usual)`: search and training are measured on the training images, which"
            + " flatters them (data.splits.val names another)"
    }

    /// This description with absolute paths, so that it means the same in any folder.
    ///
    /// The class file's path stays relative to the data set's folder.
    package func withAbsolutePaths() -> DataConfiguration {
        func absolute(_ path: String) -> String {
            guard !path.isEmpty, !path.hasPrefix("/") else { return path }
            let parts = path.split(separator: "/").drop { $0 == "." }
            return ([FileManager.default.currentDirectoryPath] + parts.map(String.init)).joined(separator: "/")
        }
        var result = self
        result.root = absolute(root)
        result.tiles.cache = absolute(tiles.cache)
        result.splits.file = absolute(splits.file)
        return result
    }
}
