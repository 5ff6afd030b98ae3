import Foundation

/// Starts a thread, which Foundation's `Thread` does without telling whether the system has given one.
///
/// - Returns: Whether it runs.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    guard let thread = createThread(ThreadBody(name: name, body: body)) else { return false }
    pthread_detach(thread)
    return true
}

/// Whether the system gives this process one more thread.
package func canStartThread() -> Bool {
    guard let thread = createThread(ThreadBody(name: "trial") {}) else { return false }
    pthread_join(thread, nil)
    return true
}

private func createThread(_ body: ThreadBody) -> pthread_t? {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, 8 << 20)
    let box = Unmanaged.passRetained(body)
    #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(&thread, &attributes, { run($0) }, box.toOpaque())
    #else
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, { $0.flatMap { run($0) } }, box.toOpaque())
    #endif
    guard status == 0 else {
        box.release()
        return nil
    }
    return thread
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
