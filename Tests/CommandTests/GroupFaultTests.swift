import Foundation
import Segmentation
import TestSupport
import Testing
import Torch

/// Kills of single ranks of a group; `make faults` asks for more of them than `make test`, by FAULTS.
@Suite("Faults of groups", .enabled(if: ProcessGroup.isAvailable, "built without Gloo"), .serialized)
struct GroupFaultTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func search(_ output: String) -> [String] {
        [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file(output), "-q",
            "--threads", "1", "--processes", "2", "--set", "search.layers=2", "--set", "search.blocks=1", "--set",
            "checkpoint.every=1 steps",
        ]
    }

    /// What must be the same, byte for byte, and the log apart from times and memory.
    private func expectEqual(_ one: String, _ other: String, _ comment: String) throws {
        for file in ["checkpoints/last.safetensors", "genotype.json"] {
            let contents = try [one, other].map {
                try Data(contentsOf: URL(fileURLWithPath: folder.file("\($0)/\(file)")))
            }
            #expect(contents[0] == contents[1], "\(file), \(comment)")
        }
        let logs = try [one, other].map { name in
            try String(contentsOfFile: folder.file(name) + "/log.jsonl", encoding: .utf8).split(separator: "\n").map {
                let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
                let times = ["time", "secondsPerStep", "waitShare", "peakMemory", "bytesPerStep"]
                return object.filter { !times.contains($0.key) } as NSDictionary
            }
        }
        #expect(logs[0] == logs[1] && logs[0].count == 2, "log.jsonl, \(comment)")
    }

    @Test("A group of which a rank is killed anywhere, and again, ends as one that never was")
    func kills() throws {
        let begin = Date()
        let whole = try Command.run(search("whole"))
        #expect(whole.status == 0, "\(whole.errors)")
        let duration = Date().timeIntervalSince(begin)
        var random = RandomStream(seed: 19)
        var (kills, runs) = (0, 0)
        while kills < FaultTests.count {
            runs += 1
            let before = kills
            let run = try StartedCommand(search("broken") + ["--resume"], errorFile: folder.file("err"))
            let victim = try run.child(rank: random.below(2))
            usleep(UInt32(duration * 1e6 * Double(random.below(900)) / 1_000))
            kill(victim, SIGKILL)
            let (status, lines) = try run.end()
            if status != 0 {
                kills += 1
                #expect(status == 75 && lines.count == 1, "\(lines)")
            }
            let end = try Command.run(search("broken") + ["--resume"])
            #expect(end.status == 0, "\(end.errors)")
            try expectEqual("whole", "broken", "run \(runs), \(kills > before ? "killed" : "not killed in time")")
            try FileManager.default.removeItem(atPath: folder.file("broken"))
        }
        print("faults: groups: \(kills) kills in \(runs) runs")
    }
}
