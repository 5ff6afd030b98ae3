import Foundation

/// The Python of `.venv`, which `make test` makes: other programs to compare with.
package enum Python {
    package static let missing = "there is no .venv: run scripts/setup.sh --venv"

    package static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Whether the packages that a test needs are all there.
    package static func has(_ packages: String...) -> Bool {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: environment + "/lib")) ?? []
        return packages.allSatisfy { package in
            package == "torch"
                ? torchLibraries != nil
                : versions.contains {
                    FileManager.default.fileExists(atPath: "\(environment)/lib/\($0)/site-packages/\(package)")
                }
        }
    }

    private static let root = #filePath.components(separatedBy: "/Tests/")[0]
    private static let environment = root + "/.venv"
    /// The interpreter.
    package static let path = environment + "/bin/python"
    /// Where libraries are searched, if PyTorch can be imported.
    private static let torchLibraries = try? String(contentsOfFile: environment + "/torch-libraries", encoding: .utf8)

    /// What its packages need.
    package static let environmentVariables = ["PYTHONPATH": examples, "LD_LIBRARY_PATH": torchLibraries ?? ""]

    /// The folder of examples that Python can import.
    package static let examples = root + "/Examples"

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs a script with arguments and returns what it prints.
    @discardableResult
    package static func run(_ script: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["-c", script] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environmentVariables) { $1 }
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
