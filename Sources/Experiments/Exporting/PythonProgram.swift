import Foundation

/// A short Python program, for what only Python's packages can do; no run needs it.
///
/// The interpreter is the one that the environment's `PYTHON` names, else `python3`.
struct PythonProgram {
    let source: String

    /// Runs the program.
    ///
    /// - Parameters:
    ///   - input: What the program finds as JSON in the file that its only argument names.
    ///   - path: The file that it is about, for messages.
    /// - Returns: What it prints, as JSON.
    /// - Throws: ``RunError`` with the last line that it wrote to standard error, where it fails.
    func callAsFunction<Output: Decodable>(_ input: some Encodable, about path: String) throws -> Output {
        let folder = try ScratchFolder()
        try JSONEncoder().encode(input).write(to: URL(fileURLWithPath: folder.file("input.json")))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let python = ProcessInfo.processInfo.environment["PYTHON"] ?? ""
        process.arguments = [python.isEmpty ? "python3" : python, "-c", source, folder.file("input.json")]
        // Files, since a pipe that nobody reads would stop a program that writes much.
        for name in ["out", "err"] { try Data().write(to: URL(fileURLWithPath: folder.file(name))) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("out")))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("err")))
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let errors = try String(contentsOfFile: folder.file("err"), encoding: .utf8)
        guard process.terminationStatus == 0 else {
            let reason = errors.split(whereSeparator: \.isNewline).last.map(String.init) ?? "no reason given"
            throw RunError(.damaged, path: path, "Python refuses it: \(reason)")
        }
        let output = try Data(contentsOf: URL(fileURLWithPath: folder.file("out")))
        guard let result = try? JSONDecoder().decode(Output.self, from: output) else {
            throw RunError(.damaged, path: path, "Python gives no result; is PYTHON a Python 3?")
        }
        return result
    }
}

/// A new folder for files that are needed for a moment; it goes with the object.
final class ScratchFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("autodeeplab-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw RunError(.cannotWrite, path: path, "cannot make a folder for temporary files")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}
