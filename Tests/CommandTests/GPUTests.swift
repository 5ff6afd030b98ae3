import Foundation
import TestSupport
import Testing
import Torch

/// The program on a GPU that computes nothing: every tensor must be where it is needed, and no step may wait for ever.
@Suite("The command on a fake GPU", .enabled(if: FakeCUDA.isPossible, "\(FakeCUDA.missing)"), .serialized)
struct GPUTests {
    private let folder: TemporaryFolder
    private let environment: [String: String]

    init() throws {
        folder = try TemporaryFolder()
        environment = try FakeCUDA.environment(in: folder)
    }

    private func run(_ arguments: [String]) throws {
        let command = try StartedCommand(
            arguments + ["--device", "cuda", "-q"], errorFile: folder.file("errors"), environment: environment)
        let stop = DispatchWorkItem { kill(command.process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 300, execute: stop)
        let (status, lines) = try command.end()
        stop.cancel()
        #expect(status == 0, "\(arguments.joined(separator: " ")): \(lines.last ?? "")")
    }

    private func device(_ output: String) throws -> [String] {
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.file(output) + "/environment.json"))
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        return ["device", "backend"].compactMap { object[$0] as? String }
    }

    private func short(_ stage: String) -> [String] {
        ["--set", "\(stage).epochs=1", "--set", "\(stage).batch=20"]
    }

    @Test("From search to prediction, with what training and evaluation offer beside")
    func pipeline() throws {
        let scenes = folder.file("scenes")
        let made = try Command.run("data", "demo", "--output", scenes)
        #expect(made.status == 0, "\(made.errors)")
        try run(
            ["search", "--output", folder.file("search"), "--preset", "demo", "--data", scenes]
                + ["--set", "search.architectureFrom=0"] + short("search"))
        #expect(try device("search") == ["cuda:0"])
        for change in ["search.recompute=cells", "search.recompute=layers", "precision=bfloat16"] {
            let settings = [
                "--preset", "demo", "--data", scenes, "--set", "search.architectureFrom=0", "--set", change,
            ]
            try run(["search", "--output", folder.file(change)] + settings + short("search"))
        }
        let training = [
            "train.auxiliary.layers=[2]", "train.accumulate=2", "train.emaDecay=0.99", "train.clip=1.0",
            "train.loss.dice=0.5", "train.loss.labelSmoothing=0.1", "precision=bfloat16",
        ]
        try run(
            ["train", "--preset", "demo", "--data", scenes, "--genotype", folder.file("search")]
                + ["--output", folder.file("train")] + short("train") + training.flatMap { ["--set", $0] })
        try run(["evaluate", folder.file("train"), "--split", "val", "--scales", "1,0.75", "--flip"])
        try run(["evaluate", folder.file("train"), "--split", "val", "--window", "65"])
    }

    @Test(
        "Two processes, a GPU each: NCCL carries their search and their training",
        .enabled(if: ProcessGroup.isAvailable, "built without Gloo"))
    func group() throws {
        let made = try Command.run("data", "demo", "--count", "40", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
        let common = ["--preset", "demo", "--data", folder.file("scenes"), "--processes", "2"]
        try run(
            ["search", "--output", folder.file("search"), "--set", "search.architectureFrom=0"] + common
                + short("search"))
        #expect(try device("search") == ["cuda:0", "NCCL"])
        try run(
            ["train", "--output", folder.file("train"), "--genotype", folder.file("search")] + common + short("train"))
        #expect(try device("train") == ["cuda:0", "NCCL"])
    }
}
