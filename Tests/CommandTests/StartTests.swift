import Foundation
import TestSupport
import Testing

/// Starts that fail: nothing is begun, and nothing is left behind.
@Suite("Starts that fail")
struct StartTests {
    private let folder: TemporaryFolder
    private var output: String { folder.file("above/run") }

    init() throws {
        folder = try TemporaryFolder()
        #expect(try Command.run("data", "demo", "--count", "5", "--output", folder.file("scenes")).status == 0)
    }

    private func expectNothing(_ arguments: [String], _ status: Int32, _ part: String) throws {
        let result = try Command.run(arguments + ["--output", output])
        let command = arguments.joined(separator: " ")
        #expect(result.status == status, "\(command): \(result.errors)")
        #expect(result.errors.contains(part), "\(command): \(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("above")), "\(command)")
    }

    @Test("Bad data, a bad genotype, weights of other classes or no GPU leave no folder")
    func folders() throws {
        let data = ["--preset", "instant", "--data", folder.file("scenes"), "--threads", "1"]
        let begun = [
            ["search"], ["search", "--trials", "2"], ["train", "--genotype", "deeplabv3:3"],
            ["compare", "deeplabv3:3"],
        ]
        for verb in begun {
            try expectNothing(verb + data + ["--data", folder.file("none")], 66, "none: ")
            try expectNothing(verb + data + ["--set", "data.splits.train=odd"], 66, "odd")
            try expectNothing(
                verb + data + ["--set", "train.classWeights=[1, 2]"], 65,
                "train.classWeights: 2 weights, where the data has 7 classes")
            try expectNothing(verb + data + ["--device", "mps"], 64, "mps")
        }
        let genotype = try folder.write("{}", to: "g.json")
        try expectNothing(["train", "--genotype", genotype] + data, 65, "g.json")
        try expectNothing(["compare", genotype] + data, 65, "g.json")
        try expectNothing(["demo", "--device", "mps"], 64, "mps")
        try expectNothing(["predict", folder.file("none"), folder.file("scenes/images/val")], 66, "none")
        try expectNothing(["evaluate", folder.file("none"), "--data", folder.file("scenes")], 66, "none")
    }

    @Test("Seeds beyond the largest number are refused")
    func seeds() throws {
        let most = ["--preset", "instant", "--data", folder.file("scenes"), "--seed", "\(Int.max)"]
        let line = "--seed \(Int.max): 2 seeds from there on are beyond \(Int.max)"
        try expectNothing(["search", "--trials", "2"] + most, 64, line)
        try expectNothing(["compare", "deeplabv3:3", "--seeds", "2"] + most, 64, line)
    }

    @Test("--print-config prints what would be used, in a form that --config takes, and does nothing")
    func printing() throws {
        let changes = ["--set", "train.epochs=7", "--set", "data.classes.names=[a, b, no]", "--seed", "5"]
        for verb in [
            ["search"], ["train", "--genotype", "deeplabv3:3"], ["compare", "deeplabv3:3"], ["evaluate", "none"],
        ] {
            let output = ["--print-config", "--output", output]
            let first = try Command.run(verb + ["--preset", "instant", "--data", "some where"] + changes + output)
            #expect(first.status == 0 && first.errors.isEmpty, "\(first.errors)")
            for line in ["  root: \"some where\"", "  epochs: 7", "  layers: 4", "seed: 5"] {
                #expect(first.output.contains(line + "\n"), "\(verb): \(line)")
            }
            let file = try folder.write(first.output, to: "printed.yaml")
            let second = try Command.run(verb + ["--config", file] + output)
            #expect(second.status == 0 && second.output == first.output, "\(second.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("above")))
        }
        let bare = try Command.run("search", "--preset", "instant", "--print-config")
        #expect(bare.status == 0 && bare.output.contains("  layers: 4\n"), "\(bare.errors)")
    }

    @Test("A run's folder is asked for, has one line, and holds a run where one is to go on")
    func noRun() throws {
        let search = ["search", "--preset", "instant", "--data", "scenes"]
        let none = try Command.run(search)
        #expect(none.status == 64 && none.errors.contains("--output RUN"), "\(none.errors)")
        let lines = try Command.run(search + ["--output", folder.file("a\nb")])
        #expect(lines.status == 64 && lines.errors.contains("has one line"), "\(lines.errors)")
        let missing = try Command.run("train", "--resume", "--output", folder.file("nothing"))
        #expect(missing.status == 66)
        #expect(
            missing.errors.hasSuffix("nothing: no run is in this folder: begin one without --resume\n")
        )
    }
}
