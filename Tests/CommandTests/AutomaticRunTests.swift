import Foundation
import Segmentation
import TestSupport
import Testing

/// `run`: from a folder and a time to a network.
@Suite("Automatic runs")
struct AutomaticRunTests {
    private let folder: TemporaryFolder

    /// Scenes in one folder of images and one of masks: no splits, no names of classes.
    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "24", "--output", folder.file("scenes"))
        try #require(made.status == 0, "\(made.errors)")
        for kind in ["images", "masks"] {
            let target = folder.file("plain/\(kind)")
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            for split in ["train", "val", "test"] {
                let source = folder.file("scenes/\(kind)/\(split)")
                for name in try FileManager.default.contentsOfDirectory(atPath: source) {
                    try FileManager.default.copyItem(
                        atPath: "\(source)/\(name)", toPath: "\(target)/\(split)-\(name)")
                }
            }
        }
        // A plan that is done in seconds.
        _ = try folder.write(
            """
            search: {method: race, candidates: 2, reduction: 2, layers: 4, blocks: 2}
            train: {filters: 2, stemChannels: [4, 4, 8], asppChannels: 8, decoderChannels: 8, lowLevelChannels: 4,
              head: separable, epochs: 4, stepsPerEpoch: 3, batch: 2, crop: [65, 65], learningRate: 0.01,
              optimizer: adamw, schedule: cosine, emaDecay: 0.9, batchNormDecay: 0.9, validateEvery: 4}
            """, to: "plan.yaml")
    }

    private func run(_ output: String) -> [String] {
        [
            "run", folder.file("plain"), "--config", folder.file("plan.yaml"), "--budget", "1min", "--output",
            folder.file(output), "-q", "--threads", "1",
        ]
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(path))) }

    @Test("All of it: classes and splits are made up, and everything that was promised is there")
    func whole() throws {
        let result = try Command.run(run("out"))
        try #require(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("test mIOU ") && result.output.contains("95%"), "\(result.output)")
        for name in [
            "plan.yaml", "plan.json", "classes.txt", "splits.csv", "config.yaml", "genotype.json", "model.safetensors",
            "model.onnx", "report.html", "README.md", "metrics.json", "candidates/candidates.csv",
        ] {
            #expect(FileManager.default.fileExists(atPath: folder.file("out/\(name)")), "\(name)")
        }
        let page = String(decoding: try bytes("out/report.html"), as: UTF8.self)
        for words in ["95% interval", "worst: ", "best: ", "(winner)", "autodeeplab predict", "names no classes"] {
            #expect(page.contains(words), "\(words)")
        }
        let card = String(decoding: try bytes("out/README.md"), as: UTF8.self)
        #expect(card.contains(" epochs; seed ") && card.contains("Validation: mIOU "), "\(card)")
        let again = try Command.run(run("out"))
        #expect(again.status == 64 && again.errors.contains("by --resume"), "\(again.errors)")
        let image = folder.file("plain/images/test-0000.png")
        let predicted = try Command.run("predict", folder.file("out"), image, "--output", folder.file("masks"))
        #expect(predicted.status == 0, "\(predicted.errors)")
        let measured = try Command.run("evaluate", folder.file("out"), "--split", "val")
        #expect(measured.status == 0, "\(measured.errors)")
    }

    @Test("What a run began with holds when it goes on, and its page is not written by others")
    func goingOn() throws {
        let result = try Command.run(run("out"))
        try #require(result.status == 0, "\(result.errors)")
        let output = ["--output", folder.file("out"), "--resume", "-q", "--threads", "1"]
        for (arguments, words) in [
            ([folder.file("scenes")], "data.root"), (["--budget", "5min"], "budget 60 s, not 5 min"),
            (["--seed", "5"], "seed 0, not 5"), (["--max-latency", "1ms"], "maxLatency none, not 1.0 ms"),
            (["--set", "data.labels.ignore=[2]"], "data.labels.ignore [], not [2]"),
        ] {
            let refused = try Command.run(["run"] + arguments + output)
            #expect(refused.status != 0 && refused.errors.contains(words), "\(refused.errors)")
        }
        for arguments in [[], ["--budget", "1min"], [folder.file("plain"), "--set", "data.labels.ignore=[]"]] {
            let same = try Command.run(["run"] + arguments + output)
            #expect(same.status == 0, "\(same.errors)")
        }
        let page = try bytes("out/report.html")
        let report = try Command.run("report", folder.file("out"))
        #expect(report.status != 0 && report.errors.contains("is the page of several trainings"))
        #expect(try bytes("out/report.html") == page)
        let watched = try Command.run("watch", folder.file("out"), "--once")
        #expect(watched.status == 0 && watched.output.contains("candidates/"), "\(watched.output)\(watched.errors)")
        for arguments in [
            ["run", folder.file("plain")], ["predict", folder.file("out"), folder.file("plain/images")],
        ] {
            let empty = try Command.run(arguments + ["--output", "", "-q"])
            #expect(empty.status == 64 && empty.errors.contains("give a name that is not empty"), "\(empty.errors)")
        }
    }

    @Test("Killed in each of its stages it ends with the same network")
    func killed() throws {
        let whole = try Command.run(run("whole"))
        try #require(whole.status == 0, "\(whole.errors)")
        for (number, file) in [
            "plan.json", "candidates/1-deeplabv3/checkpoints/last.safetensors", "candidates/candidates.json",
            "metrics.json",
        ].enumerated() {
            let output = "killed-\(number)"
            let started = try StartedCommand(run(output), errorFile: folder.file("\(output).err"))
            started.waitForFile(folder.file("\(output)/\(file)"))
            _ = try started.end(by: SIGKILL)
            let resumed = try Command.run(run(output) + ["--resume"])
            #expect(resumed.status == 0, "\(file): \(resumed.errors)")
            #expect(try bytes("\(output)/model.safetensors") == bytes("whole/model.safetensors"), "\(file)")
        }
    }

    @Test("Killed anywhere, more than once, it ends with the same network")
    func killedAnywhere() throws {
        let begin = Date()
        let whole = try Command.run(run("whole"))
        try #require(whole.status == 0, "\(whole.errors)")
        let duration = Date().timeIntervalSince(begin)
        func goingOn(_ number: Int) -> [String] {
            let exists = FileManager.default.fileExists(atPath: folder.file("broken-\(number)"))
            return run("broken-\(number)") + (exists ? ["--resume"] : [])
        }
        let (kills, _) = try RandomKills(count: FaultTests.count, duration: duration, seed: 74).run { number in
            try StartedCommand(goingOn(number), errorFile: folder.file("errors"))
        } finish: { number, kills in
            let output = "broken-\(number)"
            let end = try Command.run(goingOn(number))
            #expect(end.status == 0, "\(end.errors)")
            for file in [
                "model.safetensors", "genotype.json", "model.onnx", "confusion.csv",
            ] {
                #expect(try bytes("\(output)/\(file)") == bytes("whole/\(file)"), "\(file) after \(kills) kills")
            }
            let table = String(decoding: try bytes("\(output)/candidates/candidates.csv"), as: UTF8.self)
            let wanted = String(decoding: try bytes("whole/candidates/candidates.csv"), as: UTF8.self)
            #expect(table == wanted, "after \(kills) kills")
        }
        print("faults: run: \(kills) kills")
    }

    @Test("A few images are each measured by a network that has not seen them, and all of them train the last one")
    func fewImages() throws {
        let all = try FileManager.default.contentsOfDirectory(atPath: folder.file("plain/images")).sorted()
        for name in all.dropFirst(6) {
            for kind in ["images", "masks"] {
                try FileManager.default.removeItem(atPath: folder.file("plain/\(kind)/\(name)"))
            }
        }
        let arguments = ["run", folder.file("plain"), "--budget", "1min", "--output", folder.file("few"), "-q"]
        let planned = try Command.run(arguments + ["--plan-only", "--threads", "1"])
        try #require(planned.status == 0, "\(planned.errors)")
        #expect(planned.output.contains("2-fold cross-validation"), "\(planned.output)")
        // As a user edits a plan: a few steps of each training.
        let text = String(decoding: try bytes("few/plan.yaml"), as: UTF8.self)
            .replacing(/epochs: 12\b/, with: "epochs: 4").replacing(/stepsPerEpoch: \d+/, with: "stepsPerEpoch: 2")
            .replacing(/poolSteps: \[[\d, ]+\]/, with: "poolSteps: [2]")
        _ = try folder.write(text, to: "few/plan.yaml")
        let result = try Command.run(arguments + ["--resume"])
        try #require(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("cross-validation mIOU ") && result.output.contains(" on 6 images"))
        let page = String(decoding: try bytes("few/report.html"), as: UTF8.self)
        for words in ["in cross-validation over 6 images", "fold 2", "trained without it"] {
            #expect(page.contains(words), "\(words)")
        }
        let again = try Command.run(arguments + ["--resume"])
        #expect(again.status == 0 && again.output == result.output, "\(again.errors)")
    }

    @Test("A plan is made and shown, and what it decides is not for --set to say")
    func plans() throws {
        let result = try Command.run(
            "run", folder.file("plain"), "--budget", "2min", "--output", folder.file("planned"), "--plan-only", "-q",
            "--threads", "1")
        try #require(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("train.crop: ") && result.output.contains("training: "))
        let refused = try Command.run("run", folder.file("plain"), "--set", "train.batch=3")
        #expect(refused.status == 64 && refused.errors.contains("a plan decides this"), "\(refused.errors)")
        let other = try Command.run("run", folder.file("plain"), "--output", folder.file("scenes"))
        #expect(other.status == 64 && other.errors.contains("holds no such run"), "\(other.errors)")
        let absent = try Command.run("run", folder.file("absent"), "--output", folder.file("none/x"))
        #expect(absent.status == 66 && !absent.errors.isEmpty, "\(absent.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("none")))
        let budget = try Command.run("run", folder.file("plain"), "--budget", "soon", "--output", folder.file("x"))
        #expect(budget.status == 64 && budget.errors.contains("30min, 2h or overnight"), "\(budget.errors)")
    }
}
