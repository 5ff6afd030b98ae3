import Foundation
import TestSupport
import Testing

/// What a run's folder holds in place of the program's own files leads nowhere.
///
/// Which files those are is found out by running each verb and looking at what it wrote.
@Suite("Run folders from strangers", .serialized)
struct PlantedFileTests {
    private let temporary: TemporaryFolder
    private let errors: TemporaryFolder
    private let folder: Place
    private let files = FileManager.default
    private let common: [String]
    private var train: String { folder.file("train") }

    /// A folder by the path that messages have.
    private struct Place {
        let path: String
        func file(_ name: String) -> String { path + "/" + name }
    }

    init() throws {
        temporary = try TemporaryFolder()
        errors = try TemporaryFolder()
        folder = Place(path: URL(fileURLWithPath: temporary.path).standardizedFileURL.path)
        let scenes = folder.file("scenes")
        #expect(try Command.run("data", "demo", "--count", "10", "--output", scenes).status == 0)
        common = [
            "--data", scenes, "-q", "--threads", "1", "--set", "train.iterations=2", "--set", "search.epochs=2",
            "--set",
            "evaluate.worst=1", "--set", "checkpoint.every=1 steps",
        ]
    }

    /// A run of a verb, and the folder that it writes into.
    private struct Verb {
        let name: String
        let arguments: [String]
        let folder: String
    }

    private func run(_ verb: Verb) throws {
        let result = try Command.run(verb.arguments)
        #expect(result.status == 0, "\(verb.name): \(result.errors)")
    }

