import Foundation
import Segmentation

/// Refuses to write an evaluation where it would destroy what is read, or what no evaluation wrote.
///
/// - Parameters:
///   - folder: The folder for the results, which may be missing.
///   - model: The model's run folder or file.
///   - configuration: The data that are measured on.
///   - split: The split's name; nil takes the configuration's `data.splits.val`.
///   - config: A configuration file that is read.
/// - Throws: ``RunError`` that names what would be lost; an error about data that cannot be used.
public func refuseEvaluation(
    in folder: String, of model: String, _ configuration: Configuration, split: String?, config: String?
) throws {
    guard FileManager.default.fileExists(atPath: folder) else { return }
    let paths = RunPaths(folder: folder)
    let targets = [paths.evaluation, paths.confusionTable, paths.confusionPicture]
    if FileIdentity(folder) == FileIdentity(model) {
        // The run's own folder, which holds what is read and earlier evaluations.
        return try InputFiles([paths.model, paths.configuration, paths.genotype] + [config].compactMap { $0 })
            .refuse(targets)
    }
    var inputs = InputFiles(run: model)
    if let config { inputs.add(config) }
    var data = InputFiles([configuration.data.root])
    let dataset = try configuration.data.dataset()
    for sample in try dataset.samples(Split(rawValue: split ?? configuration.data.splits.val)) {
        data.add(sample.image)
        if let mask = sample.mask { data.add(mask) }
    }
    try data.refuse(folder: folder)
    try data.refuse(folder: paths.worst)
    try (inputs + data).refuse(targets)
    if FileManager.default.fileExists(atPath: paths.configuration) || isEvaluation(paths.evaluation) { return }
    for path in targets + [paths.worst] where FileManager.default.fileExists(atPath: path) {
        throw RunError(
            .overwrites, path: path,
            "is there already, and no evaluation wrote it: name another --output, or take it away")
    }
}

/// Whether a file holds what an evaluation measured.
private func isEvaluation(_ path: String) -> Bool {
    guard let bytes = try? boundedContents(of: path, limit: 1 << 26) else { return false }
    return bytes.range(of: Data("\"mIOU\"".utf8)) != nil
}
