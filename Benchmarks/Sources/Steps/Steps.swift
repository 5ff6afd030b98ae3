import Foundation
import Runs
import StepCases
import Torch

/// Seconds and peak memory of the steps that take a user's time, as a table and, with `--json FILE`, as JSON.
///
///     Steps [SIZE] [--rounds N] [--only NAME] [--json FILE]
///
/// Every case runs in a process of its own, by turns with the others, so that its memory is its own and a busy minute
/// of the machine falls on all. `--only` picks the cases whose names contain a text.
@main
struct Steps {
    static func main() throws {
        ProcessMemory.boundThreadCaches()
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        let size = arguments.position.flatMap { Int($0) } ?? 129
        if let name = arguments["--case"] {
            guard let known = Case.allCases.first(where: { $0.rawValue == name }) else { exit(64) }
            let run = known.measure(size: size, repetitions: arguments["--repetitions"].flatMap { Int($0) } ?? 3)
            print(String(decoding: try JSONEncoder().encode(run), as: UTF8.self))
            return
        }
        let rounds = max(1, arguments["--rounds"].flatMap { Int($0) } ?? 3)
        let cases = Case.allCases.filter { arguments["--only"].map($0.rawValue.contains) ?? true }
        var runs: [Case: [Run]] = [:]
        for _ in 0..<rounds {
            for measured in cases { runs[measured, default: []].append(try child(measured, size: size)) }
        }
        let report = Report(size: size, rate: matrixRate(), runs: runs)
        print(report.table)
        if let file = arguments["--json"] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try AtomicFile.write(try encoder.encode(report), to: file)
        }
    }

    private static func child(_ measured: Case, size: Int) throws -> Run {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["\(size)", "--case", measured.rawValue]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Run.self, from: data)
    }

    /// Multiply-adds a second of a product of matrices of 1024 x 1024, on all threads: the best of ten.
    private static func matrixRate() -> Double {
        Engine.threads = ProcessInfo.processInfo.activeProcessorCount
        let a = Tensor.full(0.5, [1_024, 1_024])
        let seconds = (0..<10).map { _ in
            let start = Date()
            _ = a.matmul(a)
            return Date().timeIntervalSince(start)
        }
        return pow(1_024, 3) / (seconds.min() ?? .infinity)
    }
}
