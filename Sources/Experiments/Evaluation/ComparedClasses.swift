import Datasets
import Runs

/// Compares the classes that a data set names with those that a model has learnt, since labels are compared by number.
///
/// - Parameters:
///   - dataset: The data set.
///   - names: The model's classes.
///   - reporter: Who warns where the names are others.
/// - Throws: `RunError` where there are more or fewer classes, or the same ones in another order.
func compareClasses(of dataset: Dataset, with names: [String], reporter: any ProgressReporter) throws(RunError) {
    let own = dataset.classes.names
    guard own.count == names.count else {
        throw RunError(.damaged, path: dataset.root, "\(own.count) classes, where the model has \(names.count)")
    }
    let (here, there) = (own.map { $0.lowercased() }, names.map { $0.lowercased() })
    guard dataset.namesClasses, here != there else { return }
    let different = own.indices.filter { here[$0] != there[$0] }
    let pairs = different.prefix(3).map { "\($0) is \(own[$0]) here and \(names[$0]) there" }.joined(separator: ", ")
    let more = different.count > 3 ? ", and \(different.count - 3) more" : ""
    guard here.sorted() != there.sorted() else {
        throw RunError(
            .damaged, path: dataset.root,
            "has the model's classes in another order (\(pairs)\(more)): name them in the order of the model"
                + " (data.classes.names), and map the labels of masks with indices (data.labels.map)")
    }
    reporter.report(
        .warning("\(dataset.root): other classes than the model's, compared by number: \(pairs)\(more)"))
}
