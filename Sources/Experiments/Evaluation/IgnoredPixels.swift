import Images
import Runs
import Segmentation

/// Says where a measurement is likely to have left out what it was made for.
///
/// - Parameters:
///   - ignored: Ignored pixels.
///   - matrix: The others.
///   - names: The classes.
///   - split: The split's name.
///   - root: The data set's folder.
///   - reporter: Who takes the warning.
/// - Throws: `DataError` where no pixel is labelled.
func warnOfIgnored(
    _ ignored: Int, in matrix: ConfusionMatrix, names: [String], split: String, root: String,
    _ reporter: any ProgressReporter
) throws {
    let total = matrix.total
    guard total > 0 else {
        throw DataError(
            file: root,
            problem: "no pixel of the split `\(split)` is labelled, all are ignored: see what the values in the masks"
                + " mean (data.masks, data.labels)")
    }
    let absent = names.indices.filter { matrix.labelled($0) == 0 }
    guard ignored > total || names.count == 2 && ignored > 0 && !absent.isEmpty else { return }
    let percent = Int(clamping: (100 * Double(ignored) / Double(ignored + total)).rounded())
    let classes = absent.isEmpty ? "" : " and none is labelled \(absent.map { names[$0] }.joined(separator: ", "))"
    reporter.report(
        .warning(
            "\(root): \(percent) % of the pixels of the split `\(split)` are ignored\(classes): if they are of a class"
                + " here, set data.masks or data.labels for this evaluation"))
}
