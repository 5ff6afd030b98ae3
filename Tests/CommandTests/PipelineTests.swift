import Foundation
import TestSupport
import Testing

/// The road from images to masks through the built program, with the preset that takes seconds.
@Suite(.serialized)
struct PipelineTests {
    @Test("search, decode, train, evaluate and predict follow each other")
    func road() throws {
        let folder = try TemporaryFolder()
        let scenes = folder.path + "/scenes"
        let search = folder.path + "/search"
        let train = folder.path + "/train"
        try expectDone("data", "demo", "--count", "20", "--output", scenes)
        try expectDone("search", "--preset", "instant", "--data", scenes, "--output", search, "-q", "--threads", "1")
        let decoded = try expectDone("decode", search)
        #expect(decoded.output == (try String(contentsOfFile: search + "/genotype.json", encoding: .utf8)))
        let log = try String(contentsOfFile: search + "/log.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(log.count == 2)
        #expect(FileManager.default.fileExists(atPath: search + "/genotypes/epoch-002.json"))

        try expectDone(
            "train", "--preset", "instant", "--genotype", search, "--data", scenes, "--output", train, "-q",
            "--threads", "1")
        let evaluated = try expectDone("evaluate", train, "--split", "test", "--json", "-q")
        let metrics = try #require(
            try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
        #expect(
            Set(metrics.keys) == [
                "mIOU", "frequencyWeightedIOU", "pixelAccuracy", "meanAccuracy", "boundaryF", "classes", "worst",
                "images", "seconds", "split", "scales", "flip", "window", "overlap", "resize",
            ])
        #expect(metrics["split"] as? String == "test" && metrics["scales"] as? [Double] == [1])
        #expect(metrics["images"] as? Int == 4)
        let file = try Data(contentsOf: URL(fileURLWithPath: train + "/metrics.json"))
        let written = try #require(try JSONSerialization.jsonObject(with: file) as? [String: Any])
        #expect(written["mIOU"] as? Double == metrics["mIOU"] as? Double)
        // A network of seconds need not be good, but its figures must agree.
        let classes = try #require(metrics["classes"] as? [[String: Any]])
        let present = classes.compactMap { $0["iou"] as? Double }
        let mIOU = try #require(metrics["mIOU"] as? Double)
        #expect(classes.count == 7 && !present.isEmpty)
        #expect(abs(mIOU - present.reduce(0, +) / Double(present.count)) < 1e-9)

        try judged(train, classes: 7)

        let masks = folder.path + "/masks"
        // The model file alone will do.
        try expectDone(
            "predict", train + "/model.safetensors", scenes + "/images/test/0000.png", "--output", masks, "--overlay",
            "-q")
        let pictures = try FileManager.default.contentsOfDirectory(atPath: masks).sorted()
        #expect(pictures == ["0000-overlay.png", "0000.png"])
        try keepingThreads(train: train, scenes: scenes, folder: folder)
        try seeing(search: search, train: train)
        try leaving(train: train, folder: folder)
    }

    /// One thread is one from the beginning: a second one would wait for work in a loop, on a processor that may have other work.
    private func keepingThreads(train: String, scenes: String, folder: TemporaryFolder) throws {
        #if os(Linux)
            // OpenMP tells of each thread that takes part in something.
            let told = ["OMP_DISPLAY_AFFINITY=TRUE", "OMP_AFFINITY_FORMAT=thread %n of %N"]
            let image = scenes + "/images/test/0000.png"
            for arguments in [
                ["predict", train, image, "--output", folder.file("by-threads")],
                ["evaluate", train, "--split", "test", "--output", folder.file("evaluated-by-threads")],
                ["export", train, "--output", folder.file("by-threads.onnx"), "--int8", image],
                ["bench", train, "--size", "65x65", "--repetitions", "1"],
            ] {
                func run(threads: Int) throws -> String {
                    let result = try Command.launch(
                        "/usr/bin/env",
                        told + [Command.executable().path] + arguments + ["--threads", "\(threads)", "-q"])
                    #expect(result.status == 0, "\(result.errors)")
                    return result.output + result.errors
                }
                #expect(try run(threads: 2).contains("thread 1 of 2"), "\(arguments[0])")
                let alone = try run(threads: 1)
                #expect(!alone.contains("thread 1 of"), "\(arguments[0]): \(alone)")
            }
        #endif
    }

