import Foundation
import TestSupport
import Testing

/// The program where the system gives it no more threads: it goes on with fewer or ends with a line, and never hangs.
@Suite("Few threads", .enabled(if: PreloadedLibrary.isPossible, "needs Linux"), .serialized)
struct ThreadLimitTests {
    private let folder: TemporaryFolder
    private let library: String

    init() throws {
        folder = try TemporaryFolder()
        library = try PreloadedLibrary.build("Faults/threads.c", in: folder)
        let made = try Command.run("data", "demo", "--count", "20", "--output", folder.file("scenes"))
        #expect(made.status == 0, "\(made.errors)")
    }

    @Test("A search ends, however few threads there are", arguments: 0...8)
    func search(threads: Int) throws {
        let run = try StartedCommand(
            [
                "search", "--preset", "instant", "--data", folder.file("scenes"), "--output", folder.file("run"), "-q",
                "--threads", "3", "--set", "data.workers=2", "--set", "search.epochs=2",
            ], errorFile: folder.file("errors"),
            environment: ["LD_PRELOAD": library, "THREADS_AT_MOST": "\(threads)", "OMP_NUM_THREADS": "1"])
        let stop = DispatchWorkItem { kill(run.process.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 120, execute: stop)
        let (status, lines) = try run.end()
        stop.cancel()
        #expect(run.process.terminationReason == .exit, "\(lines)")
        #expect(status == 0 ? lines.isEmpty : lines.count == 1 && lines[0].contains("thread"), "\(status): \(lines)")
    }
}
