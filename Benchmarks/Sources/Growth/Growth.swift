import Foundation
import Runs
import StepCases
import Torch

/// How the time of a search's weight step grows with layers, filters, blocks, pixels and batch: a picture each, and the
/// exponents that fit.
///
///     Growth --output DIR [--repetitions N] [--rounds N]
///
/// 8 layers, 5 blocks, F = 8, 129 x 129, batch 2, unless it is their turn. Every step size runs in a process of its own,
/// all of them once a round.
@main
struct Growth {
    static func main() throws {
        ProcessMemory.boundThreadCaches()
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        let repetitions = arguments["--repetitions"].flatMap { Int($0) } ?? 3
        if let quantity = arguments["--quantity"].flatMap(Quantity.init(rawValue:)),
            let value = arguments["--value"].flatMap({ Int($0) })
        {
            let measured = Measurement(quantity, value, repetitions: repetitions)
            print(String(decoding: try JSONEncoder().encode(measured), as: UTF8.self))
            return
        }
        guard let output = arguments["--output"] else {
            FileHandle.standardError.write(Data("error: Growth --output DIR [--repetitions N] [--rounds N]\n".utf8))
            exit(64)
        }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        var best: [Quantity: [Int: Measurement]] = [:]
        for _ in 0..<(arguments["--rounds"].flatMap { Int($0) } ?? 2) {
            for quantity in Quantity.allCases {
                for value in quantity.values {
                    let measured = try child(quantity, value, repetitions: repetitions)
                    let before = best[quantity, default: [:]][value]?.seconds ?? .infinity
                    if measured.seconds < before { best[quantity, default: [:]][value] = measured }
                }
            }
        }
        let curves = Quantity.allCases.map { quantity in
            Curve(quantity, quantity.values.compactMap { best[quantity]?[$0] })
        }
        for curve in curves {
            try AtomicFile.write(Data(curve.svg().utf8), to: "\(output)/\(curve.quantity.rawValue).svg")
            print(
                curve.quantity.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
                    + String(
                        format: " seconds ~ x^%.2f (off by %.0f%% at most), multiply-adds ~ x^%.2f: ", curve.exponent,
                        100 * curve.largestError, curve.multiplyAddsExponent)
                    + curve.points.map { String(format: "%d: %.3f s", $0.value, $0.seconds) }.joined(separator: ", "))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try AtomicFile.write(try encoder.encode(curves), to: output + "/growth.json")
    }

    private static func child(_ quantity: Quantity, _ value: Int, repetitions: Int) throws -> Measurement {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = [
            "--quantity", quantity.rawValue, "--value", "\(value)", "--repetitions", "\(repetitions)",
        ]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Measurement.self, from: data)
    }
}
