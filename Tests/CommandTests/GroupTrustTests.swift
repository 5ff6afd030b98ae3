import Foundation
import TestSupport
import Testing
import Torch

/// Who can reach a group of processes, and what it makes of strange answers.
@Suite("Trust of groups", .enabled(if: ProcessGroup.isAvailable, "built without Gloo"), .serialized)
struct GroupTrustTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func start(
        _ name: String, _ more: [String], environment: [String: String] = [:]
    ) throws -> StartedCommand {
        let arguments = [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file(name), "-q",
            "--threads", "1", "--set", "search.layers=2", "--set", "search.blocks=1", "--set", "search.epochs=100000",
            "--set", "checkpoint.every=1 steps",
        ]
        return try StartedCommand(arguments + more, errorFile: folder.file(name + ".err"), environment: environment)
    }

    private func rank(_ rank: Int, of size: Int, port: Int, secret: String? = nil) throws -> StartedCommand {
        var environment = [
            "RANK": "\(rank)", "WORLD_SIZE": "\(size)", "LOCAL_RANK": "\(rank)", "LOCAL_WORLD_SIZE": "\(size)",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        ]
        environment["AUTODEEPLAB_GROUP_SECRET"] = secret
        return try start("rank\(rank)of\(size)", ["--group-timeout", "3"], environment: environment)
    }

    /// Local addresses of a process's listening sockets, as the system writes them: hexadecimal, with the port.
    private func listening(_ process: Int32) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
        let links = names.compactMap { name in
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(name)")
        }
        var addresses: [String] = []
        for kind in ["tcp", "tcp6"] {
            let table = try String(contentsOfFile: "/proc/\(process)/net/\(kind)", encoding: .utf8)
            for line in table.split(separator: "\n").dropFirst() {
                let cells = line.split(separator: " ").map(String.init)
                if cells[3] == "0A", links.contains("socket:[" + cells[9] + "]") { addresses.append(cells[1]) }
            }
        }
        return addresses
    }

    #if os(Linux)
        @Test("--processes listens on this machine's own address alone")
        func loopback() throws {
            let run = try start("run", ["--processes", "2"])
            run.waitForFile(folder.file("run/checkpoints/last.safetensors"))
            let processes = try [run.process.processIdentifier, run.child(rank: 0), run.child(rank: 1)]
            let addresses = try processes.flatMap { try listening($0) }
            #expect(!addresses.isEmpty && addresses.allSatisfy { $0.hasPrefix("0100007F:") }, "\(addresses)")
            #expect(try run.end(by: SIGTERM).status == 143)
        }
    #endif

    @Test("A group that is suspended for longer than its timeout goes on when it wakes")
    func suspended() throws {
        let run = try start("run", ["--processes", "2", "--group-timeout", "2"])
        let saved = folder.file("run/checkpoints/last.safetensors")
        run.waitForFile(saved)
        let processes = try [run.process.processIdentifier, run.child(rank: 0), run.child(rank: 1)]
        for process in processes { kill(process, SIGSTOP) }
        let before = FileIdentity(saved)
        // Time itself is what is tried.
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + 5)
        for process in processes { kill(process, SIGCONT) }
        run.waitForNewFile(saved, than: before)
        let (status, lines) = try run.end(by: SIGTERM)
        #expect(status == 143, "\(lines)")
    }

    @Test("A port that takes connections and never answers is told of")
    func silent() throws {
        let silent = try SilentPort()
        let (status, lines) = try rank(1, of: 2, port: silent.port).end()
        #expect(status == 75)
        #expect(
            lines == [
                "error: rank 1 has reached 127.0.0.1:\(silent.port), where no store of a group answers: check MASTER_ADDR,"
                    + " MASTER_PORT and rank 0"
            ], "\(lines)")
    }

    @Test("Ranks with different ideas of their number say so, both")
    func sizes() throws {
        let port = try freePort()
        let first = try rank(0, of: 3, port: port)
        let second = try rank(1, of: 2, port: port)
        let ends = try [first.end(), second.end()]
        for (status, lines) in ends {
            #expect(status == 75)
            #expect(lines.count == 1 && lines[0].hasSuffix(": give all ranks the same WORLD_SIZE"), "\(lines)")
        }
    }

    @Test("Two processes with one rank: the second says who has it")
    func twice() throws {
        let port = try freePort()
        let first = try rank(0, of: 3, port: port)
        let others = try (0..<2).map { number in
            try start(
                "other\(number)", ["--group-timeout", "3"],
                environment: [
                    "RANK": "1", "WORLD_SIZE": "3", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "3",
                    "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
                ])
        }
        let lines = try others.flatMap { try $0.end().lines }
        #expect(try first.end().status == 75)
        #expect(
            lines.count {
                $0.hasPrefix("error: rank 1 is taken by ") && $0.hasSuffix("give each process a RANK of its own")
            }
                == 1, "\(lines)")
    }

    @Test("The four variables that PyTorch asks for are enough on one machine")
    func fewVariables() throws {
        let port = try freePort()
        let ranks = try (0..<2).map { rank in
            try start(
                "few", [],
                environment: [
                    "RANK": "\(rank)", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
                ])
        }
        ranks[0].waitForFile(folder.file("few/checkpoints/last.safetensors"))
        for rank in ranks { kill(rank.process.processIdentifier, SIGTERM) }
        for rank in ranks { #expect(try rank.end().status == 143) }
    }

    @Test("Without the secret of a group nobody takes part in it")
    func secret() throws {
        let port = try freePort()
        let first = try rank(0, of: 2, port: port, secret: "one")
        let second = try rank(1, of: 2, port: port, secret: "other")
        #expect(try second.end().status == 75)
        let (status, lines) = try first.end()
        #expect(status == 75)
        #expect(
            lines == ["error: rank 1 of 2 did not come within 3 s, or has another AUTODEEPLAB_GROUP_SECRET"], "\(lines)"
        )
    }
}

/// A port of this machine that takes connections and says nothing.
private final class SilentPort {
    let port: Int
    private let descriptor: Int32

    init() throws {
        struct NoPort: Error {}
        #if os(Linux)
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        port = try freePort()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard isBound == 0, listen(descriptor, 8) == 0 else { throw NoPort() }
    }

    deinit { close(descriptor) }
}
