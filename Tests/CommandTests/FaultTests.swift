import Foundation
import Segmentation
import TestSupport
import Testing

/// Kills, damage, full disks and signals, on the built program.
///
/// `make faults` asks for more of them than `make test` by FAULTS, the number of kills and of damages a stage.
@Suite("Faults", .serialized)
struct FaultTests {
    enum Stage: String, CaseIterable { case search, train }

    static let count = ProcessInfo.processInfo.environment["FAULTS"].flatMap { Int($0) } ?? 2

    /// A data set, a genotype, and the arguments of a run of about a second that saves after each step.
    private struct Bench {
        let temporary: TemporaryFolder
        let folder: String
        let arguments: [String]

        init(_ stage: Stage, scenes: Int = 20, settings: [String] = ["checkpoint.every=1 steps"]) throws {
            temporary = try TemporaryFolder()
            folder = temporary.path
            let made = try Command.run("data", "demo", "--count", "\(scenes)", "--output", folder + "/scenes")
            #expect(made.status == 0, "\(made.errors)")
            let genotype = folder + "/genotype.json"
            try Data(
                """
                {"version": 1, "layers": 2, "blocks": 1, "path": [4, 8],
                 "cell": [[["previous", "separable3x3"], ["previous2", "atrous3x3"]]]}
                """.utf8
            ).write(to: URL(fileURLWithPath: genotype))
            let own = stage == .train ? ["--genotype", genotype] : []
            let all = ["search.layers=2", "search.blocks=1", "search.epochs=2", "train.epochs=1"] + settings
            arguments =
                [stage.rawValue, "--preset", "instant", "--data", folder + "/scenes", "-q", "--threads", "1"] + own
                + all.flatMap { ["--set", $0] }
        }

        func run(_ name: String, resume: Bool = false) throws -> Command.Result {
            try Command.run(arguments + ["--output", path(name)] + (resume ? ["--resume"] : []))
        }

        func start(_ name: String, resume: Bool = false) throws -> StartedCommand {
            try StartedCommand(
                arguments + ["--output", path(name)] + (resume ? ["--resume"] : []), errorFile: path("errors"))
        }

        func path(_ name: String) -> String { folder + "/" + name }
        func checkpoint(_ name: String) -> String { path(name) + "/checkpoints/last.safetensors" }
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
        func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

        /// Whether two runs left the same: every tensor and position, the network or model, and the log.
        func expectEqual(_ one: String, _ other: String, _ comment: String) throws {
            for file in ["checkpoints/last.safetensors", "genotype.json", "model.safetensors"]
            where exists("\(one)/\(file)") {
                let contents = try [one, other].map {
                    try Data(contentsOf: URL(fileURLWithPath: path($0) + "/" + file))
                }
                #expect(contents[0] == contents[1], "\(file), \(comment)")
            }
            #expect(try measured(one) == measured(other), "log.jsonl, \(comment)")
        }

