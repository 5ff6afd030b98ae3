import Configurations
import Foundation
import StepCases
import Torch

/// All that is checked and measured on one device.
struct Check {
    let device: DeviceChoice
    /// A data set of a few small images.
    let scenes: String
    /// The largest batch that is tried.
    let largest: Int
    let repetitions: Int
    let sizes: [Int]
    let parts: [String]

    func run() throws -> Findings {
        let place = try Device.named(device.rawValue)
        var findings = Findings(device: place)
        let folder = NSTemporaryDirectory() + "/gpu-check-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if parts.contains("agreement") {
            for network in Network.allCases { findings.agreement += network.differences(on: place) }
        }
        if parts.contains("resuming") {
            findings.resuming = try Resuming(scenes: scenes, folder: folder, device: device)
        }
        if parts.contains("memory") { findings.memory = try outOfMemory() }
        if parts.contains("nccl"), place.kind == .cuda {
            do {
                try ProcessGroup.checkNCCL(on: place)
                findings.nccl = "adds up in a group of one"
            } catch {
                findings.nccl = "error: \(error)"
            }
        }
        if parts.contains("timing") {
            for size in sizes {
                for measured in [Case.searchWeights, .searchArchitecture, .training, .inference] {
                    for precision in ["float32", "bfloat16"] {
                        findings.timings += try Timing.measure(
                            measured, size: size, precision: precision, device: device.rawValue, largest: largest,
                            repetitions: repetitions)
                    }
                }
            }
        }
        return findings
    }

    /// What a step says that finds no room: on a GPU one that no GPU has, on a processor a small address space.
    private func outOfMemory() throws -> Findings.Memory {
        let isCPU = device == .cpu
        let step = [
            CommandLine.arguments[0], "--case", Case.searchWeights.rawValue, "--device", device.rawValue,
            "--size", isCPU ? "321" : "2049", "--batch", isCPU ? "2" : "16", "--repetitions", "1",
        ]
        // Room for the program and libtorch.
        let limit = isCPU ? "ulimit -v 2500000; " : ""
        let run = try Program("/bin/sh", ["-c", limit + "exec \"$@\"", "sh"] + step)
        let lines = run.errors.split(separator: "\n").map(String.init)
        return Findings.Memory(
            status: Int(run.status), lines: lines,
            isRight: run.status == GPUCheck.outOfMemory && lines.count == 1
                && lines[0].hasPrefix("error: memory ran out: "))
    }
}
