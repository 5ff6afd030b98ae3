import Foundation
import TestSupport
import Testing

/// Limits of the shell that started the program, and names that it cannot take.
@Suite("Limits and names")
struct LimitTests {
    private func run(_ arguments: [String], _ before: String, in folder: TemporaryFolder) throws -> Command.Result {
        try Command.launch(
            "/bin/sh", ["-c", before + "; exec \"$0\" \"$@\"", Command.executable().path] + arguments, in: folder.path)
    }

    private func search(in folder: TemporaryFolder, output: String, epochs: Int = 2) throws -> [String] {
        if !FileManager.default.fileExists(atPath: folder.file("scenes")) {
            let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
            #expect(made.status == 0, "\(made.errors)")
        }
        return [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file(output),
            "--threads", "1", "-q", "--set", "search.layers=2", "--set", "search.blocks=1", "--set",
            "search.epochs=\(epochs)",
        ]
    }

    @Test("Where files may not get as large, a run ends with a line and goes on without the limit")
    func fileSize() throws {
        let folder = try TemporaryFolder()
        let arguments = try search(in: folder, output: "run")
        let limited = try run(arguments, "ulimit -f 40", in: folder)
        #expect(limited.status == 73)
        #expect(limited.errors.hasPrefix("error: ") && limited.errors.split(separator: "\n").count == 1)
        let names = FileManager.default.enumerator(atPath: folder.file("run"))?.compactMap { $0 as? String } ?? []
        #expect(!names.isEmpty && !names.contains { $0.hasSuffix(".tmp") }, "\(names)")
        #expect(try Command.run(arguments + ["--resume"]).status == 0)
    }

    @Test("An export that may not get as large says which limit to raise")
    func exportSize() throws {
        let folder = try TemporaryFolder()
        let search = try search(in: folder, output: "run")
        let trained = try Command.run(
            ["train", "--genotype", "deeplabv3:3", "--set", "train.iterations=1"] + search.dropFirst())
        #expect(trained.status == 0, "\(trained.errors)")
        let limited = try run(["export", folder.file("run"), "--output", "model.onnx"], "ulimit -f 8", in: folder)
        #expect(limited.status == 73)
        #expect(
            limited.errors == "error: model.onnx: cannot write: File too large; raise the limit on a file's size "
                + "(ulimit -f unlimited)\n")
    }

    @Test(
        "Where memory is limited and a convolution gets none, that is said",
        .enabled(if: PreloadedLibrary.isPossible, "macOS limits no addresses"))
    func memory() throws {
        let folder = try TemporaryFolder()
        let search = try search(in: folder, output: "run").dropFirst()
        let training = ["train", "--genotype", "deeplabv3:3", "--set", "train.iterations=1"] + search
        // How much is too little depends on the machine: the first that fails is of interest.
        for kilobytes in stride(from: 1_000_000, to: 500_000, by: -60_000) {
            let result = try run(training, "ulimit -v \(kilobytes)", in: folder)
            try? FileManager.default.removeItem(atPath: folder.file("run"))
            if result.status == 0 { continue }
            #expect(result.status == 70 && result.errors.contains("memory"), "\(kilobytes): \(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
            return
        }
        Issue.record("no limit was too low")
    }

    @Test("Where too few files can be open, that is said", arguments: [4, 6])
    func openFiles(limit: Int) throws {
        let result = try run(["inspect", "auto-deeplab"], "ulimit -n \(limit)", in: TemporaryFolder())
        #expect(result.status == 70)
        #expect(result.errors == "error: too few files can be open at a time: raise the limit (ulimit -n 256)\n")
    }

    @Test("An argument that is not UTF-8 is refused, and nothing is written under another name")
    func bytes() throws {
        let folder = try TemporaryFolder()
        let script = "exec \"$0\" data demo --count 2 --output \"$(printf 'a\\377b')\""
        let result = try Command.launch(
            "/bin/sh", ["-c", script, Command.executable().path], in: folder.path)
        #expect(
            result.status == 64 && result.errors.hasSuffix("is not UTF-8: rename the file, or go by a link to it\n"))
        #expect(try folder.contents().isEmpty)
    }

    @Test("A hang-up stops a run as SIGTERM does")
    func hangUp() throws {
        let folder = try TemporaryFolder()
        let run = try StartedCommand(
            search(in: folder, output: "run", epochs: 1_000), errorFile: folder.file("errors"))
        run.waitForFile(folder.file("run/status.json"))
        let (status, lines) = try run.end(by: SIGHUP)
        #expect(status == 129 && run.process.terminationReason == .exit)
        #expect(lines.last?.contains("go on with --output ") == true, "\(lines)")
        #expect(FileManager.default.fileExists(atPath: folder.file("run/checkpoints/last.safetensors")))
    }

    @Test("A split that is a link to nothing is no split that was never meant")
    func brokenSplit() throws {
        let folder = try TemporaryFolder()
        let arguments = try search(in: folder, output: "run")
        let split = folder.file("scenes/images/val")
        try FileManager.default.removeItem(atPath: split)
        try FileManager.default.createSymbolicLink(atPath: split, withDestinationPath: folder.file("nothing"))
        let result = try Command.run(arguments)
        #expect(result.status == 66)
        #expect(result.errors.contains("error: \(split): is a link to what cannot be opened"), "\(result.errors)")
    }

    @Test(
        "Files whose names are not UTF-8 are told of", .enabled(if: PreloadedLibrary.isPossible, "names on macOS are"))
    func unreadableNames() throws {
        let folder = try TemporaryFolder()
        _ = try search(in: folder, output: "run")
        let script = "printf x > \"$1/scenes/images/train/$(printf '\\377').png\""
        #expect(try Command.launch("/bin/sh", ["-c", script, "sh", folder.path]).status == 0)
        let result = try Command.run("data", "check", folder.file("scenes"))
        #expect(result.output.contains("1 files whose names are not UTF-8 left out"), "\(result.output)")
    }
}
