/// Rate and time left of a stage, from the last half minute or so: a rate since the start would lag behind changes.
package struct RateMeter: Sendable {
    private var samples: [(completed: Int, seconds: Double)] = []
    private let window: Double

    /// A meter that looks back so many seconds.
    package init(window: Double = 30) {
        self.window = window
    }

    /// Notes that so many units are done at a time on any steady clock.
    package mutating func record(completed: Int, seconds: Double) {
        // At most ten samples a second of window, however fast the units are.
        if samples.count > 1, seconds - samples[samples.count - 2].seconds < 0.1 { samples.removeLast() }
        samples.append((completed, seconds))
        while samples.count > 2, let first = samples.first, seconds - first.seconds > window { samples.removeFirst() }
    }

    /// Units a second; nil until two times are known.
    package var rate: Double? {
        guard let first = samples.first, let last = samples.last, last.seconds > first.seconds,
            last.completed > first.completed
        else { return nil }
        return Double(last.completed - first.completed) / (last.seconds - first.seconds)
    }

    /// Seconds until so many units are done; nil until a rate is known.
    package func secondsLeft(total: Int) -> Double? {
        guard let rate, let last = samples.last else { return nil }
        return Double(max(0, total - last.completed)) / rate
    }
}
