import Foundation
import TestSupport
import Testing

/// Output that cannot be written, and output that a stranger's names would like to steer.
@Suite("Standard streams")
struct StandardStreamsTests {
    /// Runs the program with redirections as a shell writes them; what it says comes back where they leave it.
    private func run(_ arguments: [String], _ redirections: String) throws -> Command.Result {
        try Command.launch(
            "/bin/sh", ["-c", "exec \"$0\" \"$@\" \(redirections)", Command.executable().path] + arguments)
    }

    private func scenes(in folder: TemporaryFolder) throws -> String {
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.path + "/scenes")
        #expect(made.status == 0, "\(made.errors)")
        return folder.path + "/scenes"
    }

    @Test(
        "A run goes on to its end where its messages cannot be written",
        arguments: ["2>/dev/full", "2>&-", ">&- 2>&- <&-"])
    func errors(redirections: String) throws {
        #if !os(Linux)
            if redirections.contains("/dev/full") { return }
        #endif
        let temporary = try TemporaryFolder()
        let data = try scenes(in: temporary)
        let output = temporary.path + "/run"
        let result = try run(
            [
                "search", "--preset", "instant", "--data", data, "--output", output, "--threads", "1",
                "--set", "search.layers=2", "--set", "search.blocks=1", "--set", "search.epochs=2",
            ], redirections)
        #expect(result.status == (redirections.contains(">&- 2") ? 73 : 0))
        #expect(FileManager.default.fileExists(atPath: output + "/genotype.json"))
        // The first file of a run would be opened as the descriptor that was closed.
        let lock = try String(contentsOfFile: output + "/.lock", encoding: .utf8)
        #expect(lock.allSatisfy { $0.isNumber || $0.isNewline }, "\(lock)")
    }

    @Test("An error keeps its status where it cannot be told")
    func unseenError() throws {
        let missing = ["inspect", "/nowhere/genotype.json"]
        #expect(try run(missing, "2>&-").status == 66)
        #expect(try run(["inspect", "--nonsense"], "2>&-").status == 64)
    }

    @Test(
        "A result that cannot be written is an error of its own", arguments: [["inspect", "auto-deeplab"], ["--help"]])
    func output(arguments: [String]) throws {
        let closed = try run(arguments, ">&-")
        #expect(closed.status == 73)
        #expect(closed.errors == "error: standard output cannot be written: Bad file descriptor\n")
        #if os(Linux)
            let full = try run(arguments, ">/dev/full")
            #expect(full.status == 73)
            #expect(full.errors == "error: standard output cannot be written: No space left on device\n")
        #endif
    }

    @Test("A reader that goes away ends nothing but the output")
    func closedPipe() throws {
        let process = Process()
        process.executableURL = try Command.executable()
        process.arguments = ["inspect", "auto-deeplab"]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try output.fileHandleForReading.close()
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 73)
        #expect(said.isEmpty)
    }

    @Test("What steers a terminal is shown by its number, in names, arguments and settings")
    func controls() throws {
        let temporary = try TemporaryFolder()
        // Clears the screen; the same by one character; turns the direction of writing.
        let name = "a\u{1B}[2J\u{9B}2J\u{202E}z"
        let shown = "a\\u001b[2J\\u009b2J\\u202ez"
        let data = try scenes(in: temporary)
        try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(data)/images/train/\(name).png"))
        try Data("no mask".utf8).write(to: URL(fileURLWithPath: "\(data)/masks/train/\(name).png"))
        let genotype = "\(temporary.path)/\(name).json"
        try Data("{\"version\": 1, \"\(name)\": 2}".utf8).write(to: URL(fileURLWithPath: genotype))
        let configuration = "\(temporary.path)/config.yaml"
        try Data(#""a\e[2J\x9B2J\u202Ez": 3"#.utf8).write(to: URL(fileURLWithPath: configuration))
        for arguments in [
            ["data", "check", data], ["data", "check", data, "--json"], ["inspect", genotype], ["inspect", name],
            ["inspect", "auto-deeplab", "--\(name)"], ["doctor", "--config", configuration],
            ["doctor", "--set", "\(name)=1"],
            ["train", "--preset", "instant", "--data", data, "--genotype", "deeplabv3:4", "--output", name + "/run"],
        ] {
            let result = try Command.launch(
                Command.executable().path, arguments, in: temporary.path)
            let said = result.output + result.errors
            #expect(
                !said.unicodeScalars.contains { "\u{1B}\u{9B}\u{202E}".unicodeScalars.contains($0) }, "\(arguments)")
            if arguments[0] != "train" { #expect(said.contains(shown), "\(arguments): \(said)") }
            if arguments.last == "--json" {
                let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
                let problems = try #require(object?["problems"] as? [[String: Any]])
                #expect(problems.contains { ($0["file"] as? String)?.contains(name) == true })
            }
        }
    }

    @Test("A configuration that is a pipe or a device is refused", arguments: ["pipe", "/dev/zero"])
    func configurations(path: String) throws {
        let temporary = try TemporaryFolder()
        let file = path.hasPrefix("/") ? path : temporary.path + "/" + path
        if !path.hasPrefix("/") { #expect(mkfifo(file, 0o600) == 0) }
        let result = try Command.run("doctor", "--config", file)
        #expect(result.status == 65)
        #expect(result.errors == "error: \(file): is not an ordinary file\n")
    }
}
