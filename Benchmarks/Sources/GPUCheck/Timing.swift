import Foundation
import StepCases

/// Seconds of a step at one size and batch.
struct Timing: Codable {
    var name: String
    var size: Int
    var batch: Int
    var precision: String
    var median: Double
    var least: Double
    var most: Double
    /// Billions of multiply-adds in a second, at the median.
    var rate: Double
    /// Whether no larger batch of those tried found room.
    var isLargest: Bool

    /// Measures at batch 2 and at the largest power of two that finds room, each in a process of its own.
    ///
    /// - Returns: The two; none where not even batch 2 can be computed.
    static func measure(
        _ measured: Case, size: Int, precision: String, device: String, largest: Int, repetitions: Int
    ) throws -> [Timing] {
        func timing(_ batch: Int) throws -> Timing? {
            // Timed with what a user has, TF32 among it.
            let child = try Program(
                CommandLine.arguments[0],
                [
                    "--case", measured.rawValue, "--size", "\(size)", "--batch", "\(batch)", "--precision", precision,
                    "--device", device, "--repetitions", "\(repetitions)",
                ], without: [GPUCheck.tf32])
            guard child.status == 0 else {
                if child.status != GPUCheck.outOfMemory { FileHandle.standardError.write(Data(child.errors.utf8)) }
                return nil
            }
            let run = try JSONDecoder().decode(Run.self, from: Data(child.output.utf8))
            let seconds = run.seconds.sorted()
            let median = seconds[seconds.count / 2]
            return Timing(
                name: measured.rawValue, size: size, batch: batch, precision: precision, median: median,
                least: seconds[0], most: seconds[seconds.count - 1], rate: Double(run.multiplyAdds) / median / 1e9,
                isLargest: false)
        }
        guard let first = try timing(2) else { return [] }
        var best: Timing?
        var batch = 4
        while batch <= largest, let next = try timing(batch) {
            best = next
            batch *= 2
        }
        best?.isLargest = true
        return [first] + [best].compactMap { $0 }
    }
}
