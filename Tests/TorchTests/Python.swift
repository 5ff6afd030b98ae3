import Foundation

/// The Python of `.venv`, which `make test` makes: other programs to compare with.
enum Python {
    static let missing = "there is no .venv: run scripts/setup.sh --venv"

    static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: path) }

    private static let path =
        #filePath.components(separatedBy: "/Tests/")[0] + "/.venv/bin/python"

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a script with arguments and returns what it prints.
    @discardableResult
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: text) }
        return text
    }
}
