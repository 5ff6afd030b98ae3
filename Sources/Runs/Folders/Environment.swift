import Foundation
import Torch

/// What a run was made with: environment.json, and the head of `doctor`.
package struct Environment: Codable, Equatable, Sendable {
    /// This package's version.
    package var version = packageVersion
    /// Version of the Swift compiler that built it.
    package var swift = swiftVersion
    /// Version of libtorch.
    package var libtorch = Engine.version
    /// The file that libtorch was loaded from.
    package var libtorchPath = Engine.libraryPath
    /// The operating system.
    package var system = ProcessInfo.processInfo.operatingSystemVersionString
    /// The processor's name.
    package var processor = Environment.processorName()
    /// Processor cores.
    package var cores = ProcessInfo.processInfo.activeProcessorCount
    /// Main memory in bytes.
    package var memory = ProcessInfo.processInfo.physicalMemory
    /// Threads that the run uses.
    package var threads: Int
    /// Device that the run uses, as `cuda:0`.
    package var device: String
    /// The backend that reduces tensors among the processes of a group, as `NCCL`; nil for a process alone.
    package var backend: String?
    /// When the run started, in ISO 8601.
    package var date = Date().formatted(.iso8601)
    /// The command line.
    package var arguments: [String]

    /// The environment of this process.
    package init(threads: Int, device: String, arguments: [String] = CommandLine.arguments) {
        self.threads = threads
        self.device = device
        self.arguments = arguments
    }

    /// The environment of this process, which computes on `device`, alone or in a group.
    package init(threads: Int, on device: Device) {
        self.init(threads: threads, device: device.description)
        backend = ProcessGroup.current?.backend(for: device.kind)
    }

    /// The file's bytes.
    package func json() -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings and whole numbers always encode.
        return ((try? encoder.encode(self)) ?? Data("{}".utf8)) + Data("\n".utf8)
    }

    private static func processorName() -> String {
        #if os(Linux)
            let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
            return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
        #else
            var size = 0
            guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 0 else { return "unknown" }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else { return "unknown" }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #endif
    }
}
