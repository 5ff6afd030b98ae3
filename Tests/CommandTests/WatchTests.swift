import Foundation
import TestSupport
import Testing

/// `watch` on a folder that another process, here the test, has at work.
@Suite("watch")
struct WatchTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        _ = try folder.write("seed: 1\n", to: "config.yaml")
        try writeStatus(completed: 40)
    }

    /// A line of 119 characters.
    private func writeStatus(completed: Int) throws {
        let name = String(repeating: "x", count: 70)
        let text = """
            {"stage": "search", "unit": "step", "total": 100, "completed": \(completed), "position": "epoch 3/40",
             "values": [{"name": "\(name)", "value": 0.5}], "path": [], "memory": 0}
            """
        // Whole or not at all, as a run writes it.
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("status.json")), options: .atomic)
    }

    private func watch(_ output: Any) throws -> Process {
        let process = Process()
        process.executableURL = try Command.executable()
        process.arguments = ["watch", folder.path]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test("Watching goes on while a process holds the run, and ends with it")
    func end() throws {
        let lock = open(folder.file(".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let pipe = Pipe()
        let process = try watch(pipe)
        let first = pipe.fileHandleForReading.availableData
        #expect(String(decoding: first, as: UTF8.self).hasPrefix("search 40%  epoch 3/40  40/100 step"))
        #expect(process.isRunning)
        // All steps done is not the end: a last validation may go on.
        try writeStatus(completed: 100)
        let second = pipe.fileHandleForReading.availableData
        #expect(String(decoding: second, as: UTF8.self).hasPrefix("search 100%"))
        #expect(process.isRunning)
        close(lock)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(pipe.fileHandleForReading.readDataToEndOfFile().isEmpty)
    }

    @Test("A run that was stopped or killed is shown once")
    func stopped() throws {
        let result = try Command.run("watch", folder.path)
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].count > 79)
        #expect(lines.last == "no process is at work here: --resume goes on with the run")
    }

    @Test("On a terminal no line is longer than the terminal is wide", .enabled(if: Python.isAvailable))
    func terminal() throws {
        for columns in [80, 40] {
            let shown = try Python.run(
                """
                import fcntl, os, struct, subprocess, sys, termios
                master, slave = os.openpty()
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(sys.argv[3]), 0, 0))
                status = subprocess.run([sys.argv[1], "watch", sys.argv[2]], stdout=slave).returncode
                lines = os.read(master, 4096).decode().splitlines()
                print(status, len(lines[0]), lines[0][:10])
                """, Command.executable().path, folder.path, "\(columns)")
            #expect(shown == "0 \(columns - 1) search 40%\n")
        }
    }
}
