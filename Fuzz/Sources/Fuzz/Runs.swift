import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace
import Segmentation
import Torch

/// A run that is made once, whose checkpoint is then exchanged for what the fuzzer makes of it.
///
/// `@unchecked Sendable` since libFuzzer calls from one thread alone.
struct BaseRun: @unchecked Sendable {
    /// What is run.
    enum Stage: String { case search, training }

    let stage: Stage
    let folder: String
    private let configuration: Configuration
    private let tensors: [String: Tensor]
    private let metadata: [String: String]

    /// Runs two steps in a folder of its own and keeps the checkpoint.
    init(_ stage: Stage, in base: String) throws {
        self.stage = stage
        folder = base + "/" + stage.rawValue
        let data = base + "/scenes"
        if !FileManager.default.fileExists(atPath: data) {
            try DemoScenes(width: 48, height: 40, train: 4, val: 1, test: 0).write(to: data)
        }
        var configuration = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "search.layers=2", "search.blocks=1", "search.architectureFrom=0",
                "search.validationImages=1", "train.validationImages=1", "onNonFinite=skip",
            ])
        configuration.data.root = data
        self.configuration = configuration
        try? FileManager.default.removeItem(atPath: folder)
        try Self.run(stage, configuration, folder, resume: false)
        (tensors, metadata) = try loadTensors(RunPaths(folder: folder).lastCheckpoint, requiresDigest: true)
    }

    /// One step, after which the run is asked to stop.
    private static func run(_ stage: Stage, _ configuration: Configuration, _ folder: String, resume: Bool) throws {
        let interruption = Interruption()
        interruption.requestStop(signal: SIGTERM)
        let run = try RunFolder(at: folder, resume: resume)
        do {
            switch stage {
            case .search:
                _ = try Search(
                    configuration, folder: run, reporter: SilentReporter(), interruption: interruption
                ).run()
            case .training:
                let genotype = resume ? nil : try KnownDesign.deeplabv3.genotype(layers: 3)
                _ = try Training(
                    genotype, configuration, folder: run, reporter: SilentReporter(), interruption: interruption
                ).run()
            }
        } catch is Interrupted {}
    }

    /// The checkpoint's plain values, a line each, as ``resume(_:)`` takes them.
    var seed: Data {
        let lines = metadata.filter { $0.key != "xxh64" && !$0.value.contains("\n") }.map { "\($0.key) \($0.value)" }
        return Data(lines.sorted().joined(separator: "\n").utf8)
    }

    /// Goes on from the checkpoint with other values, under a digest that is right.
    ///
    /// A line is a key of the metadata with its value; `tensor NAME NUMBER` fills a tensor, and without a number leaves
    /// it out.
    func resume(_ text: String) throws {
        var (tensors, metadata) = (tensors, metadata)
        metadata["xxh64"] = nil
        for line in text.split(separator: "\n").prefix(40) {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            if words[0] == "tensor", words.count > 1 {
                let number = words.count > 2 ? Double(words[2]) : nil
                let filled = number.flatMap { number in tensors[words[1]].map { ($0.clone(), number) } }
                filled?.0.fill(filled?.1 ?? 0)
                tensors[words[1]] = filled?.0
            } else if words.count > 1 {
                metadata[words[0]] = words[1...].joined(separator: " ")
            } else {
                metadata[words[0]] = nil
            }
        }
        let paths = RunPaths(folder: folder)
        for file in [paths.log, paths.metrics] { try? FileManager.default.removeItem(atPath: file) }
        for file in try FileManager.default.contentsOfDirectory(atPath: paths.checkpoints) {
            try FileManager.default.removeItem(atPath: paths.checkpoints + "/" + file)
        }
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasPrefix("events.") {
            try FileManager.default.removeItem(atPath: folder + "/" + file)
        }
        try saveTensors(tensors, metadata: metadata, to: paths.lastCheckpoint, carriesDigest: true)
        try Self.run(stage, configuration, folder, resume: true)
    }
}

/// A folder that `report` and `watch` look into.
struct ShownRun {
    let folder: String

    init(in base: String) throws {
        folder = base + "/shown"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("train:\n  iterations: 1000000000\n".utf8).write(
            to: URL(fileURLWithPath: RunPaths(folder: folder).configuration))
        try Data("a,5,1\nb,0,7\n".utf8).write(to: URL(fileURLWithPath: RunPaths(folder: folder).confusionTable))
    }

    /// Shows the run with a file in it as those of `report`, `watch` and `draw` do that read such a file.
    func show(_ bytes: Data, as path: String) throws {
        try bytes.write(to: URL(fileURLWithPath: path))
        let paths = RunPaths(folder: folder)
        if [paths.log, paths.status].contains(path) {
            let run = try LiveRun(folder: folder)
            precondition(!run.lines.isEmpty)
        }
        guard path != paths.status else { return }
        if path == paths.log, let live = try? LiveArchitecture(of: folder) {
            precondition(!live.drawing(title: nil).isEmpty)
        }
        // Of what is no JSON the report is that of no file, each time.
        let parts = [bytes] + bytes.split(separator: UInt8(ascii: "\n"))
        guard parts.contains(where: { (try? JSONSerialization.jsonObject(with: $0)) != nil }) else { return }
        try writeReport(ofRun: folder)
    }

    static let logs = [
        """
        {"time": "t", "epoch": 0, "step": 7, "loss": 2.0, "mIOU": 0.25, "learningRate": 0.01, "classIOU": [0.5, null], \
        "alphaEntropy": 1.0, "path": [4.0, 8.0], "alpha": [\(numbers(16, 0.125))], "beta": [\(numbers(6, 0.5))]}
        {"time": "t", "epoch": 1, "step": 14, "loss": 1.5, "path": [4, 4], "alpha": [\(numbers(16, 0.2))], \
        "beta": [\(numbers(6, 0.3))]}

        """,
        "{\"epoch\": 0, \"step\": 7, \"loss\": null, \"skippedSteps\": 7}\n",
    ]

    static let status = """
        {"stage": "search", "unit": "step", "total": 100, "completed": 7, "position": "epoch 3/40", "rate": 1.5, \
        "values": [{"name": "loss", "value": 0.5}], "path": [4, 8, 16, 32], "memory": 5000, "secondsLeft": 100}
        """

    static let metrics = """
        {"split": "val", "scales": [1], "flip": true, "window": 0, "overlap": 0.5, "resize": 1, "mIOU": 0.5, \
        "frequencyWeightedIOU": 1, "pixelAccuracy": 1, "meanAccuracy": 1, "images": 3, "seconds": 2.5, \
        "worst": [{"name": "a", "image": "b", "mIOU": 0.1, "picture": "c"}], \
        "classes": [{"name": "a", "iou": 0.5, "pixels": 7}, {"name": "b", "accuracy": 1, "pixels": 0}]}
        """

    static let comparison = """
        {"split": "val", "size": [33, 65], "seeds": [1, 2], "evaluation": {"evaluate.flip": "true"}, "networks": \
        [{"name": "a", "genotype": "a", "filters": 4, "parameters": 900, "multiplyAdds": 70000, "spread": 0.1, \
        "relativeMultiplyAdds": 1.0, "mIOU": 0.5, "secondsPerImage": 0.1, "runs": \
        [{"seed": 1, "folder": "x", "mIOU": 0.5, "validationMIOU": 0.4, "threads": 2, "error": "none"}]}]}
        """

    private static func numbers(_ count: Int, _ value: Double) -> String {
        [String](repeating: "\(value)", count: count).joined(separator: ", ")
    }
}
