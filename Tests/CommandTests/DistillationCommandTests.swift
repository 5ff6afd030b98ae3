import Foundation
import TestSupport
import Testing
import Torch

/// A teacher in the built program.
@Suite("Distillation by the command", .serialized)
struct DistillationCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "10", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
        let teacher = try train("teacher", "--genotype", "deeplabv3:3", "--set", "train.filters=6")
        #expect(teacher.status == 0, "\(teacher.errors)")
    }

    private func train(_ name: String, _ more: String...) throws -> Command.Result {
        try Command.run(
            [
                "train", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file(name),
                "--threads", "1",
            ] + more)
    }

    @Test("A run or a model file teaches, is told of with its time, and goes on with the run")
    func teaches() throws {
        let result = try train("a", "--genotype", "deeplabv3:3", "--teacher", folder.file("teacher"))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains(", where the teacher takes "), "\(result.errors)")
        let file = folder.file("teacher/model.safetensors")
        let printed = try train("b", "--genotype", "deeplabv3:3", "--teacher", file, "--print-config")
        let lines = "  teacher: \"\(file)\"\n  distillation:\n    weight: 0.5\n"
        #expect(printed.output.contains(lines), "\(printed.output)")
        let on = try Command.run(
            "train", "--output", folder.file("a"), "--resume", "--set", "train.epochs=3", "-q", "--threads", "1")
        #expect(on.status == 0 && on.errors.isEmpty, "\(on.errors)")
    }

    @Test(
        "Two processes learn from a teacher as one does", .enabled(if: ProcessGroup.isAvailable, "built without Gloo"))
    func group() throws {
        var losses: [Double] = []
        for (name, more) in [("one", []), ("two", ["--processes", "2"])] {
            let result = try Command.run(
                [
                    "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", folder.file("scenes"),
                    "--output", folder.file(name), "-q", "--threads", "1", "--teacher", folder.file("teacher"),
                    "--set", "train.iterations=1", "--set", "train.batch=4", "--set", "train.distillation.weight=1",
                ] + more)
            #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
            let log = try Data(contentsOf: URL(fileURLWithPath: folder.file(name) + "/log.jsonl"))
            let line = try JSONSerialization.jsonObject(with: log) as? [String: Any]
            losses.append(try #require(line?["loss"] as? Double))
        }
        // The order of sums alone differs.
        #expect(losses[0] > 0 && abs(losses[0] / losses[1] - 1) < 1e-3, "\(losses)")
    }

    @Test("What cannot teach is told of in one line, and nothing is written")
    func refused() throws {
        func expect(_ result: Command.Result, _ status: Int32, _ words: String) {
            #expect(result.status == status && result.output.isEmpty)
            let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(lines.count == 1 && lines[0].contains(words), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("x")))
        }
        let design = ["--genotype", "deeplabv3:3"]
        expect(
            try train("x", design[0], design[1], "--teacher", folder.file("none"), "-q"), 66,
            "\(folder.file("none")): train.teacher: no such run or model file")
        expect(
            try train("x", design[0], design[1], "--teacher", folder.file("teacher"), "--set", "train.resize=2", "-q"),
            65, "train.teacher: \(folder.file("teacher")) sees images resized by 1.0, this training sees them")
        // An automatic run's plan has no time for a teacher.
        let plan = folder.file("plan.yaml")
        try Data("train:\n  teacher: \(folder.file("teacher"))\n".utf8).write(to: URL(fileURLWithPath: plan))
        expect(
            try Command.run(
                "run", folder.file("scenes"), "--output", folder.file("x"), "--budget", "1min", "--config", plan, "-q"),
            65, "train.teacher: plans do not count a teacher's time")
        // A model may not be overwritten by its own pupil.
        let file = folder.file("teacher/model.safetensors")
        let before = try Data(contentsOf: URL(fileURLWithPath: file))
        try FileManager.default.createDirectory(atPath: folder.file("y"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("y/model.safetensors"), withDestinationPath: file)
        let pupil = try train("y", design[0], design[1], "--teacher", file, "-q")
        #expect(pupil.status != 0 && pupil.errors.contains("y/model.safetensors"), "\(pupil.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    }
}
