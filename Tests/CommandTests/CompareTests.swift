import Foundation
import TestSupport
import Testing

/// Comparisons of two small networks under two seeds by the built program.
@Suite("compare", .serialized)
struct CompareTests {
    private struct Table: Decodable, Equatable {
        struct Network: Decodable, Equatable {
            struct Run: Decodable, Equatable {
                var seed: Int
                var folder: String
                var mIOU: Double?
                var validationMIOU: Double?
                var error: String?
            }

            var name: String
            var filters: Int
            var multiplyAdds: Int
            var relativeMultiplyAdds: Double
            var mIOU: Double?
            var spread: Double?
            var runs: [Run]
        }

        var split: String
        var seeds: [Int]
        var size: [Int]
        var networks: [Network]
    }

    private let folder: TemporaryFolder
    private let networks = ["deeplabv3:3", "stacked-hourglass:4"]

    init() throws {
        folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "20", "--output", folder.path + "/scenes").status == 0)
    }

    private func arguments(_ output: String, _ more: [String] = []) -> [String] {
        ["compare"] + networks + [
            "--output", folder.file(output), "--preset", "instant", "--data", folder.path + "/scenes", "--seeds", "2",
            "--equal-multiply-adds", "-q", "--threads", "1", "--json",
        ] + more
    }

    private func table(_ result: Command.Result) throws -> Table {
        try JSONDecoder().decode(Table.self, from: Data(result.output.utf8))
    }

    private func dates(_ output: String) throws -> [Date?] {
        try ["deeplabv3-3-seed0", "stacked-hourglass-4-seed1"].map { run in
            let path = folder.file("\(output)/\(run)/checkpoints/last.safetensors")
            return try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        }
    }

    @Test("A comparison is made once, extended, and refused under another configuration; its table is shown")
    func whole() throws {
        let first = try Command.run(arguments("c"))
        #expect(first.status == 0, "\(first.errors)")
        let table = try table(first)
        #expect(table.split == "test" && table.seeds == [0, 1])
        #expect(table.size.allSatisfy { $0 % 32 == 1 })
        #expect(table.networks.map(\.name) == ["deeplabv3-3", "stacked-hourglass-4"])
        #expect(table.networks[0].filters == 4 && table.networks[0].relativeMultiplyAdds == 1)
        let near = table.networks[1].relativeMultiplyAdds
        #expect(abs(near - 1) <= 0.1 || first.errors.contains("stacked-hourglass-4: no filters bring"))
        for network in table.networks {
            let scores = network.runs.compactMap(\.mIOU)
            #expect(scores.count == 2 && network.runs.map(\.seed) == [0, 1])
            // Two values: the mean lies between them, the deviation is their distance by the root of 2.
            let (low, high) = (scores.min() ?? 0, scores.max() ?? 0)
            #expect(abs((network.mIOU ?? 0) - (low + high) / 2) < 1e-12)
            #expect(abs((network.spread ?? 0) - (high - low) / 2.0.squareRoot()) < 1e-12)
            // What the run's own evaluation says.
            for run in network.runs {
                let file = try Data(contentsOf: URL(fileURLWithPath: folder.file("c/\(run.folder)/metrics.json")))
                let metrics = try #require(try JSONSerialization.jsonObject(with: file) as? [String: Any])
                // Foundation's two readers of JSON round the last digit differently.
                #expect(abs((metrics["mIOU"] as? Double ?? -1) - (run.mIOU ?? 0)) < 1e-12)
            }
        }
        let before = try dates("c")
        let markdown = try String(contentsOfFile: folder.file("c/compare.md"), encoding: .utf8)
        #expect(markdown.hasPrefix("| network ") && markdown.contains("± standard deviation over seeds 0, 1"))
        let csv = try String(contentsOfFile: folder.file("c/compare.csv"), encoding: .utf8).split(separator: "\n")
        #expect(csv.count == 3 && csv.allSatisfy { $0.split(separator: ",").count == 10 })

        // Again, without a configuration and with the table in a run's report: nothing is trained.
        let run = folder.file("c/deeplabv3-3-seed0")
        let again = try Command.run(
            ["compare"] + networks + [
                "--output", folder.file("c"), "--seeds", "0,1", "--equal-multiply-adds", "--report", run, "-q",
            ])
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.output == markdown)
        #expect(try dates("c") == before)
        let page = try String(contentsOfFile: run + "/report.html", encoding: .utf8)
        #expect(page.contains("Measured comparison") && page.contains("<th scope=\"row\">stacked-hourglass-4</th>"))

        let changed = try Command.run(arguments("c", ["--set", "train.learningRate=0.01"]))
        #expect(changed.status == 64 && changed.output.isEmpty)
        #expect(changed.errors.contains("train.learningRate was 0.05 and is 0.01"))
        // Without equal costs the second network would have the first one's filters.
        let others = try Command.run(arguments("c").filter { $0 != "--equal-multiply-adds" })
        #expect(others.status == 64 && others.errors.contains("train.filters was "))

        try failing(table)
    }

    /// A third network, whose run cannot go on: it is reported, and the table has the rest.
    private func failing(_ table: Table) throws {
        let path = folder.file("c/conv-deconv-7-seed0/checkpoints")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data("no checkpoint".utf8).write(to: URL(fileURLWithPath: path + "/last.safetensors"))
        let result = try Command.run(arguments("c", ["conv-deconv:7"]).map { $0 == "2" ? "1" : $0 })
        #expect(result.status == 65)
        let error = try #require(result.errors.split(separator: "\n").last)
        #expect(error.hasPrefix("warning: conv-deconv-7-seed0: ") && error.contains("checkpoint"))
        let extended = try self.table(result)
        #expect(extended.networks.map { $0.mIOU != nil } == [true, true, false])
        #expect(extended.networks[2].runs[0].error?.contains("checkpoint") == true)
        #expect(extended.networks[0].runs == Array(table.networks[0].runs.prefix(1)))
        #expect(extended.networks[0].spread == nil)
    }

    @Test("A comparison that was stopped or killed goes on to the same table", arguments: [SIGINT, SIGKILL])
    func resume(signal: Int32) throws {
        let options = ["--set", "checkpoint.every=3 steps"]
        let whole = try Command.run(arguments("whole", options))
        #expect(whole.status == 0, "\(whole.errors)")
        // Ended within the second run.
        let stopped = try StartedCommand(arguments("broken", options), errorFile: folder.file("errors"))
        stopped.waitForFile(folder.file("broken/stacked-hourglass-4-seed0/checkpoints/last.safetensors"))
        #expect(try stopped.end(by: signal).status == (signal == SIGINT ? 130 : SIGKILL))
        let resumed = try Command.run(arguments("broken", options))
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try table(resumed) == table(whole))
        // Networks of seconds are often equally bad; their weights are not.
        #expect(try checkpoints("broken") == checkpoints("whole") && Set(checkpoints("whole")).count == 4)
    }

    /// The four runs' last checkpoints.
    private func checkpoints(_ output: String) throws -> [Data] {
        try ["deeplabv3-3", "stacked-hourglass-4"].flatMap { name in
            try (0..<2).map { seed in
                let path = folder.file("\(output)/\(name)-seed\(seed)/checkpoints/last.safetensors")
                return try Data(contentsOf: URL(fileURLWithPath: path))
            }
        }
    }

    @Test("Two processes share a comparison: each run is made once, and both end with the same table")
    func together() throws {
        let both = try (0..<2).map { number in
            try StartedCommand(arguments("shared"), errorFile: folder.file("errors-\(number)"))
        }
        for command in both { #expect(try command.end().status == 0) }
        let alone = try Command.run(arguments("alone"))
        let shared = try Command.run(arguments("shared"))
        #expect(try table(shared) == table(alone))
        #expect(try checkpoints("shared") == checkpoints("alone"))
        for run in try table(shared).networks.flatMap(\.runs) {
            let log = try String(contentsOfFile: folder.file("shared/\(run.folder)/log.jsonl"), encoding: .utf8)
            #expect(log.split(separator: "\n").count == 2)
        }
    }

    @Test("What cannot be compared is one line, before anything is trained")
    func faults() throws {
        let output = folder.file("none")
        func fault(_ arguments: [String]) throws -> (Int32, String) {
            let result = try Command.run(["compare"] + arguments + ["--output", output])
            #expect(result.errors.filter(\.isNewline).count == 1 && result.output.isEmpty)
            return (result.status, result.errors)
        }
        let data = ["--preset", "instant", "--data", folder.path + "/scenes"]
        let few = try fault(["deeplabv3:2"] + data)
        #expect(few == (65, "error: deeplabv3: layers: the design has 3 to 256 layers, not 2\n"))
        #expect(try fault(["deeplabv3:many"] + data).1.contains("layers: 'many' is not a whole number"))
        #expect(try fault(["deeplabv4"] + data).0 == 66)
        #expect(try fault(["deeplabv3", "--seeds", "1,1"] + data).0 == 64)
        #expect(try fault(["deeplabv3", "--split", "none"] + data).0 != 0)
        #expect(try fault(["deeplabv3", "--report", folder.path] + data).0 == 66)
        #expect(!FileManager.default.fileExists(atPath: output))
        let filled = try Command.run(["compare", "deeplabv3", "--output", folder.path + "/scenes"] + data)
        #expect(filled.status == 64 && filled.errors.contains("holds no comparison"))
    }
}
