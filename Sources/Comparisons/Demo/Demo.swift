import Configurations
import Datasets
import Deployment
import Experiments
import Foundation
import Images
import Inference
import Networks
import Reporting
import Runs
import SearchSpace
import Segmentation
import Torch

/// The whole road on generated scenes: search, decode, train, evaluate, predict, by the same calls that users make.
public struct Demo {
    /// Where everything lies.
    public let output: String
    /// How to search and train; the data set's folder is set by the demo.
    public var configuration: Configuration

    /// The setting that weighs the scenes' classes: sky, building, road, pavement, tree, car, pole.
    ///
    /// Few pixels are poles, and a thousand steps are few to find them.
    public static let classWeights = "train.classWeights=[1, 1, 1, 1.5, 1, 1.5, 4]"

    /// What came out.
    public struct Result {
        /// The network that was found.
        public var genotype: Genotype
        /// Measured on the test scenes.
        public var metrics: Metrics
        /// A sheet of scenes, truths and predictions.
        public var sheet: String
        /// The drawing of the network.
        public var drawing: String
        /// The folder of masks and overlays.
        public var predictions: String
        /// The trained model's run folder.
        public var run: String
    }

    /// A demo in a folder; one that was interrupted goes on where it was.
    public init(output: String, configuration: Configuration) {
        self.output = output
        self.configuration = configuration
    }

    /// Runs all five steps.
    ///
    /// - Parameters:
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks the demo to stop.
    /// - Returns: What came out.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; an error about a folder that cannot be used.
    public func run(reporter: any ProgressReporter, interruption: Interruption) throws -> Result {
        let data = output + "/data"
        var configuration = configuration
        configuration.data.root = data
        configuration.data.format = .folders
        try configuration.validate()
        _ = try configuration.device.device()
        let places = OutputPaths(in: output)
        try places.refuseLinks(at: [output + "/predictions", sheet, drawing])
        for run in ["search", "train"] { try places.refuseLinks(inRun: output + "/" + run) }
        try OutputPaths.refuseLinks(toOutput: output)
        try writeScenes(to: data, reporter: reporter)

        let search = try Search(
            configuration, folder: try folder("search"), reporter: reporter, interruption: interruption)
        let genotype = try search.run()
        let train = try folder("train")
        let training = try Training(
            genotype, configuration, folder: train, reporter: reporter, interruption: interruption)
        try training.run()

        func stopIfAsked() throws {
            guard let signal = interruption.signal else { return }
            throw Interrupted(signal: signal, demo: output)
        }
        try stopIfAsked()
        let model = try Model(at: train.path, device: try configuration.device.device())
        let evaluation = try evaluate(model, configuration, split: "test", reporter: reporter)
        try evaluation.write(to: train.path)
        try writeModelCard(ofRun: train.path)
        try stopIfAsked()
        let predictions = output + "/predictions"
        var options = PredictionOptions()
        options.overlay = true
        options.ownsFolder = true
        _ = try predict(
            model, inputs: [data + "/images/test"], output: predictions, options: options, reporter: reporter)
        try AtomicFile.write(
            Data(drawGenotype(genotype, title: "Found on the demo's scenes").utf8), to: drawing, below: output)
        return Result(
            genotype: genotype, metrics: evaluation.metrics, sheet: try writeSheet(predictions: predictions),
            drawing: drawing,
            predictions: predictions, run: train.path)
    }

    /// Writes the scenes where they are missing, all of them or none.
    ///
    /// - Throws: `RunError` where the folder holds something else than a demo.
    private func writeScenes(to data: String, reporter: any ProgressReporter) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        if !names.allSatisfy({ $0.hasPrefix(".") }) {
            let classes = try? ClassTable(classesFile: data + "/classes.txt")
            if classes?.names == DemoScenes.classes.names { return }
            throw RunError(.notEmpty, path: output, "is not empty and holds no demo: name another folder")
        }
        reporter.report(.note("writing generated scenes to \(data)"))
        let made = try RunFolder.makeFolder(output)
        // A demo that was killed may have left some of them.
        let partial = output + "/.autodeeplab-scenes"
        do {
            try? FileManager.default.removeItem(atPath: partial)
            try DemoScenes(seed: 1).write(to: partial)
            guard rename(partial, data) == 0 else { throw RunError.cannotWrite(data) }
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            for folder in made.reversed() { rmdir(folder) }
            throw error
        }
    }

    private var drawing: String { output + "/network.svg" }
    private var sheet: String { output + "/predictions.png" }

    private func folder(_ name: String) throws -> RunFolder {
        let path = output + "/" + name
        return try RunFolder(at: path, resume: FileManager.default.fileExists(atPath: path))
    }

    /// Test scenes in rows: image, truth, prediction.
    private func writeSheet(predictions: String) throws -> String {
        let dataset = try Dataset(root: output + "/data")
        let rows = try dataset.samples("test").prefix(5).map { sample in
            let image = try readImage(path: sample.image)
            let stem = URL(fileURLWithPath: sample.image).deletingPathExtension().lastPathComponent
            let masks = try [sample.mask, "\(predictions)/\(stem).png"].compactMap { $0 }.map { try readMask(path: $0) }
            return [image] + masks.map { $0.colored(palette: dataset.classes.palette) }
        }
        try AtomicFile.write(
            try pngData(Image.grid(Array(rows)), file: sheet), to: sheet, below: output, waitsForDisk: false)
        return sheet
    }
}
