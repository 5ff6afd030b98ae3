import Foundation

/// The names of a run folder's files; nothing is opened or made.
public struct RunPaths: Equatable, Sendable {
    /// The folder.
    public let folder: String
    /// Its absolute path, to which names are joined.
    private let absolute: String

    /// The files of a folder.
    public init(folder: String) {
        self.folder = folder
        // Without a hint each of a run's paths would ask the file system whether it is a folder.
        let path = URL(filePath: folder, directoryHint: .notDirectory).path
        absolute = path.hasSuffix("/") ? path : path + "/"
    }

    /// The resolved configuration.
    public var configuration: String { file("config.yaml") }
    /// Versions, processor, threads, date and arguments.
    public var environment: String { file("environment.json") }
    /// What was measured, one JSON object a line.
    public var log: String { file("log.jsonl") }
    /// What was measured at the end of each epoch.
    public var metrics: String { file("metrics.csv") }
    /// The report for people.
    public var report: String { file("report.html") }
    /// Validation images, truths and predictions in rows.
    public var samples: String { file("samples.png") }
    /// How far the run is, brought up to date every second.
    public var status: String { file("status.json") }
    /// Times of operations, where a search goes by milliseconds.
    public var latency: String { file("latency.json") }
    /// What keeps other processes out.
    var lock: String { file(".lock") }
    /// The folder of the checkpoints.
    public var checkpoints: String { file("checkpoints") }
    /// The newest checkpoint.
    public var lastCheckpoint: String { checkpoint(age: 0) }
    /// The checkpoint that is being written, before it becomes the newest.
    var nextCheckpoint: String { file("checkpoints/" + RunPaths.nextCheckpointName) }
    /// Its name in the folder of checkpoints.
    static let nextCheckpointName = "next.safetensors"
    /// The checkpoint with the best validation.
    public var bestCheckpoint: String { file("checkpoints/best.safetensors") }
    /// The architecture that the search ended with, or that the training trains.
    public var genotype: String { file("genotype.json") }
    /// The folder of the architectures that the search passed through.
    public var genotypes: String { file("genotypes") }
    /// The trained network, complete in itself.
    public var model: String { file("model.safetensors") }
    /// What the network's teacher was, and how long both take; of a training that had one.
    public var teacher: String { file("teacher.json") }
    /// The table of a search's trials.
    public var trials: String { file("trials.json") }
    /// The last evaluation.
    public var evaluation: String { file("metrics.json") }
    /// Pixels by label and prediction in the last evaluation.
    public var confusionTable: String { file("confusion.csv") }
    /// The same as a picture.
    public var confusionPicture: String { file("confusion.svg") }
    /// The folder of the images that went worst in the last evaluation.
    public var worst: String { file("worst") }

    /// The folder of the validation that the model file had: the same files as of an evaluation.
    public var validation: String { file("validation") }
    /// The folder of the evaluations of all splits, the last one of each.
    public var splits: String { file("splits") }
    /// The files of the last evaluation of a split, which have the names of those of the last evaluation of all.
    public func split(_ name: String) -> RunPaths {
        // Splits may be joined by +, or be named by a path.
        let plain = name.map { $0.isLetter || $0.isNumber || "+_-.".contains($0) ? $0 : "-" }
        return RunPaths(folder: file("splits/" + (name.hasPrefix(".") ? "_" : "") + String(plain)))
    }

    /// The model card.
    public var card: String { file("README.md") }
    /// What networks came to under one budget, where the folder is a comparison's or a run was named to it.
    public var comparison: String { file("compare.json") }
    /// What a run of a comparison came to.
    package var comparedRun: String { file("result.json") }
    /// The files of a run that a command may read, besides what lies in its folders.
    var known: [String] {
        [
            configuration, environment, log, metrics, samples, status, latency, genotype, model, teacher, trials,
            evaluation, confusionTable, confusionPicture, comparison, comparedRun, bestCheckpoint,
        ] + storedCheckpoints
    }
    /// Where an evaluation writes, besides the report and the card.
    public var evaluationPlaces: [String] { [evaluation, confusionTable, confusionPicture, worst, splits] }

    /// Whether a name in a run's folder is that of something that a run writes.
    static func isOwn(_ name: String) -> Bool {
        grows(name) || name.hasPrefix(trialPrefix) || ownNames.contains(name)
    }

    private static let ownNames: Set<String> = {
        let run = RunPaths(folder: "/nonexistent")
        let paths = [run.report, run.card] + run.known + run.evaluationPlaces
        return ownFolderNames.union(paths.map { URL(fileURLWithPath: $0).lastPathComponent })
    }()

    /// Whether a name in a run's folder is that of a folder that a run makes.
    static func isOwnFolder(_ name: String) -> Bool { name.hasPrefix(trialPrefix) || ownFolderNames.contains(name) }

    private static let ownFolderNames: Set<String> = {
        let run = RunPaths(folder: "/nonexistent")
        let paths = [run.checkpoints, run.genotypes, run.validation, run.worst, run.splits]
        return Set(paths.map { URL(fileURLWithPath: $0).lastPathComponent })
    }()

    /// Whether a name in a run's folder is that of a file that is changed in place.
    static func grows(_ name: String) -> Bool {
        [".lock", "log.jsonl", "metrics.csv"].contains(name) || name.hasPrefix("events.out.tfevents.")
    }

    /// Whether the folder is one that a run was begun in.
    var isRun: Bool {
        let files = FileManager.default
        return files.fileExists(atPath: configuration)
            && [log, model, checkpoints].contains { files.fileExists(atPath: $0) }
    }

    /// The folders in which a run writes files.
    var folders: [String] {
        let places = [self, RunPaths(folder: validation)]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: splits)) ?? []
        let all = places + names.map { RunPaths(folder: splits + "/" + $0) }
        return [checkpoints, genotypes, splits] + all.flatMap { [$0.folder, $0.worst] }
    }

    /// The run of a search's trial.
    public func trial(seed: Int) -> RunPaths { RunPaths(folder: file(RunPaths.trialPrefix + "\(seed)")) }

    /// What the names of trials begin with.
    static let trialPrefix = "seed-"

    /// The short training of a trial.
    public var trialTraining: String { file("train") }

    /// The architecture after so many epochs.
    public func genotype(epoch: Int) -> String {
        file("genotypes/epoch-" + RunPaths.numeral(epoch, digits: 3) + ".json")
    }

    /// A number with zeros in front, so that files' names are in its order.
    package static func numeral(_ number: Int, digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The newest checkpoint (age 0), the one before it (1), and so on.
    func checkpoint(age: Int) -> String { file("checkpoints/" + RunPaths.checkpointName(age: age)) }

    /// A checkpoint's name in the folder of checkpoints.
    static func checkpointName(age: Int) -> String { "last" + (age == 0 ? "" : "-\(age)") + ".safetensors" }

    /// The checkpoints that are there, the newest first.
    var storedCheckpoints: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
        let ages = names.compactMap { name -> Int? in
            guard name.hasPrefix("last"), name.hasSuffix(".safetensors") else { return nil }
            let middle = name.dropFirst("last".count).dropLast(".safetensors".count)
            return middle.isEmpty ? 0 : middle.first == "-" ? Int(middle.dropFirst()) : nil
        }
        return ages.filter { $0 >= 0 }.sorted().map { checkpoint(age: $0) }
    }

    private func file(_ name: String) -> String { absolute + name }
}
