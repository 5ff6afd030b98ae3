import Foundation
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
        #expect(Set(metrics.keys) == ["mIOU", "pixelAccuracy", "meanAccuracy", "classes", "images", "seconds"])
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

        let masks = folder.path + "/masks"
        // The model file alone will do.
        try expectDone(
            "predict", train + "/model.safetensors", scenes + "/images/test/0000.png", "--output", masks, "--overlay",
            "-q")
        let pictures = try FileManager.default.contentsOfDirectory(atPath: masks).sorted()
        #expect(pictures == ["0000-overlay.png", "0000.png"])
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
        let process = Process()
        process.executableURL = try Command.executable()
        process.arguments = arguments + ["--output", broken]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let checkpoint = "/checkpoints/last.safetensors"
        while process.isRunning, !FileManager.default.fileExists(atPath: broken + checkpoint) { usleep(2_000) }
        usleep(20_000)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == (signal == SIGINT ? 130 : SIGKILL))

        #expect(try Command.run([verb, "--output", broken, "--resume", "-q", "--threads", "1"]).status == 0)
        let one = try Data(contentsOf: URL(fileURLWithPath: whole + checkpoint))
        let other = try Data(contentsOf: URL(fileURLWithPath: broken + checkpoint))
        #expect(one == other)
        #expect(try measured(whole) == measured(broken))
        // checkpoint.keep is 2: the one before is there, and whole.
        let before = broken + "/checkpoints/last-1.safetensors"
        #expect(FileManager.default.fileExists(atPath: before))
        #expect(!FileManager.default.fileExists(atPath: broken + "/checkpoints/last-2.safetensors"))
        if verb == "search" { try expectDone("decode", before) }
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
        let result = try Command.run(arguments)
        #expect(result.status == 0, "\(arguments.joined(separator: " ")): \(result.errors)")
        return result
    }
}
