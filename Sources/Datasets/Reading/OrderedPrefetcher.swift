import Foundation

/// Produces numbered values on its own threads and hands them out in order.
///
/// At most `depth` values are finished or being made at any time. A failure is handed out in its place in the order,
/// and again each time it is asked for. With no workers, or where the system gives no thread, values are made when they
/// are asked for.
package final class OrderedPrefetcher<Value: Sendable>: Sendable {
    private let queue: PrefetchQueue<Value>

    package init(
        first: Int, end: Int? = nil, workers: Int, depth: Int, name: String,
        produce: @escaping @Sendable (Int) throws -> Value
    ) {
        let queue = PrefetchQueue(first: first, end: end, depth: max(depth, workers), produce: produce)
        self.queue = queue
        for worker in 0..<workers {
            // The threads hold the queue and never its owner, whose deinit ends them.
            queue.startWorker(name: "\(name) \(worker)")
        }
    }

    deinit { queue.stop() }

    /// The number of the value that is handed out next.
    package var position: Int { queue.position }

    /// Seconds that `next` has waited for values in all.
    package var waitSeconds: Double { queue.waitSeconds }

    /// The next value; nil behind the last one.
    package func next() throws -> Value? { try queue.next() }

    /// Ends the threads and waits for them; after it there are no further values.
    package func stop() { queue.stop() }
}

/// The state that an `OrderedPrefetcher` shares with its threads; `condition` guards all of its variables.
private final class PrefetchQueue<Value: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private let end: Int
    private let depth: Int
    private let produce: @Sendable (Int) throws -> Value
    private var nextToMake: Int
    private var nextToHand: Int
    private var ready: [Int: Result<Value, any Error>] = [:]
    private var stopped = false
    private var running = 0
    private var started = 0
    private var waited = 0.0

    init(first: Int, end: Int?, depth: Int, produce: @escaping @Sendable (Int) throws -> Value) {
        self.end = end ?? .max
        self.depth = depth
        self.produce = produce
        nextToMake = first
        nextToHand = first
    }

    var position: Int { condition.withLock { nextToHand } }
    var waitSeconds: Double { condition.withLock { waited } }

    func startWorker(name: String) {
        condition.withLock {
            running += 1
            started += 1
        }
        if startThread(name: name, { self.work() }) { return }
        condition.withLock {
            running -= 1
            started -= 1
        }
    }

    private func work() {
        condition.lock()
        while true {
            while !stopped && nextToMake < end && nextToMake >= nextToHand + depth { condition.wait() }
            if stopped || nextToMake >= end { break }
            let number = nextToMake
            nextToMake += 1
            condition.unlock()
            let result = Result { try produce(number) }
            condition.lock()
            ready[number] = result
            condition.broadcast()
        }
        running -= 1
        condition.broadcast()
        condition.unlock()
    }

    func next() throws -> Value? {
        condition.lock()
        defer { condition.unlock() }
        let number = nextToHand
        let begin = ContinuousClock.now
        defer { waited += (ContinuousClock.now - begin) / .seconds(1) }
        if started == 0, !stopped, number < end, ready[number] == nil { ready[number] = Result { try produce(number) } }
        while !stopped && number < end && ready[number] == nil { condition.wait() }
        guard !stopped, number < end, let result = ready[number] else { return nil }
        let value = try result.get()
        ready[number] = nil
        nextToHand += 1
        condition.broadcast()
        return value
    }

    func stop() {
        condition.lock()
        stopped = true
        condition.broadcast()
        while running > 0 { condition.wait() }
        ready = [:]
        condition.unlock()
    }
}
