import Foundation
import TestSupport
import Testing

/// `inspect`, `bench` and `export` treat a run as `predict` does.
@Suite("What a run says of itself", .serialized)
struct RunCostTests {
    private func train(_ folder: TemporaryFolder, _ settings: String...) throws -> String {
        let (scenes, run) = (folder.file("scenes"), folder.file("train"))
        #expect(try Command.run("data", "demo", "--count", "20", "--output", scenes).status == 0)
        let result = try Command.run(
            [
                "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", scenes, "--output", run, "--set",
                "train.iterations=2", "-q", "--threads", "1",
            ] + settings.flatMap { ["--set", $0] })
        #expect(result.status == 0, "\(result.errors)")
        return run
    }

    private func object(_ arguments: String...) throws -> [String: Any] {
        let result = try Command.run(arguments + ["--json"])
        #expect(result.status == 0, "\(result.errors)")
        return try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    @Test("inspect shows a run's own filters, classes and size, and those of its model file")
    func inspect() throws {
        let folder = try TemporaryFolder()
        let run = try train(folder, "train.filters=3", "train.resize=0.5")
        let own = try object("inspect", run)
        #expect(own["filters"] as? Int == 3 && own["classes"] as? Int == 7 && own["windows"] as? Int == 1)
        // Half of the demo's 128x96 scenes, padded: what evaluation sees.
        let size = try #require(own["size"] as? [Int])
        #expect(size.allSatisfy { $0 % 32 == 1 } && size.max() == 65)
        let file = try object("inspect", run + "/model.safetensors", "--size", "200x100")
        #expect(file["filters"] as? Int == 3 && file["size"] as? [Int] == [129, 65])
        #expect(file["parameters"] as? Int == own["parameters"] as? Int)
        #expect(try object("inspect", run, "--filters", "8")["filters"] as? Int == 8)
    }

    @Test("bench takes a genotype that nobody trained")
    func bench() throws {
        let time = try object(
            "bench", "deeplabv3:3", "--filters", "2", "--classes", "3", "--size", "65x49", "--repetitions", "1")
        #expect(time["size"] as? [Int] == [65, 49] && time["windows"] as? Int == 1)
        #expect((time["milliseconds"] as? Double ?? 0) > 0)
        let missing = try Command.run("bench", "no-such-network")
        #expect(missing.status == 66 && missing.errors.contains("neither a file nor a known network"))
    }

    @Test(
        "An exported model that takes bytes resizes them as predict does",
        .enabled(if: Python.has("onnx", "onnxruntime"), Comment(rawValue: Python.missing)),
        arguments: [
            ("train.resize=0.75", [String]()), ("train.resize=0.5", []), ("train.resize=1.3", []),
            ("train.resize=0.3", ["--size", "101x131"]), ("data.longerSide=50", ["--size", "90x119"]),
            ("data.longerSide=80", ["--size", "47x60"]),
        ])
    func export(setting: String, size: [String]) throws {
        let folder = try TemporaryFolder()
        let run = try train(folder, setting)
        let model = folder.file("model.onnx")
        let checked = try Command.run(["export", run, "--output", model, "--preprocess", "--check", "-q"] + size)
        #expect(checked.status == 0, "\(checked.errors)")
        #expect(checked.output.contains("valid, says onnx ") && checked.output.contains("ONNX Runtime 1."))
        guard !size.isEmpty else { return }
        // Of any size where blocks are averaged, or the longer side decides: refused, and nothing is written.
        let open = try Command.run("export", run, "--output", folder.file("open.onnx"), "--preprocess", "-q")
        #expect(open.status == 65 && open.errors.contains("needs a fixed size"))
        #expect(!FileManager.default.fileExists(atPath: folder.file("open.onnx")))
    }
}
