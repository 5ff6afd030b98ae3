import Foundation
import TestSupport
import Testing

/// The built program, run as a user runs it.
struct Command {
    /// What a run left behind.
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    /// The program beside the test bundle; that it is missing is a failure.
    static func executable() throws -> URL {
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        let folder = bundle?.bundleURL.deletingLastPathComponent() ?? Bundle.main.bundleURL
        let url = folder.appendingPathComponent("autodeeplab")
        try #require(FileManager.default.isExecutableFile(atPath: url.path), "no program at \(url.path)")
        return url
    }

    /// The engine that belongs beside a program.
    static func engine(of program: String) -> String {
        #if os(Linux)
            let name = "libAutoDeepLabEngine.so"
        #else
            let name = "libAutoDeepLabEngine.dylib"
        #endif
        return URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Copies the program with its engine; the copy's path.
    static func copy(to path: String) throws -> String {
        let own = try executable().path
        try FileManager.default.copyItem(atPath: own, toPath: path)
        try FileManager.default.copyItem(atPath: engine(of: own), toPath: engine(of: path))
        return path
    }

    /// Runs the program to its end.
    static func run(_ arguments: String...) throws -> Result {
        try run(arguments)
    }

    /// Runs the program to its end.
    static func run(_ arguments: [String], in folder: String? = nil) throws -> Result {
        try launch(executable().path, arguments, in: folder)
    }

    /// Runs any program to its end, in a folder where one is named.
    static func launch(_ program: String, _ arguments: [String], in folder: String? = nil) throws -> Result {
        let process = Process()
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        // Help is folded to the terminal's width; tests have none.
        var added = ["COLUMNS": "80"]
        if Python.isAvailable { added["PYTHON"] = Python.path }
        process.environment = ProcessInfo.processInfo.environment.merging(added) { $1 }
        // Files, since a pipe that nobody reads would stop a program that writes much.
        let base = FileManager.default.temporaryDirectory.appendingPathComponent("adl-\(UUID().uuidString)")
        let paths = [base.appendingPathExtension("out"), base.appendingPathExtension("err")]
        defer { for path in paths { try? FileManager.default.removeItem(at: path) } }
        for path in paths { try Data().write(to: path) }
        process.standardOutput = try FileHandle(forWritingTo: paths[0])
        process.standardError = try FileHandle(forWritingTo: paths[1])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: try String(contentsOf: paths[0], encoding: .utf8),
            errors: try String(contentsOf: paths[1], encoding: .utf8))
    }
}

extension TemporaryFolder {
    /// Writes a file; its path.
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
}
