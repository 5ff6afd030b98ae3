import Comparisons
import Configurations
import Datasets
import Foundation
import Runs
import Segmentation

/// The whole road on generated street scenes, as ``AutomaticRun`` goes it on a user's own images.
public struct Demo {
    /// The folder of scenes and run.
    public let output: String
    /// The scenes.
    public var scenes: String { output + "/scenes" }
    /// The run's folder.
    public var run: String { output + "/run" }

    /// A demo in a folder.
    public init(output: String) { self.output = output }

    /// Writes the scenes where they are missing, then goes from them to a network; one that was interrupted goes on.
    ///
    /// - Parameters:
    ///   - budget: How long the run may take.
    ///   - base: Seed, device and threads.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks the demo to stop.
    /// - Returns: What came out.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; an error about a folder that cannot be used.
    public func complete(
        budget: Budget, _ base: Configuration, reporter: any ProgressReporter, interruption: Interruption
    ) throws -> AutomaticRun.Outcome {
        _ = try base.device.device()
        try OutputPaths(in: output).refuseLinks(at: [scenes, run])
        try OutputPaths.refuseLinks(toOutput: output)
        try writeScenes(reporter: reporter)
        var base = base
        base.data.root = scenes
        base.data.format = .folders
        do {
            let begun = FileManager.default.fileExists(atPath: run)
            return try AutomaticRun(budget: budget, output: run, base, resume: begun, reporter: reporter)
                .complete(reporter: reporter, interruption: interruption)
        } catch let error as Interrupted {
            throw Interrupted(signal: error.signal, demo: output)
        }
    }

    /// Writes the scenes where they are missing, all of them or none.
    private func writeScenes(reporter: any ProgressReporter) throws {
        let classes = try? ClassTable(classesFile: scenes + "/classes.txt")
        if classes?.names == DemoScenes.classes.names, FileManager.default.fileExists(atPath: scenes + "/images") {
            return
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
        guard names.allSatisfy({ $0.hasPrefix(".") || $0 == "scenes" }) else {
            throw RunError(.notEmpty, path: output, "is not empty and holds no demo: name another folder")
        }
        reporter.report(.note("writing generated scenes to \(scenes)"))
        try DemoScenes(seed: 1).write(toEmpty: scenes)
    }
}