    /// What an evaluation leaves besides its figures.
    private func judged(_ run: String, classes: Int) throws {
        let table = try String(contentsOfFile: run + "/confusion.csv", encoding: .utf8).split(separator: "\n")
        #expect(table.count == classes + 1)
        #expect(table.allSatisfy { $0.split(separator: ",").count == classes + 1 })
        #expect(try String(contentsOfFile: run + "/confusion.svg", encoding: .utf8).contains("</svg>"))
        let worst = try FileManager.default.contentsOfDirectory(atPath: run + "/worst").sorted()
        #expect(worst == ["1.png", "2.png", "3.png", "4.png"])
    }

    /// What is shown of the runs.
    private func seeing(search: String, train: String) throws {
        for run in [search, train] {
            let files = try FileManager.default.contentsOfDirectory(atPath: run)
            #expect(files.count { $0.hasPrefix("events.out.tfevents.") } == 1)
            let page = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
            #expect(page.contains("finished, ") && page.contains("data:image/jpeg;base64,"))
            let watched = try expectDone("watch", run, "--once").output
            #expect(watched.contains(" 100%  epoch ") && watched.contains("mIOU"))
        }
        let page = try String(contentsOfFile: train + "/report.html", encoding: .utf8)
        for title in ["Samples", "Curves", "Results", "Classes", "Confusion", "Worst images", "Architecture"] {
            #expect(page.contains("<section aria-label=\"\(title)\">"), "\(title)")
        }
        // The split that was evaluated, beside the run's own validation.
        #expect(page.contains("<h3>test") && page.contains("<h3>best epoch"))
        try FileManager.default.removeItem(atPath: search + "/report.html")
        #expect(try expectDone("report", search).output == search + "/report.html\n")
        #expect(try String(contentsOfFile: search + "/report.html", encoding: .utf8).contains("<template data-epoch="))
        // As thick as probable: every arrow of the search says so.
        try expectDone("draw", search, "--output", search + "/live.svg")
        #expect(
            try String(contentsOfFile: search + "/live.svg", encoding: .utf8).contains("<title>layer 1, 4 to 8: 0."))
    }

    /// The network in other formats, and how fast it is.
    private func leaving(train: String, folder: TemporaryFolder) throws {
        let model = folder.file("model.onnx")
        let size = ["--size", "65x97"]
        try expectDone(["export", train, "--output", model, "--json"])
        #expect(FileManager.default.fileExists(atPath: model))
        try expectDone(["bench", train, "--repetitions", "2", "--json"] + size)
        let (bytes, images) = (folder.file("bytes.onnx"), folder.path + "/scenes/images/train")
        try expectDone("export", train, "--output", bytes, "--int8", images, "--int8-images", "3")
        let mentionsBytes = try [model, bytes].map { path in
            try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data("QuantizeLinear".utf8)) != nil
        }
        #expect(mentionsBytes == [false, true])
        try computing(train: train, images: images, folder: folder)
        let none = folder.file("none.onnx")
        let nothing = try Command.run(["export", train, "--output", none, "--int8", folder.file("nowhere")])
        #expect(nothing.status == 66 && nothing.errors.contains("nowhere: does not exist"))
        #expect(!FileManager.default.fileExists(atPath: none))
        let unused = try Command.run(["export", train, "--output", none, "--int8-images", "3"])
        #expect(unused.status == 64 && unused.errors.contains("--int8-images needs --int8"))
        // Before any image is looked at.
        let elsewhere = folder.file("nowhere/bytes.onnx")
        let unwritable = try Command.run(["export", train, "--output", elsewhere, "--int8", images])
        #expect(unwritable.status == 73 && !unwritable.errors.contains("calibrate"), "\(unwritable)")
        guard Python.has("onnx", "onnxruntime") else { return }
        try expectDone("export", train, "--output", bytes, "--int8", images, "--check", "--preprocess", "--argmax")
        for options in [["--preprocess", "--argmax"], size] {
            let checked = try expectDone(["export", train, "--output", model, "--check"] + options).output
            #expect(checked.contains("valid, says onnx ") && checked.contains("ONNX Runtime 1."))
        }
        #expect(try expectDone(["bench", train, "--repetitions", "2"] + size).output.contains("ONNX Runtime  "))
        guard Python.has("coremltools") else { return }
        let package = folder.file("model.mlpackage")
        let written = try expectDone(["export", train, "--output", package] + size).output
        #expect(written.contains("written and read back by coremltools ") && written.contains("not run"))
        #expect(FileManager.default.fileExists(atPath: package + "/Manifest.json"))
    }

    /// The network of 8-bit integers in this program.
    private func computing(train: String, images: String, folder: TemporaryFolder) throws {
        let model = folder.file("bytes.safetensors")
        let arguments = ["export", train, "--output", model]
        let plain = try Command.run(arguments)
        #expect(plain.status == 64 && plain.errors.contains("A .safetensors needs --int8"))
        let written = try Command.run(arguments + ["--int8", images, "--int8-images", "3"])
        #if arch(x86_64)
            #expect(written.status == 0, "\(written.errors)")
        #endif
        guard written.status == 0 else { return }
        func mIOU(_ model: String) throws -> Double {
            let text = try expectDone(
                "evaluate", model, "--data", folder.path + "/scenes", "--split", "test", "--json", "--output",
                folder.file("evaluated-" + (model as NSString).lastPathComponent)
            ).output
            let found = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return try #require(found?["mIOU"] as? Double)
        }
        #expect(try abs(mIOU(model) - mIOU(train)) < 0.05)
        // A graph of bytes is one that `--check` measures, and refuses nothing of.
        let graph = folder.file("of-bytes.onnx")
        try expectDone("export", model, "--output", graph, "--check")
        let onnx = try Data(contentsOf: URL(fileURLWithPath: graph))
        #expect(onnx.range(of: Data("QuantizeLinear".utf8)) != nil && onnx.range(of: Data("quantization".utf8)) == nil)
        try expectDone("bench", model, "--size", "65x97", "--repetitions", "2", "--json")
        try expectDone("predict", model, images, "--output", folder.file("masks"))
    }

    @Test(
        "a run that was stopped or killed goes on to the very same checkpoint and log", arguments: ["search", "train"],
        [SIGINT, SIGKILL])
    func resume(verb: String, signal: Int32) throws {
        let folder = try TemporaryFolder()
        let scenes = folder.path + "/scenes"
        try expectDone("data", "demo", "--count", "20", "--output", scenes)
        var arguments = [verb, "--preset", "instant", "--data", scenes, "-q", "--threads", "1"]
        arguments += ["--set", "checkpoint.every=3 steps"]
        if verb == "train" { arguments += ["--genotype", "deeplabv3"] }
        let whole = folder.path + "/whole"
        let broken = folder.path + "/broken"
        #expect(try Command.run(arguments + ["--output", whole]).status == 0)

        // Ended somewhere behind the first checkpoint, in the midst of an epoch.
        let run = try StartedCommand(arguments + ["--output", broken], errorFile: folder.file("errors"))
        let checkpoint = "/checkpoints/last.safetensors"
        run.waitForFile(broken + checkpoint)
        #expect(try run.end(by: signal).status == (signal == SIGINT ? 130 : SIGKILL))

        #expect(try Command.run([verb, "--output", broken, "--resume", "-q", "--threads", "1"]).status == 0)
        let one = try Data(contentsOf: URL(fileURLWithPath: whole + checkpoint))
        let other = try Data(contentsOf: URL(fileURLWithPath: broken + checkpoint))
        #expect(one == other)
        #expect(try measured(whole) == measured(broken))
        // Times aside, which all take the same room.
        #expect(try eventBytes(whole) == eventBytes(broken))
        // checkpoint.keep is 2: the one before is there, and whole.
        let before = broken + "/checkpoints/last-1.safetensors"
        #expect(FileManager.default.fileExists(atPath: before))
        #expect(!FileManager.default.fileExists(atPath: broken + "/checkpoints/last-2.safetensors"))
        if verb == "search" { try expectDone("decode", before) }
    }

    /// The size of the run's one event file.
    private func eventBytes(_ run: String) throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.hasPrefix("events.") }
        #expect(names.count == 1)
        return try Data(contentsOf: URL(fileURLWithPath: run + "/" + (names.first ?? ""))).count
    }

    /// What a run's log says apart from times and memory, line by line.
    private func measured(_ run: String) throws -> [[String: Double]] {
        let lines = try String(contentsOfFile: run + "/log.jsonl", encoding: .utf8).split(separator: "\n")
        return try lines.map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let kept = ["epoch", "step", "loss", "mIOU", "alphaEntropy", "betaEntropy", "learningRate"]
            return Dictionary(
                uniqueKeysWithValues: kept.compactMap { key in (object[key] as? Double).map { (key, $0) } })
        }
    }

    @discardableResult
    private func expectDone(_ arguments: String...) throws -> Command.Result {
        try expectDone(arguments)
    }

    @discardableResult
    private func expectDone(_ arguments: [String]) throws -> Command.Result {
        let result = try Command.run(arguments)
        #expect(result.status == 0, "\(arguments.joined(separator: " ")): \(result.errors)")
        return result
    }
}
