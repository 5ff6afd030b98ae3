import Foundation
import TestSupport
import Testing

/// A started program with a file for what it writes.
final class StartedCommand {
    let process = Process()
    private let errorFile: String
    private let events = FolderEvents()
    /// What it and all that it starts write to.
    private let output: Pipe?

    init(
        _ arguments: [String], program: String? = nil, errorFile: String, environment: [String: String] = [:],
        keepsOutput: Bool = false
    ) throws {
        self.errorFile = errorFile
        output = keepsOutput ? Pipe() : nil
        process.executableURL = try program.map { URL(fileURLWithPath: $0) } ?? Command.executable()
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try Data().write(to: URL(fileURLWithPath: errorFile))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
        process.standardOutput = output ?? FileHandle.nullDevice
        process.terminationHandler = { [wake = events.wake] _ in wake() }
        try process.run()
    }

    /// The exit status and what was written to standard error, line by line.
    func end() throws -> (status: Int32, lines: [String]) {
        process.waitUntilExit()
        return (process.terminationStatus, errors)
    }

    /// Sends a signal to the program alone and waits for its end.
    func end(by signal: Int32) throws -> (status: Int32, lines: [String]) {
        kill(process.processIdentifier, signal)
        return try end()
    }

    /// Waits until the program and all that it has started have ended, for a program that keeps its output.
    func waitForEndOfOutput() { _ = output?.fileHandleForReading.readDataToEndOfFile() }

    /// What was written to standard error so far, line by line.
    var errors: [String] {
        let text = (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Waits until a file is there, or the program has ended.
    func waitForFile(_ path: String) {
        wait(for: path) { FileManager.default.fileExists(atPath: path) }
    }

    /// Waits until a file is another one than it was, or the program has ended.
    func waitForNewFile(_ path: String, than before: FileIdentity?) {
        wait(for: path) { FileIdentity(path) != before }
    }

    /// Waits until something stands in standard error, or the program has ended.
    func waitForErrors() { wait(for: errorFile) { !errors.isEmpty } }

    private func wait(for path: String, until condition: () -> Bool) {
        events.wait(for: path) { !process.isRunning || condition() }
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
        }
        Issue.record("no process of rank \(rank)")
        return 0
    }
}

/// What tells a file from another one at the same path.
struct FileIdentity: Equatable {
    private let number: Int
    private let date: Date

    init?(_ path: String) {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let number = attributes[.systemFileNumber] as? Int, let date = attributes[.modificationDate] as? Date
        else { return nil }
        self.number = number
        self.date = date
    }
}
