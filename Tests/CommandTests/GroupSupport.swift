import Foundation
import Testing

/// A started program with a file for what it writes.
final class StartedCommand {
    let process = Process()
    private let errorFile: String

    init(
        _ arguments: [String], program: String? = nil, errorFile: String, environment: [String: String] = [:]
    ) throws {
        self.errorFile = errorFile
        process.executableURL = try program.map { URL(fileURLWithPath: $0) } ?? Command.executable()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try Data().write(to: URL(fileURLWithPath: errorFile))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    /// The exit status and what was written to standard error, line by line.
    func end() throws -> (status: Int32, lines: [String]) {
        process.waitUntilExit()
        let text = try String(contentsOfFile: errorFile, encoding: .utf8)
        return (process.terminationStatus, text.split(separator: "\n").map(String.init))
    }

    /// The process of a rank, which this one has started.
    func child(rank: Int) throws -> Int32 {
        for _ in 0..<1_000 {
            let found = try Command.launch("/usr/bin/env", ["pgrep", "-P", "\(process.processIdentifier)"])
            for number in found.output.split(separator: "\n").compactMap({ Int32($0) }) {
                let variables = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(number)/environ"))) ?? Data()
                if String(decoding: variables, as: UTF8.self).split(separator: "\0").contains("RANK=\(rank)") {
                    return number
                }
            }
            usleep(10_000)
        }
        Issue.record("no process of rank \(rank)")
        return 0
    }
}
