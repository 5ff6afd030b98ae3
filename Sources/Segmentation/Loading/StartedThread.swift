import Foundation

/// Starts a thread, which Foundation's `Thread` does without telling whether the system has given one.
///
/// - Returns: Whether it runs.
func startThread(name: String, stackSize: Int = 8 << 20, _ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, stackSize)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
    #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, &attributes, { run($0) }, box.toOpaque())
    #else
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, { $0.flatMap { run($0) } }, box.toOpaque())
    #endif
    if status != 0 { box.release() }
    return status == 0
}

/// What a thread does, on its way through the system's interface.
private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func run(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let thread = Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue()
    Thread.current.name = thread.name
    thread.body()
    return nil
}

/// Whether the system gives this process one more thread.
package func canStartThread() -> Bool { startThread(name: "trial") {} }