        /// What a log says, apart from times and memory, line by line.
        private func measured(_ name: String) throws -> [NSDictionary] {
            try String(contentsOfFile: path(name) + "/log.jsonl", encoding: .utf8).split(separator: "\n").map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                let times = ["time", "secondsPerStep", "waitShare", "peakMemory"]
                return object.filter { !times.contains($0.key) } as NSDictionary
            }
        }
    }

    @Test("A run killed anywhere, and killed again, ends as one that never was", arguments: Stage.allCases)
    func kills(stage: Stage) throws {
        let bench = try Bench(stage)
        let begin = Date()
        let whole = try bench.run("whole")
        #expect(whole.status == 0, "\(whole.errors)")
        let duration = Date().timeIntervalSince(begin)
        var halfWritten = 0
        let (kills, runs) = try RandomKills(count: Self.count, duration: duration, seed: 71).run { _ in
            try bench.start("broken", resume: true)
        } killed: {
            let names = try? FileManager.default.contentsOfDirectory(atPath: bench.path("broken/checkpoints"))
            if names?.contains(where: { $0.hasSuffix(".tmp") || $0.hasPrefix("next") }) == true { halfWritten += 1 }
        } finish: { run, kills in
            let end = try bench.run("broken", resume: true)
            #expect(end.status == 0, "\(end.errors)")
            try bench.expectEqual("whole", "broken", "run \(run) after \(kills) kills")
            try bench.remove("broken")
        }
        print("faults: \(stage.rawValue): \(kills) kills in \(runs) runs, \(halfWritten) while a file was written")
    }

    @Test("A search by reinforcement killed anywhere ends as one that never was, its controller's file too")
    func killedControllers() throws {
        let folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "12", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
        let settings = [
            "search.method=reinforcement", "search.candidates=4", "search.reduction=2", "search.layers=3",
            "search.blocks=1", "search.controller.stopping=true", "train.epochs=4",
        ]
        func search(_ name: String) -> [String] {
            ["search", "--preset", "instant", "--data", folder.file("scenes"), "-q", "--threads", "1"]
                + settings.flatMap { ["--set", $0] } + ["--output", folder.file(name)]
        }
        func bytes(_ file: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(file))) }
        let begin = Date()
        let whole = try Command.run(search("whole"))
        try #require(whole.status == 0, "\(whole.errors)")
        let duration = Date().timeIntervalSince(begin)
        let (kills, _) = try RandomKills(count: Self.count, duration: duration, seed: 75).run { _ in
            try StartedCommand(search("broken") + ["--resume"], errorFile: folder.file("errors"))
        } finish: { _, kills in
            let end = try Command.run(search("broken") + ["--resume"])
            #expect(end.status == 0, "\(end.errors)")
            for file in ["model.safetensors", "genotype.json", "candidates.json", "controller.safetensors"] {
                #expect(try bytes("broken/" + file) == bytes("whole/" + file), "\(file) after \(kills) kills")
            }
            try FileManager.default.removeItem(atPath: folder.file("broken"))
        }
        print("faults: search by reinforcement: \(kills) kills")
    }

    @Test("A checkpoint with a flipped bit or a torn end is not used")
    func damage() throws {
        let bench = try Bench(.search)
        #expect(try bench.run("whole").status == 0)
        let stopped = try bench.start("stopped")
        stopped.waitForFile(bench.path("stopped/checkpoints/last-1.safetensors"))
        _ = try stopped.end(by: SIGKILL)
        var random = RandomStream(seed: 72)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: bench.checkpoint("stopped")))
        for number in 0..<Self.count {
            try FileManager.default.copyItem(atPath: bench.path("stopped"), toPath: bench.path("damaged"))
            var damaged = bytes
            let place = random.below(bytes.count)
            if number % 2 == 0 { damaged[place] ^= 1 << UInt8(random.below(8)) } else { damaged = bytes.prefix(place) }
            try damaged.write(to: URL(fileURLWithPath: bench.checkpoint("damaged")))
            let end = try bench.run("damaged", resume: true)
            #expect(end.status == 0 && end.errors.contains("; set aside as "), "byte \(place): \(end.errors)")
            try bench.expectEqual("whole", "damaged", "damaged at byte \(place)")
            try bench.remove("damaged")
        }
        print("faults: \(Self.count) damaged checkpoints")
    }

    @Test(
        "A full disk stops a run with one line, and the checkpoint before is whole; so does one that cannot be written",
        .enabled(if: mountsWork, "mounting a small file system takes root on Linux"))
    func fullDisk() throws {
        let bench = try Bench(.search)
        #expect(try bench.run("whole").status == 0)
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.checkpoint("whole"))
        let size = try #require(attributes[.size] as? Int)
        try FileManager.default.createDirectory(atPath: bench.path("disk"), withIntermediateDirectories: true)
        // Two checkpoints have room, and not a third beside them.
        let script = """
            mount -t tmpfs -o size=\(size * 5 / 2 / 1_024)k tmpfs "$1/disk" || exit 77
            run() { "$@" --output "$DISK/run" --resume 2>&1 >/dev/null; echo "status $?"; }
            DISK=$1/disk; shift
            run "$@"
            mount -o remount,ro,size=64m "$DISK"
            run "$@"
            mount -o remount,rw,size=64m "$DISK"
            run "$@"
            cp -r "$DISK/run" "$DISK/../full"
            """
        let result = try Command.launch(
            "/usr/bin/env",
            ["unshare", "-m", "sh", "-c", script, "sh", bench.folder, Command.executable().path] + bench.arguments)
        let lines = result.output.split(separator: "\n")
        try #require(lines.count == 5, "\(result.output)\(result.errors)")
        #expect(lines[0].hasPrefix("error: ") && lines[0].contains("No space left on device"), "\(lines[0])")
        #expect(lines[0].contains("is whole: mend this and go on with --output "), "\(lines[0])")
        #expect(lines[1] == "status 73")
        #expect(lines[2].hasPrefix("error: ") && lines[2].contains("Read-only file system"), "\(lines[2])")
        #expect(lines[3] == "status 73" && lines[4] == "status 0")
        try bench.expectEqual("whole", "full", "after the disk was full")
    }

    private static let mountsWork: Bool = {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        let script = "mount -t tmpfs -o size=64k tmpfs \"$1\""
        let result = try? Command.launch("/usr/bin/env", ["unshare", "-m", "sh", "-c", script, "sh", folder.path])
        return result?.status == 0
    }()

    @Test("One process a run folder; a dead one leaves no lock; SIGUSR1 saves; SIGTERM ends with 143")
    func signals() throws {
        let bench = try Bench(
            .search, scenes: 100,
            settings: ["search.epochs=9", "search.layers=4", "search.blocks=2", "search.crop=[161, 161]"])
        let first = try bench.start("run")
        first.waitForFile(bench.path("run/status.json"))
        let second = try bench.run("run", resume: true)
        #expect(second.status == 73)
        #expect(
            second.errors
                == "error: \(bench.path("run")): another process (\(first.process.processIdentifier)) is at work here\n"
        )
        // An epoch has 25 slow steps; only asked for is there a checkpoint before its end.
        kill(first.process.processIdentifier, SIGUSR1)
        first.waitForFile(bench.path("run/checkpoints/last.safetensors"))
        let log = try Data(contentsOf: URL(fileURLWithPath: bench.path("run/log.jsonl")))
        #expect(log.isEmpty)
        _ = try first.end(by: SIGKILL)

        try FileManager.default.removeItem(atPath: bench.path("run/status.json"))
        let third = try bench.start("run", resume: true)
        third.waitForFile(bench.path("run/status.json"))
        #expect(try third.end(by: SIGTERM).status == 143 && third.process.terminationReason == .exit)
    }

    @Test("A second signal does not wait for the step")
    func secondSignal() throws {
        let bench = try Bench(
            .search, settings: ["search.crop=[321, 321]", "search.filters=8", "search.blocks=3", "search.layers=8"])
        let run = try bench.start("run")
        run.waitForFile(bench.path("run/status.json"))
        kill(run.process.processIdentifier, SIGINT)
        run.waitForErrors()
        #expect(run.errors == ["stopping after this step; once more to stop at once"])
        #expect(try run.end(by: SIGINT).status == 130 && run.process.terminationReason == .exit)
        #expect(!bench.exists("run/checkpoints/last.safetensors"))
    }

    @Test("Memory that runs out is answered with what to lower")
    func memory() throws {
        let bench = try Bench(.search, settings: ["search.filters=512", "search.blocks=16", "search.layers=12"])
        let result = try Command.launch(
            "/bin/sh",
            ["-c", "ulimit -v 1600000; exec \"$@\"", "sh", Command.executable().path] + bench.arguments
                + ["--output", bench.path("run")])
        #expect(result.status == 70)
        #expect(
            result.errors.hasPrefix(
                "error: memory ran out; lower search.batch, search.crop or search.filters, or set search.recompute=cells ("
            ),
            "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
        let absurd = try Command.run(
            bench.arguments + [
                "--output", bench.path("b"), "--set", "search.batch=1024", "--set", "search.crop=[8192, 8192]",
            ])
        #expect(absurd.status == 65 && absurd.errors.contains("search.batch, search.crop: batches of 1024 crops"))
    }
}
