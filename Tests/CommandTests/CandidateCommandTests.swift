import Foundation
import TestSupport
import Testing

/// Searches by training candidates, from the command line.
@Suite("Candidates on the command line")
struct CandidateCommandTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    private func search(_ output: String) -> [String] {
        [
            "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file(output), "-q",
            "--threads", "1", "--set", "search.method=race", "--set", "search.candidates=4", "--set",
            "search.reduction=2", "--set", "train.epochs=4",
        ]
    }

    @Test("Two processes share the candidates and end with what one ends with; the winner can be used")
    func shared() throws {
        let one = try Command.run(search("one"))
        try #require(one.status == 0, "\(one.errors)")
        #expect(one.output.split(separator: "\n").count == 5 && one.output.contains("(winner)"))
        let first = try StartedCommand(search("two"), errorFile: folder.file("two.err"))
        first.waitForFile(folder.file("two/config.yaml"))
        let second = try Command.run(search("two") + ["--resume"])
        let (status, lines) = try first.end()
        #expect(status == 0 && second.status == 0, "\(lines) \(second.errors)")
        #expect(second.output == one.output)
        for file in ["genotype.json", "model.safetensors", "candidates.json", "candidates.csv"] {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: folder.file("one/\(file)")))
                    == Data(contentsOf: URL(fileURLWithPath: folder.file("two/\(file)"))), "\(file)")
        }
        let image = folder.file("scenes/images/test/0000.png")
        let predicted = try Command.run("predict", folder.file("one"), image, "--output", folder.file("masks"))
        #expect(predicted.status == 0, "\(predicted.errors)")
    }

    @Test("Neither trials nor a group go with candidates; a filled folder asks for --resume")
    func refused() throws {
        for options in [["--trials", "2"], ["--processes", "2"]] {
            let result = try Command.run(search("none") + options)
            #expect(result.status == 64 && result.errors.contains("takes neither --trials nor"), "\(result.errors)")
        }
        let filled = try Command.run(search("scenes"))
        #expect(filled.status == 64 && filled.errors.contains("by --resume"), "\(filled.errors)")
    }
}
