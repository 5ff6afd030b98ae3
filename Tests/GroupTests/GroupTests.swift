import Foundation
import TestSupport
import Testing
import Torch

/// Only on Linux are the tests a program that can be started again.
private let groupsCanRun: Bool = {
    #if os(Linux)
        ProcessGroup.isAvailable && ProcessInfo.processInfo.environment[GroupProbeTests.variable] == nil
    #else
        false
    #endif
}()

/// Groups of processes on this machine against one process with the whole batch.
@Suite("Groups of processes", .enabled(if: groupsCanRun, "needs Gloo, and tests that are a program"), .serialized)
struct GroupTests {
    /// What rank 0 of so many processes writes.
    private func run(_ kind: String, size: Int) throws -> [Double] {
        let folder = try TemporaryFolder()
        let port = try freePort()
        let processes = try (0..<size).map { rank in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
            process.arguments = ["--testing-library", "swift-testing", "--filter", "GroupProbeTests"]
            let task = "\(kind) \(rank) \(size) \(port) \(folder.file("numbers"))"
            process.environment = ProcessInfo.processInfo.environment.merging([GroupProbeTests.variable: task]) { $1 }
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
        for process in processes {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(kind) by \(size)")
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.file("numbers")))
        return data.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: 8).map { buffer.loadUnaligned(fromByteOffset: $0, as: Double.self) }
        }
    }

    /// Compares with one process, by the largest number.
    private func compare(_ kind: String, sizes: [Int], tolerance: Double) throws {
        let want = try run(kind, size: 1)
        #expect(want.count > 5 && want.allSatisfy(\.isFinite) && want.contains { $0 != 0 })
        for size in sizes {
            let have = try run(kind, size: size)
            try #require(have.count == want.count)
            let difference = zip(have, want).map { ($0 - $1).magnitude / (1 + $1.magnitude) }.max() ?? .infinity
            #expect(difference < tolerance, "\(kind) by \(size): \(difference)")
        }
    }

    @Test(
        "Loss, gradients of weights, alpha and beta, and statistics of a supernet",
        arguments: [
            "supernet", "supernet-workers", "supernet-workers-cells", "supernet-perArrow", "supernet-longSkips-workers",
        ])
    func supernet(kind: String) throws {
        try compare(kind, sizes: kind == "supernet" ? [2, 4] : [2], tolerance: 1e-9)
    }

    @Test("A discrete network with drop path and dropout")
    func discrete() throws { try compare("discrete", sizes: [2, 4], tolerance: 1e-9) }

    @Test("The loss of training, with smoothed labels, class weights and Dice")
    func loss() throws { try compare("loss", sizes: [2, 4], tolerance: 1e-12) }
}
