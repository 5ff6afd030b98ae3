import Dispatch
import Experiments
import Foundation
import Synchronization
import Torch

/// Starts this command several times on this machine, as torchrun does, and ends when all have ended.
///
/// The processes find each other by a store that lives here: when this process dies, they end too.
struct Launcher {
    /// Marks the processes that this one starts.
    private static let mark = "AUTODEEPLAB_LAUNCHER"

    /// Whether this process was started by another one's launcher.
    static var startedThis: Bool { ProcessInfo.processInfo.environment[mark] != nil }

    let processes: Int
    let timeout: Double

    /// Without it nobody finds the keys of the group in its store.
    private static let secret = "AUTODEEPLAB_GROUP_SECRET"

    /// - Returns: The exit status: the first process's that failed by itself.
    func run() throws -> Int32 {
        setenv(Launcher.secret, UUID().uuidString, 0)
        let store: ProcessGroup.Store
        do {
            store = try ProcessGroup.Store(prefix: "autodeeplab/0")
        } catch {
            throw GroupError(error.description)
        }
        let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
        let ended = DispatchSemaphore(value: 0)
        let statuses = Mutex<[Int32]>([])
        let killed = Mutex<[String]>([])
        let forwarding = SignalForwarding()
        var children: [Process] = []
        for rank in 0..<processes {
            let child = Process()
            child.executableURL = URL(fileURLWithPath: program)
            child.arguments = Array(CommandLine.arguments.dropFirst())
            child.environment = ProcessInfo.processInfo.environment.merging(
                [
                    "RANK": "\(rank)", "LOCAL_RANK": "\(rank)", "WORLD_SIZE": "\(processes)",
                    "LOCAL_WORLD_SIZE": "\(processes)", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(store.port)",
                    "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0", Launcher.mark: "1",
                    StarterWatch.mark: "\(getpid())",
                ]) { $1 }
            child.terminationHandler = { child in
                let isSignal = child.terminationReason == .uncaughtSignal
                if isSignal {
                    let reason = "killed by signal \(child.terminationStatus)"
                    store.fail(rank: rank, reason)
                    killed.withLock { $0.append("rank \(rank) ended: \(reason)") }
                }
                statuses.withLock {
                    $0.append(isSignal ? ExitStatus.groupLost.rawValue : child.terminationStatus)
                }
                ended.signal()
            }
            try forwarding.start(child)
            children.append(child)
        }
        defer { withExtendedLifetime(forwarding) {} }
        for _ in children {
            let isFailing = statuses.withLock { $0.contains { $0 != 0 } }
            // Those that are left find out by themselves; one that hangs does not.
            if ended.wait(timeout: isFailing ? .now() + 2 * timeout + 10 : .distantFuture) == .timedOut {
                for child in children where child.isRunning { kill(child.processIdentifier, SIGKILL) }
                ended.wait()
            }
        }
        let failures = statuses.withLock { $0 }.filter { $0 != 0 }
        // Where none is left that could have told of it.
        let lines = killed.withLock { $0 }
        if !lines.isEmpty && lines.count == failures.count {
            throw GroupError(lines.sorted().joined(separator: ", ") + ": go on with --resume")
        }
        return failures.first { $0 != ExitStatus.groupLost.rawValue } ?? failures.first ?? 0
    }
}
