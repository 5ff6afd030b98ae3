import Foundation
import TestSupport
import Testing

/// Kills at each of the moments at which the names in a run's folder change, and file systems that do not help.
@Suite("Kills between two files", .enabled(if: PreloadedLibrary.isPossible, "needs Linux"), .serialized)
struct KilledRunTests {
    private let folder: TemporaryFolder
    private let library: String
    private let arguments: [String]

    init() throws {
        folder = try TemporaryFolder()
        library = try PreloadedLibrary.build("Faults/files.c", in: folder)
        let made = try Command.run("data", "demo", "--count", "10", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
        arguments = [
            "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", folder.file("scenes"), "-q",
            "--threads", "1", "--set", "train.epochs=2", "--set", "checkpoint.keep=2", "--set", "evaluate.worst=1",
        ]
    }

    /// Trains, or goes on, with the library's settings; the exit status, and whether a signal ended it.
    @discardableResult
    private func run(_ name: String, _ settings: [String: String] = [:]) throws -> (status: Int32, isKilled: Bool) {
        let command = try StartedCommand(
            arguments + ["--output", folder.file(name), "--resume"], errorFile: folder.file("errors"),
            environment: settings.merging(["LD_PRELOAD": library]) { $1 })
        let (status, lines) = try command.end()
        let isKilled = command.process.terminationReason == .uncaughtSignal
        #expect(isKilled || status == 0, "\(lines)")
        return (status, isKilled)
    }

    /// What is done to the names below a part of a run's path, call by call.
    private func calls(_ name: String, within part: String) throws -> [String] {
        let log = folder.file("log")
        try run(name, ["FILES_WITHIN": "/" + name + part, "FILES_LOG": log])
        defer { try? FileManager.default.removeItem(atPath: log) }
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    private func contents(_ name: String) -> Data? { FileManager.default.contents(atPath: folder.file(name)) }

    private func names(_ name: String) -> [String] {
        FileManager.default.enumerator(atPath: folder.file(name))?.compactMap { $0 as? String } ?? []
    }

    @Test("A training killed at any change of its checkpoints' names ends with the same last, best and model")
    func checkpoints() throws {
        let calls = try calls("whole", within: "/checkpoints/")
        #expect(calls.count > 8 && calls.contains { $0.contains("best") }, "\(calls)")
        for number in 1...max(1, calls.count) {
            let killed = try run("run", ["FILES_WITHIN": "/run/checkpoints/", "FILES_KILL": "\(number)"])
            #expect(killed.isKilled, "\(number)")
            try run("run")
            for file in ["checkpoints/last.safetensors", "checkpoints/best.safetensors", "model.safetensors"] {
                let isEqual = contents("run/" + file) == contents("whole/" + file)
                #expect(isEqual, "\(file), killed at \(calls[number - 1])")
            }
            let left = names("run").filter {
                $0.hasSuffix(".tmp") || $0.contains("/next") || $0.contains(".dat.nosync")
            }
            #expect(left.isEmpty, "killed at \(calls[number - 1])")
            try FileManager.default.removeItem(atPath: folder.file("run"))
        }
    }

    @Test("What a kill leaves half written goes when the run goes on, whatever folder it is in")
    func leftovers() throws {
        let made = try calls("whole", within: "/").filter { $0.hasPrefix("open ") && $0.hasSuffix(".tmp") }
        let folders = Set(
            made.map { call in
                "/run" + (call as NSString).deletingLastPathComponent.components(separatedBy: "/whole")[1]
            })
        for place in folders.sorted() {
            let killed = try run("run", ["FILES_WITHIN": "/run/", "FILES_KILL_IN": place])
            #expect(killed.isKilled && names("run").contains { $0.hasSuffix(".tmp") }, "\(place)")
            try Data("half".utf8).write(to: URL(fileURLWithPath: folder.file("run/.dat.nosync12.abc")))
            try run("run")
            #expect(!names("run").contains { $0.hasSuffix(".tmp") || $0.contains(".dat.nosync") }, "\(place)")
            try FileManager.default.removeItem(atPath: folder.file("run"))
        }
        // The run's own, its checkpoints, the validation and the pictures of it.
        #expect(folders.count >= 4, "\(folders)")
    }

    @Test(
        "Where files cannot have second names, the checkpoint before is a copy",
        arguments: [EPERM, EMLINK])
    func copies(code: Int32) throws {
        try run("whole")
        try run("run", ["FILES_NO_LINKS": "\(code)"])
        let before = try #require(contents("whole/checkpoints/last-1.safetensors"))
        #expect(contents("run/checkpoints/last-1.safetensors") == before)
        #expect(contents("run/checkpoints/last.safetensors") == contents("whole/checkpoints/last.safetensors"))
    }

    @Test("Scratch folders of killed processes go with the next one; living ones' and links stay")
    func scratch() throws {
        let system = folder.file("tmp")
        let files = FileManager.default
        for name in ["dead", "alive", "other"] {
            let prefix = name == "other" ? "else-" : "autodeeplab-scratch-"
            try files.createDirectory(atPath: system + "/" + prefix + name, withIntermediateDirectories: true)
        }
        try files.createSymbolicLink(
            atPath: system + "/autodeeplab-scratch-dead/link", withDestinationPath: folder.file("scenes"))
        try files.createSymbolicLink(
            atPath: system + "/autodeeplab-scratch-link", withDestinationPath: folder.file("scenes"))
        let before = names("scenes")
        let alive = open(system + "/autodeeplab-scratch-alive", O_RDONLY | O_CLOEXEC)
        defer { close(alive) }
        #expect(flock(alive, LOCK_EX) == 0)
        let command = try StartedCommand(
            ["draw", "deeplabv3", "--output", folder.file("network.png")], errorFile: folder.file("errors"),
            environment: ["TMPDIR": system])
        _ = try command.end()
        #expect(
            try files.contentsOfDirectory(atPath: system).sorted() == [
                "autodeeplab-scratch-alive", "autodeeplab-scratch-link", "else-other",
            ])
        #expect(names("scenes") == before)
    }
}
