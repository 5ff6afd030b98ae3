import Foundation
import Runs
import StepCases
import Torch

/// How time and memory of a search's weight step grow with layers, filters, blocks, pixels, batch and processes: a picture
/// each, and the exponents that fit.
///
///     Growth --output DIR [--repetitions N] [--rounds N]
///     Growth --output DIR --from growth.json
///
/// 8 layers, 5 blocks, F = 8, 129 x 129, batch 2, unless it is their turn. Every step size runs in a process of its own,
/// all of them once a round; processes that share a batch are started together. `--from` draws what was measured before.
@main
struct Growth {
    static func main() throws {
        ProcessMemory.boundThreadCaches()
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        let repetitions = arguments["--repetitions"].flatMap { Int($0) } ?? 3
        if let quantity = arguments["--quantity"].flatMap(Quantity.init(rawValue:)),
            let value = arguments["--value"].flatMap({ Int($0) })
        {
            if let rank = arguments["--rank"].flatMap({ Int($0) }), let port = arguments["--port"].flatMap({ Int($0) })
            {
                _ = try ProcessGroup.join(
                    .init(host: "127.0.0.1", port: port, opensStore: false, rank: rank, size: value))
            }
            let measured = Measurement(quantity, value, repetitions: repetitions)
            ProcessGroup.leave()
            print(String(decoding: try JSONEncoder().encode(measured), as: UTF8.self))
            return
        }
        guard let output = arguments["--output"] else {
            FileHandle.standardError.write(
                Data("error: Growth --output DIR [--repetitions N] [--rounds N] [--from growth.json]\n".utf8))
            exit(64)
        }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        let curves =
            try arguments["--from"].map {
                try JSONDecoder().decode([Curve].self, from: Data(contentsOf: URL(fileURLWithPath: $0)))
            } ?? measure(rounds: arguments["--rounds"].flatMap { Int($0) } ?? 2, repetitions: repetitions)
        for curve in curves {
            let name = curve.quantity.rawValue + curve.measure.suffix
            try AtomicFile.write(Data(curve.svg().utf8), to: "\(output)/\(name).svg")
            print(
                name.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(
                        format: " \(curve.measure.rawValue) ~ x^%.2f (off by %.0f%% at most), multiply-adds ~ x^%.2f: ",
                        curve.exponent,
                        100 * curve.largestError, curve.multiplyAddsExponent)
                    + curve.points.map { String(format: "%d: %.4g", $0.value, curve.measure.value($0)) }
                    .joined(separator: ", "))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(curves), to: output + "/growth.json")
    }

    private static func measure(rounds: Int, repetitions: Int) throws -> [Curve] {
        var best: [Quantity: [Int: Measurement]] = [:]
        for _ in 0..<rounds {
            for quantity in Quantity.allCases {
                for value in quantity.values {
                    let measured = try child(quantity, value, repetitions: repetitions)
                    let before = best[quantity, default: [:]][value]?.seconds ?? .infinity
                    if measured.seconds < before { best[quantity, default: [:]][value] = measured }
                }
            }
        }
        return Quantity.allCases.flatMap { quantity in
            // A power of a quantity takes two values of it.
            let points = quantity.values.compactMap { best[quantity]?[$0] }
            return points.count < 2 ? [] : Measure.allCases.map { Curve(quantity, $0, points) }
        }
    }

    /// What the first of the processes measured.
    private static func child(_ quantity: Quantity, _ value: Int, repetitions: Int) throws -> Measurement {
        let ranks = quantity == .processes ? value : 1
        let store = try ranks > 1 ? ProcessGroup.Store(prefix: "") : nil
        let output = Pipe()
        let children = try (0..<ranks).map { rank in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            process.arguments =
                ["--quantity", quantity.rawValue, "--value", "\(value)", "--repetitions", "\(repetitions)"]
                + (store.map { ["--rank", "\(rank)", "--port", "\($0.port)"] } ?? [])
            process.standardOutput = rank == 0 ? output : FileHandle.nullDevice
            try process.run()
            return process
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        for child in children {
            child.waitUntilExit()
            guard child.terminationStatus == 0 else {
                FileHandle.standardError.write(Data("error: \(quantity.rawValue) \(value): a process failed\n".utf8))
                exit(70)
            }
        }
        return try JSONDecoder().decode(Measurement.self, from: data)
    }
}