    /// Every file and folder in a folder, with what tells it from one that is written later.
    private func state(_ path: String) -> [String: String] {
        let names = files.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                var status = stat()
                lstat(path + "/" + name, &status)
                let isFolder = status.st_mode & S_IFMT == S_IFDIR
                return (name, isFolder ? "" : "\(status.st_ino) \(status.st_size) \(status.st_mtim)")
            })
    }

    /// Every file in the test's folder with its bytes, links followed.
    private func contents() -> [String: Data] {
        let names = files.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let isPipe = fileType(folder.file(name)) == S_IFIFO
                return (name, isPipe ? Data() : files.contents(atPath: folder.file(name)) ?? Data())
            })
    }

    private func fileType(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Runs a verb and expects one line about a place, status 64, and every file as it was.
    private func expectRefused(_ verb: Verb, at path: String, _ words: String) throws {
        let before = contents()
        let result = try Command.run(verb.arguments)
        try expectRefused(verb, at: path, words, result.status, result.errors.split(separator: "\n").map(String.init))
        #expect(contents() == before, "\(verb.name), \(path)")
    }

    /// Likewise of a pipe, for which a program that opens it would wait for ever.
    private func expectPipeRefused(_ verb: Verb, at path: String) throws {
        let command = try StartedCommand(verb.arguments, errorFile: errors.file("errors"))
        let stop = DispatchWorkItem { kill(command.process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: stop)
        let (status, lines) = try command.end()
        stop.cancel()
        try expectRefused(verb, at: path, "is no ordinary file", status, lines)
    }

    private func expectRefused(
        _ verb: Verb, at path: String, _ words: String, _ status: Int32, _ lines: [String]
    ) throws {
        #expect(
            status == 64 && lines.count == 1 && lines.first?.hasPrefix("error: \(path): \(words)") == true,
            "\(verb.name), \(path): \(status) \(lines)")
    }

    /// Puts something else in the place of a file or folder for a moment.
    private func replacing(
        _ path: String, by plant: (_ canary: String) throws -> Void, _ body: () throws -> Void
    ) throws {
        let canary = folder.file("canary")
        let isThere = fileType(path) != nil
        if isThere {
            try files.moveItem(atPath: path, toPath: canary)
        } else {
            try Data("somebody's own".utf8).write(to: URL(fileURLWithPath: canary))
        }
        try plant(canary)
        try body()
        #expect(unlink(path) == 0)
        if isThere {
            try files.moveItem(atPath: canary, toPath: path)
        } else {
            try files.removeItem(atPath: canary)
        }
    }

    /// Plants links, second names and pipes for all that a verb writes, one by one.
    private func plant(_ verb: Verb, written: [String]) throws {
        for name in written {
            let path = verb.folder + "/" + name
            try replacing(path, by: { try files.createSymbolicLink(atPath: path, withDestinationPath: $0) }) {
                try expectRefused(verb, at: path, "is a symbolic link")
            }
        }
        let grown = written.filter { name in
            [".lock", "log.jsonl", "metrics.csv"].contains { name.hasSuffix($0) } || name.contains("events.out.")
        }
        for name in grown {
            let path = verb.folder + "/" + name
            try replacing(path, by: { try files.linkItem(atPath: $0, toPath: path) }) {
                try expectRefused(verb, at: path, "has another name elsewhere")
            }
            if name.contains("/") { continue }
            try replacing(path, by: { _ in #expect(mkfifo(path, 0o600) == 0) }) {
                try expectPipeRefused(verb, at: path)
            }
        }
    }

    /// What a verb writes in its folder.
    private func written(by verb: Verb) throws -> [String] {
        let before = state(verb.folder)
        try run(verb)
        let after = state(verb.folder)
        let names = after.keys.filter { after[$0] != before[$0] }.sorted()
        #expect(!names.isEmpty, "\(verb.name)")
        return names
    }

    @Test("A search, a training and trials write by way of nothing that was planted")
    func runs() throws {
        let trained = ["train", "--preset", "instant", "--genotype", "deeplabv3:3", "--output", train] + common
        let verbs = [
            Verb(name: "train", arguments: trained, folder: train),
            Verb(
                name: "search",
                arguments: ["search", "--preset", "instant", "--output", folder.file("search")] + common,
                folder: folder.file("search")),
            Verb(
                name: "trials",
                arguments: [
                    "search", "--preset", "instant", "--trials", "2", "--trial-epochs", "1", "--output",
                    folder.file("trials"),
                ] + common, folder: folder.file("trials")),
        ]
        for verb in verbs {
            let names = try written(by: verb)
            #expect(names.count > 10, "\(names)")
            let again = Verb(name: verb.name, arguments: verb.arguments + ["--resume"], folder: verb.folder)
            // All trials are alike.
            try plant(again, written: names.filter { !$0.hasPrefix("seed-1/") })
        }
    }

    @Test("Evaluations, reports, comparisons and exports write by way of nothing that was planted")
    func results() throws {
        let comparison = Verb(
            name: "compare",
            arguments: ["compare", "deeplabv3:3", "--preset", "instant", "--output", folder.file("compared")] + common,
            folder: folder.file("compared"))
        let compared = try written(by: comparison)
        try plant(comparison, written: compared)
        try files.copyItem(atPath: folder.file("compared/deeplabv3-3-seed0"), toPath: train)
        try files.removeItem(atPath: train + "/splits")
        for verb in [
            Verb(name: "evaluate", arguments: ["evaluate", train, "--split", "val"] + common, folder: train),
            Verb(name: "report", arguments: ["report", train], folder: train),
            Verb(
                name: "compare --report", arguments: comparison.arguments + ["--report", train], folder: train),
            Verb(
                name: "evaluate --output",
                arguments: ["evaluate", train, "--output", folder.file("judged")] + common,
                folder: folder.file("judged")),
            Verb(
                name: "predict",
                arguments: [
                    "predict", train, folder.file("scenes/images/test"), "--output", train + "/out", "--overlay",
                    "--probabilities", "npy", "-q",
                ], folder: train),
            Verb(
                name: "export", arguments: ["export", train, "--output", train + "/model.onnx", "-q"], folder: train),
            Verb(name: "draw", arguments: ["draw", train, "--output", train + "/network.svg"], folder: train),
        ] {
            let names = try written(by: verb)
            try plant(verb, written: names)
        }
    }

    @Test("A demo writes by way of nothing that was planted")
    func demo() throws {
        let demo = Verb(
            name: "demo", arguments: ["demo", "--output", folder.file("demo"), "-q"], folder: folder.file("demo"))
        try files.createDirectory(atPath: demo.folder, withIntermediateDirectories: true)
        try plant(demo, written: ["scenes", "run"])
    }

    @Test("The run's folder itself and those above may be links, and a user's own links in it may stay")
    func own() throws {
        let arguments = ["train", "--preset", "instant", "--genotype", "deeplabv3:3"] + common
        try files.createDirectory(atPath: folder.file("disk/runs"), withIntermediateDirectories: true)
        try files.createSymbolicLink(atPath: folder.file("runs"), withDestinationPath: "disk/runs")
        let first = try Command.run(arguments + ["--output", folder.file("runs/x")])
        #expect(first.status == 0, "\(first.errors)")
        try files.createSymbolicLink(atPath: folder.file("y"), withDestinationPath: "runs/x")
        try files.createSymbolicLink(atPath: folder.file("y/notes"), withDestinationPath: "../../scenes")
        for arguments in [
            arguments + ["--output", folder.file("y"), "--resume"], ["evaluate", folder.file("y")] + common,
            ["report", folder.file("y")],
        ] {
            let result = try Command.run(arguments)
            #expect(result.status == 0, "\(result.errors)")
        }
        #expect(files.fileExists(atPath: folder.file("disk/runs/x/metrics.json")))
    }
}
