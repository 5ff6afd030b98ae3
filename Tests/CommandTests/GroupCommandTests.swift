import Foundation
import Runs
import TestSupport
import Testing
import Torch

/// Groups of processes of the built program: what they compute together, and what ends them.
@Suite("Groups of the command", .enabled(if: ProcessGroup.isAvailable, "built without Gloo"), .serialized)
struct GroupCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try scenes("scenes", count: 20)
    }

    private func scenes(_ name: String, count: Int) throws {
        let made = try Command.run("data", "demo", "--count", "\(count)", "--output", folder.file(name))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func search(_ output: String, data: String = "scenes", _ more: [String] = []) -> [String] {
        [
            "search", "--preset", "instant", "--data", folder.file(data), "--output", folder.file(output), "-q",
            "--threads", "1", "--set", "search.layers=2", "--set", "search.blocks=1",
        ] + more
    }

    /// A search that goes on until it is stopped.
    private func endless(_ output: String, _ more: [String] = []) -> [String] {
        search(output, ["--set", "search.epochs=100000", "--set", "checkpoint.every=1 steps"] + more)
    }

    private func start(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> StartedCommand {
        try StartedCommand(arguments, errorFile: folder.file(name + ".err"), environment: environment)
    }

    /// As torchrun sets them, without an agent.
    private func variables(rank: Int, size: Int = 2, port: Int) -> [String: String] {
        [
            "RANK": "\(rank)", "WORLD_SIZE": "\(size)", "LOCAL_RANK": "\(rank)", "LOCAL_WORLD_SIZE": "\(size)",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        ]
    }

    /// Waits until a second checkpoint of a run is there.
    private func waitForCheckpoints(_ output: String, of command: StartedCommand) {
        command.waitForFile(folder.file(output) + "/checkpoints/last-1.safetensors")
    }

    /// Goes on with a run until it has saved once more, and stops it.
    private func expectGoesOn(_ output: String, _ arguments: [String]) throws -> [String] {
        let saved = folder.file(output) + "/checkpoints/last.safetensors"
        let before = FileIdentity(saved)
        let command = try start("on", arguments + ["--resume"])
        command.waitForNewFile(saved, than: before)
        let (status, lines) = try command.end(by: SIGTERM)
        #expect(status == 143, "\(lines)")
        return lines
    }

    private func log(_ output: String) throws -> [[String: Double]] {
        try String(contentsOfFile: folder.file(output) + "/log.jsonl", encoding: .utf8).split(separator: "\n").map {
            let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            return object.compactMapValues { $0 as? Double }
        }
    }

    /// Expects that processes together made the one step that a process made alone.
    ///
    /// Its loss is that of the initial weights, so that it differs by the order of float32's sums alone; what follows
    /// from many steps may differ by more, and is compared in float64 by `GroupTests`.
    private func expectSameStep(_ one: String, _ other: String) throws {
        let logs = try [log(one), log(other)]
        #expect(logs.allSatisfy { $0.count == 1 && $0[0]["step"] == 1 }, "\(logs)")
        let losses = try logs.map { try #require($0.first?["loss"]) }
        #expect(losses[0] > 0 && abs(losses[0] / losses[1] - 1) < 1e-3, "\(losses)")
    }

    @Test("Two processes search as one does; stopped, one process goes on with what two began")
    func equal() throws {
        // 12 images in two halves: each is one batch. The price is most of the architecture's loss.
        let step = [
            "search.epochs=1", "search.architectureFrom=0", "search.batch=6", "search.architecture.price=1000",
        ].flatMap { ["--set", $0] }
        let whole = try Command.run(search("whole", step))
        #expect(whole.status == 0, "\(whole.errors)")
        let two = try Command.run(search("two", step + ["--processes", "2"]))
        #expect(two.status == 0 && two.errors.isEmpty, "\(two.errors)")
        #expect(two.output.split(separator: "\n").count == 1)
        try expectSameStep("whole", "two")
        // A penalty counts once, not once a process: the moments of Adam's first step are shares of the gradient.
        let moments = try ["whole", "two"].map { name -> [Double] in
            let path = folder.file(name) + "/checkpoints/last.safetensors"
            let state = try Checkpoint(at: path).section("architectureOptimizer", in: path)
            return state.sorted { $0.key < $1.key }.map { $0.value.to(.float64).abs().sum().item() }
        }
        #expect(zip(moments[0], moments[1]).allSatisfy { abs($0 - $1) <= 1e-2 * $0 }, "\(moments)")
        #expect(FileManager.default.fileExists(atPath: folder.file("two/report.html")))

        let stopped = try start("stopped", endless("stopped", ["--processes", "2"]))
        waitForCheckpoints("stopped", of: stopped)
        let (status, lines) = try stopped.end(by: SIGTERM)
        #expect(status == 143)
        #expect(lines.count { $0.hasPrefix("error: stopped after step ") } == 1, "\(lines)")
        let resumed = try expectGoesOn("stopped", endless("stopped").filter { $0 != "-q" })
        #expect(
            resumed.contains {
                $0.hasPrefix("going on by 1 processes instead of 2: the same batches in the same order")
            }, "\(resumed)")
    }

    @Test("A training's step by two processes has the loss of one")
    func training() throws {
        let genotype = folder.file("genotype.json")
        try Data(
            """
            {"version": 1, "layers": 2, "blocks": 1, "path": [4, 8],
             "cell": [[["previous", "separable3x3"], ["previous2", "atrous3x3"]]]}
            """.utf8
        ).write(to: URL(fileURLWithPath: genotype))
        for (name, more) in [("one", []), ("both", ["--processes", "2"])] {
            let result = try Command.run(
                [
                    "train", "--preset", "instant", "--genotype", genotype, "--data", folder.file("scenes"),
                    "--output", folder.file(name), "-q", "--threads", "1", "--set", "train.epochs=1",
                    "--set", "train.batch=12",
                ] + more)
            #expect(result.status == 0, "\(result.errors)")
        }
        try expectSameStep("one", "both")
    }

    @Test("Statistics that are measured anew by two processes are those that one measures")
    func preciseStatistics() throws {
        let statistics = try [[], ["--processes", "2"]].map { more -> [String: [Float]] in
            let name = "precise\(more.count)"
            // Weights stay as they are, so that no later validation is better than the first.
            let settings = [
                "train.epochs=100000", "train.batch=6", "train.stepsPerEpoch=1", "train.preciseBatchNorm=12",
                "train.learningRate=1e-12",
            ].flatMap { ["--set", $0] }
            let run = try start(
                name,
                [
                    "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", folder.file("scenes"),
                    "--output", folder.file(name), "-q", "--threads", "1",
                ] + settings + more)
            run.waitForFile(folder.file(name) + "/model.safetensors")
            let (status, lines) = try run.end(by: SIGTERM)
            #expect(status == 143, "\(lines)")
            return try loadTensors(folder.file(name) + "/model.safetensors").tensors
                .filter { $0.key.contains("running") }.mapValues { $0.floats() }
        }
        #expect(statistics[0].count > 10 && statistics[0].keys == statistics[1].keys)
        for (name, own) in statistics[0] {
            let other = try #require(statistics[1][name])
            #expect(zip(own, other).allSatisfy { abs($0 - $1) <= 1e-3 * max(1e-2, abs($0)) }, "\(name)")
        }
    }

    @Test(
        "A rank that is killed, or stopped, ends the others with one line that names it; the run goes on",
        arguments: [(SIGKILL, "killed by signal 9"), (SIGSTOP, "is not heard of for 3 s")])
    func lost(signal: Int32, reason: String) throws {
        let run = try start(
            "run",
            endless(
                "run",
                ["--processes", "3", "--group-timeout", "3"]
                    + ["--set", "search.batch=3"]))
        waitForCheckpoints("run", of: run)
        let victim = try run.child(rank: 1)
        kill(victim, signal)
        if signal == SIGSTOP {
            run.waitForErrors()
            kill(victim, SIGKILL)
        }
        let (status, lines) = try run.end()
        #expect(status == 75)
        #expect(lines.count == 1, "\(lines)")
        #expect(lines.first?.hasPrefix("error: rank 1 (") == true && lines.first?.contains(reason) == true, "\(lines)")
        _ = try expectGoesOn("run", endless("run", ["--set", "search.batch=3"]))
    }

    @Test("Other data, another configuration or another program than rank 0's is refused, by name")
    func fingerprint() throws {
        try scenes("others", count: 24)
        let otherProgram = try Command.copy(to: folder.place("copies/program/autodeeplab"))
        try changeEnd(of: otherProgram)
        let otherEngine = try Command.copy(to: folder.place("copies/engine/autodeeplab"))
        try changeEnd(of: Command.engine(of: otherEngine))
        let cases: [(name: String, arguments: [String], says: String)] = [
            ("data", search("r", data: "others"), "has other data than rank 0 (train: "),
            ("seed", search("r", ["--seed", "5"]), "has seed=5 in its configuration, rank 0 has 0: "),
            ("program", search("r"), "has program "), ("engine", search("r"), "has program "),
        ]
        let programs = ["program": otherProgram, "engine": otherEngine]
        for (name, arguments, says) in cases {
            let port = try freePort()
            let first = try start(name + "0", search(name), environment: variables(rank: 0, port: port))
            let second = Process()
            second.executableURL = try programs[name].map { URL(fileURLWithPath: $0) } ?? Command.executable()
            second.arguments = arguments
            second.environment = ProcessInfo.processInfo.environment.merging(variables(rank: 1, port: port)) { $1 }
            let errors = folder.file(name + "1.err")
            try Data().write(to: URL(fileURLWithPath: errors))
            second.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
            try second.run()
            let (status, lines) = try first.end()
            second.waitUntilExit()
            let all =
                lines + (try String(contentsOfFile: errors, encoding: .utf8)).split(separator: "\n").map(String.init)
            #expect(status == 75 && second.terminationStatus == 75)
            #expect(all.count == 1 && all[0].hasPrefix("error: rank 1 (") && all[0].contains(says), "\(name): \(all)")
        }
    }

    private func changeEnd(of path: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data([0]))
        try file.close()
    }

    @Test("A rank that does not come, a port that is taken, a store that is not there: one line each")
    func rendezvous() throws {
        let port = try freePort()
        let alone = try start(
            "alone", search("alone", ["--group-timeout", "2"]), environment: variables(rank: 0, size: 3, port: port))
        let missed = try alone.end()
        #expect(missed.status == 75)
        #expect(missed.lines == ["error: rank 1, 2 of 3 did not come within 2 s"])
        let nobody = try start(
            "nobody", search("nobody", ["--group-timeout", "2"]), environment: variables(rank: 1, port: try freePort()))
        let (status, lines) = try nobody.end()
        #expect(status == 75 && lines.count == 1, "\(lines)")
        #expect(lines.first?.hasPrefix("error: rank 1 cannot reach rank 0's store at 127.0.0.1:") == true, "\(lines)")

        let held = try ProcessGroup.Store(prefix: "held")
        let taken = try start("taken", search("taken"), environment: variables(rank: 0, port: held.port))
        let end = try taken.end()
        #expect(end.status == 75)
        #expect(
            end.lines == [
                "error: rank 0 cannot open a store at 127.0.0.1:\(held.port): the port is taken; choose another MASTER_PORT"
            ], "\(end.lines)")
    }

    @Test("An image that one rank cannot read stops all, and the steps so far are saved")
    func image() throws {
        let run = try start(
            "run", endless("run", ["--processes", "2", "--set", "data.cacheMegabytes=0"]))
        waitForCheckpoints("run", of: run)
        try FileManager.default.removeItem(atPath: folder.file("scenes/images/train/0003.png"))
        let (status, lines) = try run.end()
        #expect(status == 66, "\(lines)")
        #expect(
            lines.count == 1 && lines.first?.contains("is saved: mend this and go on with --output ") == true,
            "\(lines)")
        #expect(lines.first?.contains("0003.png: ") == true, "\(lines)")
    }

    @Test("Trials: a table with the best, and nothing is done twice")
    func trials() throws {
        let arguments = search("trials", ["--trials", "2", "--trial-epochs", "1", "--parallel", "2"])
        let result = try Command.run(arguments)
        try #require(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(
            lines.count == 3 && lines[0].hasPrefix("seed 0: val mIOU ") && lines[1].hasPrefix("seed 1: "), "\(lines)")
        #expect(lines.count { $0.hasSuffix("  (best)") } == 1 && lines[2].contains("paths agree at "), "\(lines)")
        let best = lines[0].hasSuffix("(best)") ? 0 : 1
        let kept = try Data(contentsOf: URL(fileURLWithPath: folder.file("trials/genotype.json")))
        #expect(kept == (try Data(contentsOf: URL(fileURLWithPath: folder.file("trials/seed-\(best)/genotype.json")))))
        let page = try String(contentsOfFile: folder.file("trials/report.html"), encoding: .utf8)
        #expect(page.contains("aria-label=\"Trials\""))
        let before = try FileManager.default.attributesOfItem(atPath: folder.file("trials/seed-0/log.jsonl"))
        let again = try Command.run(arguments + ["--resume"])
        let after = try FileManager.default.attributesOfItem(atPath: folder.file("trials/seed-0/log.jsonl"))
        #expect(again.output == result.output)
        #expect(before[.modificationDate] as? Date == after[.modificationDate] as? Date)
    }

    @Test("Trials whose starter was killed end by themselves, with a checkpoint")
    func orphanedTrials() throws {
        let run = try StartedCommand(
            search("orphans", ["--trials", "2", "--trial-epochs", "1", "--set", "search.epochs=5000"]),
            errorFile: folder.file("orphans.err"))
        run.waitForFile(folder.file("orphans/seed-0/log.jsonl"))
        _ = try run.end(by: SIGKILL)
        // Its lock is given back when the process has ended.
        while FolderLock.isHeld(folder.file("orphans/seed-0")) { usleep(100_000) }
        #expect(FileManager.default.fileExists(atPath: folder.file("orphans/seed-0/checkpoints/last.safetensors")))
    }

    @Test(
        "torchrun starts a group, and again after a rank was killed, from the last checkpoint",
        .enabled(if: Python.has("torch"), "needs PyTorch in .venv"))
    func torchrun() throws {
        let run = try StartedCommand(
            [
                "-m", "torch.distributed.run", "--no-python", "--nproc-per-node", "2", "--max-restarts", "1",
                "--master-port", "\(freePort())", Command.executable().path,
            ] + search("run", ["--set", "search.epochs=15", "--set", "checkpoint.every=1 steps"]),
            program: Python.path, errorFile: folder.file("torchrun.err"), environment: Python.environmentVariables)
        waitForCheckpoints("run", of: run)
        let victim = try run.child(rank: 1)
        kill(victim, SIGKILL)
        let (status, lines) = try run.end()
        #expect(status == 0, "\(lines)")
        #expect(try log("run").count == 15)
    }
}
