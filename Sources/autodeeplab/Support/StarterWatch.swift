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
        guard let text = ProcessInfo.processInfo.environment[StarterWatch.mark], let starter = Int32(text),
            !Launcher.startedThis
        else { return nil }
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
}
