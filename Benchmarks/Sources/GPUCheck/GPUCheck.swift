import Configurations
import Foundation
import Runs
import Segmentation
import StepCases
import Torch

/// Whether a GPU computes what the processor does, and how fast: for a machine that has one, without a compiler
/// (`scripts/gpu-check` makes the folder).
///
///     GPUCheck --scenes DIR [--device cuda] [--json FILE] [--largest 1024] [--repetitions 5] [--size N]
///         [--parts agreement,resuming,memory,nccl,timing]
///     GPUCheck --write-scenes DIR
@main
struct GPUCheck {
    /// Where this is 0, CUDA's libraries round no operand of a float32 product to 10 bits.
    static let tf32 = "NVIDIA_TF32_OVERRIDE"
    /// The exit status of a step that finds no room.
    static let outOfMemory: Int32 = 71

    static func main() throws {
        ProcessMemory.boundThreadCaches()
        let arguments = Arguments(CommandLine.arguments.dropFirst())
        Engine.onFailure { failure in
            let line = (failure.isOutOfMemory ? "memory ran out: " : "") + "\(failure.operation): \(failure.reason)"
            FileHandle.standardError.write(Data("error: \(line)\n".utf8))
            exit(failure.isOutOfMemory ? outOfMemory : 70)
        }
        let name = arguments["--device"] ?? "cuda"
        if let measured = arguments["--case"].flatMap(Case.init(rawValue:)) {
            let run = measured.measure(
                size: number("--size", arguments) ?? 129, batch: number("--batch", arguments) ?? 2,
                repetitions: number("--repetitions", arguments) ?? 5, device: try Device.named(name),
                bfloat16: arguments["--precision"] == "bfloat16")
            print(String(decoding: try JSONEncoder().encode(run), as: UTF8.self))
            return
        }
        if let folder = arguments["--write-scenes"] {
            return try DemoScenes(width: 96, height: 64, train: 8, val: 2, test: 2).write(to: folder)
        }
        // Read when CUDA's libraries are first used.
        setenv(tf32, "0", 1)
        guard let scenes = arguments["--scenes"], let choice = DeviceChoice(rawValue: name) else {
            FileHandle.standardError.write(Data("error: GPUCheck --scenes DIR [--device cuda] [--json FILE]\n".utf8))
            exit(64)
        }
        let check = Check(
            device: choice, scenes: scenes, largest: number("--largest", arguments) ?? 1_024,
            repetitions: number("--repetitions", arguments) ?? 5,
            sizes: number("--size", arguments).map { [$0] } ?? [129, 321],
            parts: (arguments["--parts"] ?? "agreement,resuming,memory,nccl,timing").split(separator: ",")
                .map(String.init))
        let findings = try check.run()
        print(findings.table)
        if let file = arguments["--json"] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            try AtomicFile.write(try encoder.encode(findings), to: file)
        }
        if !findings.isRight { exit(1) }
    }

    private static func number(_ name: String, _ arguments: Arguments) -> Int? {
        arguments[name].flatMap { Int($0) }
    }
}
