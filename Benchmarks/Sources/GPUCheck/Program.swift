import Foundation

/// Another program, run to its end.
struct Program {
    let status: Int32
    let output: String
    let errors: String

    init(_ path: String, _ arguments: [String], without variables: [String] = []) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        for variable in variables { environment[variable] = nil }
        process.environment = environment
        let base = NSTemporaryDirectory() + "/gpu-check-\(UUID().uuidString)"
        let paths = [base + ".out", base + ".err"]
        defer { for path in paths { try? FileManager.default.removeItem(atPath: path) } }
        for path in paths { try Data().write(to: URL(fileURLWithPath: path)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: paths[0]))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: paths[1]))
        try process.run()
        process.waitUntilExit()
        status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        output = try String(contentsOfFile: paths[0], encoding: .utf8)
        errors = try String(contentsOfFile: paths[1], encoding: .utf8)
    }
}
