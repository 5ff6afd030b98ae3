import Foundation
import Torch

/// What a run was made with: environment.json, and the head of `doctor`.
public struct Environment: Codable, Equatable, Sendable {
    /// This package's version.
    public var version = packageVersion
    /// Version of the Swift compiler that built it.
    public var swift = swiftVersion
    /// Version of libtorch.
    public var libtorch = Engine.version
    /// The file that libtorch was loaded from.
    public var libtorchPath = Engine.libraryPath
    /// The operating system.
    public var system = ProcessInfo.processInfo.operatingSystemVersionString
    /// The processor's name.
    public var processor = Environment.processorName()
    /// Processor cores.
    public var cores = ProcessInfo.processInfo.activeProcessorCount
    /// Main memory in bytes.
    public var memory = ProcessInfo.processInfo.physicalMemory
    /// Threads that the run uses.
    public var threads: Int
    /// Device that the run uses, as `cuda:0`.
    public var device: String
    /// The backend that reduces tensors among the processes of a group, as `NCCL`; nil for a process alone.
    public var backend: String?
    /// When the run started, in ISO 8601.
    public var date = Date().formatted(.iso8601)
    /// The command line.
    public var arguments: [String]

    /// The environment of this process.
    public init(threads: Int, device: String, arguments: [String] = CommandLine.arguments) {
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
    public func json() -> Data {
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
