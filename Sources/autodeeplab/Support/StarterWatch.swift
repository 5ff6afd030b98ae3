import Dispatch
import Foundation

/// Notices that the process which started this one is gone, so that a run of several processes leaves none behind.
///
/// A killed process hands nothing on; the system gives its children another parent, which is what is looked for.
final class StarterWatch {
    /// Names the starter to the process that it starts.
    static let mark = "AUTODEEPLAB_STARTER"

    private let timer: any DispatchSourceTimer

    /// It is nil where no process of this program started this one.
    ///
    /// - Parameters:
    ///   - queue: Where `body` is called.
    ///   - body: Called once, within a second of the starter's end.
    init?(on queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
        guard let starter = StarterWatch.starter else { return nil }
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: 1)
        timer.setEventHandler { [timer] in
            guard getppid() != starter else { return }
            timer.cancel()
            body()
        }
        timer.resume()
    }

    deinit { timer.cancel() }

    private static var starter: Int32? { ProcessInfo.processInfo.environment[mark].flatMap { Int32($0) } }

    /// Whether the starter is gone or about to be.
    ///
    /// For a process that has lost a connection to it: the system closes those of a dying process a moment before it
    /// gives its children another parent.
    static var isStarterGone: Bool {
        guard let starter else { return false }
        for _ in 0..<100 where getppid() == starter { usleep(10_000) }
        return getppid() != starter
    }
}
