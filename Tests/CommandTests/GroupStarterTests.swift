import Foundation
import TestSupport
import Testing
import Torch

/// Ranks of `--processes` whose starter is killed, before and after they have met.
@Suite("Starters of groups", .enabled(if: ProcessGroup.isAvailable, "built without Gloo"), .serialized)
struct GroupStarterTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private var search: [String] {
        [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file("run"), "-q",
            "--threads", "1", "--group-timeout", "20", "--set", "search.layers=2", "--set", "search.blocks=1",
            "--set", "search.epochs=100000", "--set", "checkpoint.every=1 steps",
        ]
    }

    /// Kills a starter and waits until it and all that it has started have ended.
    private func endWithout(_ starter: StartedCommand) throws -> [String] {
        _ = try starter.end(by: SIGKILL)
        starter.waitForEndOfOutput()
        return starter.errors
    }

    @Test("Ranks that wait for another one end when their starter does, and one says so")
    func waiting() throws {
        let store = try ProcessGroup.Store(prefix: "autodeeplab/0")
        // The last of three never comes.
        let script = """
            export AUTODEEPLAB_LAUNCHER=1 AUTODEEPLAB_STARTER=$$
            for rank in 0 1; do RANK=$rank LOCAL_RANK=$rank "$0" "$@" & done
            touch "$STARTED"
            wait
            """
        let starter = try StartedCommand(
            ["-c", script, Command.executable().path] + search, program: "/bin/sh", errorFile: folder.file("errors"),
            environment: [
                "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(store.port)",
                "TORCHELASTIC_USE_AGENT_STORE": "True", "STARTED": folder.file("started"),
            ], keepsOutput: true)
        starter.waitForFile(folder.file("started"))
        let lines = try endWithout(starter)
        #expect(lines == ["error: the starter of the group is gone: start it again"], "\(lines)")
    }

    @Test("A group whose starter is killed ends with one line about that", arguments: [false, true])
    func killed(isRunning: Bool) throws {
        let starter = try StartedCommand(
            search + ["--processes", "2"], errorFile: folder.file("errors"), keepsOutput: true)
        if isRunning {
            starter.waitForFile(folder.file("run/checkpoints/last.safetensors"))
        } else {
            _ = try starter.child(rank: 1)
        }
        let lines = try endWithout(starter)
        #expect(lines.count == 1 && lines[0].hasPrefix("error: the starter of the group"), "\(lines)")
    }
}
