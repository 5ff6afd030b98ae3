import Foundation
import TestSupport
import Testing
import Torch

/// libtorch's own process group over NCCL, on fake GPUs.
@Suite(
    "Sums on GPUs by NCCL",
    .enabled(
        if: ProcessGroup.isAvailable && FakeCUDA.isPossible && NCCLProbeTests.task == nil, "\(FakeCUDA.missing)"),
    .serialized)
struct NCCLTests {
    /// What each of two processes writes.
    private func run(
        _ kind: String, gpus: [String], fault: String = "", environment: [String: String] = [:]
    ) throws -> [String] {
        let folder = try TemporaryFolder()
        var fake = try FakeCUDA.environment(in: folder)
        if let other = environment["LD_PRELOAD"] { fake["LD_PRELOAD", default: ""] += " " + other }
        fake.merge(environment) { fake, _ in fake }
        let port = try freePort()
        let processes = try gpus.enumerated().map { rank, gpu in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            process.arguments = ["--testing-library", "swift-testing", "--filter", "NCCLProbeTests"]
            process.environment = ProcessInfo.processInfo.environment.merging(fake) { $1 }.merging([
                "FAKE_CUDA_GPU": gpu, "FAKE_NCCL": fault,
                NCCLProbeTests.variable: "\(kind) \(rank) \(gpus.count) \(port) \(folder.file("\(rank)"))",
            ]) { $1 }
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            let stop = DispatchWorkItem { kill(process.processIdentifier, SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 200, execute: stop)
            return (process, stop)
        }
        for (process, stop) in processes {
            process.waitUntilExit()
            stop.cancel()
        }
        return gpus.indices.map {
            (try? String(contentsOfFile: folder.file("\($0)"), encoding: .utf8)) ?? "nothing written"
        }
    }

    @Test("A GPU of its own for each rank: NCCL adds up floats, doubles and whole numbers, one after the other")
    func own() throws {
        // Rank r gives 3 + r and 4 + r, twice the sum's own sum then.
        for line in try run("sum", gpus: ["a", "b"]) { #expect(line == "NCCL [14.0, 18.0] [14.0, 18.0] [14, 18]") }
        for line in try run("sum", gpus: ["a", "b", "c"]) {
            #expect(line == "NCCL [36.0, 45.0] [36.0, 45.0] [36, 45]")
        }
    }

    @Test("Ranks that share a GPU, which NCCL refuses, keep to Gloo")
    func shared() throws {
        for line in try run("sum", gpus: ["a", "a"]) { #expect(line == "Gloo [14.0, 18.0] [14.0, 18.0] [14, 18]") }
    }

    @Test("NCCL that fails leaves the sums to Gloo and says why; one that finds nobody is told of")
    func start() throws {
        for line in try run("sum", gpus: ["a", "b"], fault: "fails") {
            #expect(line.hasPrefix("Gloo (NCCL: ") && line.hasSuffix(") [14.0, 18.0] [14.0, 18.0] [14, 18]"), "\(line)")
        }
        for line in try run("start", gpus: ["a", "b"], fault: "stuck") {
            #expect(line.hasPrefix("NCCL does not start within 10 s: "), "\(line)")
        }
    }

    @Test("A rank alone on its GPU tries NCCL")
    func alone() throws {
        #expect(try run("try", gpus: ["a"]) == ["works"])
    }

    @Test("The group of another libtorch, whose layout nobody has looked at, is refused in one line")
    func otherTorch() throws {
        let folder = try TemporaryFolder()
        let library = try PreloadedLibrary.build("Faults/other_torch.c", in: folder)
        for (version, name) in [("2.16.0", "2.16.0"), ("2.1.5", "2.1.5"), ("", "of an unknown version")] {
            let config = version.isEmpty ? "USE_NCCL=ON" : "USE_CUDA=ON, TORCH_VERSION=\(version), USE_NCCL=ON"
            let lines = try run("try", gpus: ["a"], environment: ["LD_PRELOAD": library, "OTHER_TORCH": config])
            #expect(
                lines == ["libtorch \(name) is loaded, and this program knows NCCL's process group of 2.15 alone"])
        }
        let same = ["LD_PRELOAD": library, "OTHER_TORCH": "TORCH_VERSION=2.15.3, USE_NCCL=ON"]
        #expect(try run("try", gpus: ["a"], environment: same) == ["works"])
    }

    @Test("A rank that takes no part in a sum, or ends: the other says so by its name")
    func faults() throws {
        let hangs = try run("hang", gpus: ["a", "b"])[0]
        #expect(hangs.contains("rank 1 (") && hangs.hasSuffix("takes no part for 15 s: it hangs"), "\(hangs)")
        let ends = try run("end", gpus: ["a", "b"])[0]
        #expect(ends.contains("rank 1 (") && ends.hasSuffix("is not heard of for 10 s"), "\(ends)")
    }
}

/// One process of such a group, which `NCCLTests` starts from this same test program.
@Suite("One process on a fake GPU")
struct NCCLProbeTests {
    /// KIND RANK SIZE PORT OUTPUT, with spaces between them.
    static let variable = "AUTODEEPLAB_NCCL_PROBE"
    static let task = ProcessInfo.processInfo.environment[variable]

    @Test("Sums", .enabled(if: task != nil, "is started by the tests of NCCL alone"))
    func part() throws {
        let words = (Self.task ?? "").split(separator: " ")
        try #require(words.count == 5)
        let (rank, size) = (try #require(Int(words[1])), try #require(Int(words[2])))
        let output = String(words[4])
        Engine.onFailure { failure in
            try? failure.reason.write(toFile: output, atomically: true, encoding: .utf8)
            _exit(75)
        }
        let device = Device(.cuda)
        if words[0] == "try" {
            let line: String
            do {
                try ProcessGroup.checkNCCL(on: device)
                line = "works"
            } catch {
                line = error.description
            }
            return try line.write(toFile: output, atomically: true, encoding: .utf8)
        }
        let port = try #require(Int(words[3]))
        // Short where the end of the time is waited for.
        let time = words[0] == "sum" ? 100.0 : 10
        let joined = try ProcessGroup.join(
            ProcessGroup.Rendezvous(
                host: "127.0.0.1", port: port, rank: rank, size: size, heartbeatTimeout: time,
                timeout: time + 5))
        let group = try #require(joined)
        group.selectBackend(for: device)
        switch words[0] {
        case "hang" where rank == 1: pause()
        case "end" where rank == 1: _exit(1)
        case "sum": try sums(group, on: device).write(toFile: output, atomically: true, encoding: .utf8)
        default: for _ in 0..<1000 { _ = sums(group, on: device) }
        }
        ProcessGroup.leave()
    }

    private func sums(_ group: ProcessGroup, on device: Device) -> String {
        let given = [3, 4].map { $0 + group.rank }
        let tensors = [
            Tensor(given.map(Float.init), shape: [2]), Tensor(given.map(Double.init), shape: [2]),
            Tensor(given.map(Int64.init), shape: [2]),
        ].map { $0.to(device) }
        for tensor in tensors + tensors { group.allReduce(tensor) }
        let host = tensors.map { $0.to(.cpu) }
        return "\(group.backend(for: .cuda)) \(host[0].floats()) \(host[1].doubles()) \(host[2].int64s())"
    }
}
