import Configurations
import Datasets
import Foundation
import Inference
import Runs
import Torch

/// Refuses to write an evaluation where it would destroy what is read, or what no evaluation wrote.
///
/// - Parameters:
///   - folder: The folder for the results, which may be missing.
///   - model: The model's run folder or file.
///   - configuration: The data that are measured on.
///   - split: The split's name; nil takes the configuration's `data.splits.val`.
///   - config: A configuration file that is read.
/// - Throws: `RunError` that names what would be lost; an error about data that cannot be used.
package func refuseEvaluation(
    in folder: String, of model: String, _ configuration: Configuration, split: String?, config: String?
) throws {
    let paths = RunPaths(folder: folder)
    let name = split ?? configuration.data.splits.val
    let targets = [paths.evaluation, paths.confusionTable, paths.confusionPicture]
    try OutputPaths(in: folder).refuseLinks(at: paths.evaluationPlaces + [paths.report, paths.card])
    try OutputPaths.refuseLinks(toOutput: folder)
    if FileIdentity(folder) == FileIdentity(model) {
        // The run's own folder, which holds what is read and earlier evaluations.
        try InputFiles([paths.model, paths.configuration, paths.genotype] + [config].compactMap { $0 })
            .refuse(targets)
    } else {
        var inputs = InputFiles(run: model)
        if let config { inputs.add(config) }
        var data = InputFiles([configuration.data.root])
        let samples = try configuration.data.dataset().samples(Split(rawValue: name))
        for sample in samples {
            for file in sample.imageFiles + sample.maskFiles { data.add(file) }
        }
        try data.refuse(folder: folder)
        try data.refuse(folder: paths.worst)
        try (inputs + data).refuse(targets)
        try refuseOutput(folder, amongPicturesOf: samples, root: configuration.data.root)
    }
    let pictures = configuration.evaluate.worst
    try paths.refuseOthersResults(isRun: isRunFolder(paths), pictures: pictures)
    try paths.split(name).refuseOthersResults(isRun: false, pictures: pictures)
}

/// Refuses an output folder among the pictures of a data set, where it would be taken for a part of it.
///
/// - Parameters:
///   - output: A folder that may be missing.
///   - samples: The pictures; the folders with them are meant, and those above up to the data set's root.
///   - root: The data set's root, in which an output may lie.
/// - Throws: `RunError` that names both folders.
package func refuseOutput(_ output: String, amongPicturesOf samples: [Sample], root: String) throws(RunError) {
    let root = resolvedPath(root)
    var folders: Set<String> = []
    for parent in Set(samples.flatMap { $0.imageFiles + $0.maskFiles }.map(folderOf)) {
        var folder = resolvedPath(parent)
        guard folder.hasPrefix(root + "/") else {
            if folder != root { folders.insert(folder) }
            continue
        }
        while folder != root, folders.insert(folder).inserted { folder = folderOf(folder) }
    }
    let path = resolvedPath(output)
    if let folder = folders.sorted().first(where: { path == $0 || path.hasPrefix($0 + "/") }) {
        throw RunError(
            .overwrites, path: output,
            "lies in \(folder), which holds pictures of the data set: name a folder outside of it")
    }
}

/// The folder of a path.
package func folderOf(_ path: String) -> String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

/// A path with its links followed as far as there are files, and the rest as it is.
package func resolvedPath(_ path: String) -> String {
    var url = URL(fileURLWithPath: path).standardizedFileURL
    var rest: [String] = []
    while true {
        if let real = realpath(url.path, nil) {
            defer { free(real) }
            return rest.reversed().reduce(String(cString: real)) { ($0 == "/" ? "" : $0) + "/" + $1 }
        }
        guard url.pathComponents.count > 1 else { return path }
        rest.append(url.lastPathComponent)
        url.deleteLastPathComponent()
    }
}

/// Whether a folder is that of a run of this program.
private func isRunFolder(_ paths: RunPaths) -> Bool {
    guard let text = try? boundedContents(of: paths.configuration, limit: 1 << 20),
        (try? Configuration.parse(yaml: String(decoding: text, as: UTF8.self), source: "run")) != nil
    else { return false }
    if (try? ModelDescription(at: paths.model)) != nil { return true }
    let environment = try? boundedContents(of: paths.environment, limit: 1 << 20)
    return environment.flatMap { try? JSONDecoder().decode(Environment.self, from: $0) } != nil
}

extension RunPaths {
    /// What an earlier evaluation measured; nil where the file is missing or no evaluation wrote it.
    var storedEvaluation: Metrics? {
        guard let bytes = try? boundedContents(of: evaluation, limit: 1 << 26) else { return nil }
        return try? JSONDecoder().decode(Metrics.self, from: bytes)
    }

    /// Refuses to write an evaluation over files that none wrote.
    ///
    /// - Parameters:
    ///   - isRun: Whether the folder is a run's, whose results may be of an earlier version.
    ///   - pictures: How many pictures are to be written at most.
    /// - Throws: `RunError` that names the file.
    fileprivate func refuseOthersResults(isRun: Bool, pictures: Int) throws(RunError) {
        var targets: [String] = []
        if let stored = storedEvaluation {
            let own = Set(stored.worst.map(\.picture))
            targets = (0..<pictures).map { "worst/\($0 + 1).png" }.filter { !own.contains($0) }.map {
                folder + "/" + $0
            }
        } else if !isRun {
            targets = [evaluation, confusionTable, confusionPicture, worst]
        }
        for path in targets where fileType(path) != nil {
            throw RunError(
                .overwrites, path: path,
                "is there already, and no evaluation wrote it", advice: .takeOtherOutputOrRemove)
        }
    }
}
