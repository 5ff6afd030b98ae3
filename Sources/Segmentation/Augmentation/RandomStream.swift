/// A small seeded generator (SplitMix64) whose values are the same on every platform and in every version.
///
/// The standard library's `random(in:using:)` and `shuffled(using:)` are not used with it: how they consume a
/// generator is not promised, and a resumed run must draw what the interrupted one would have drawn.
public struct RandomStream: Hashable, Sendable {
    /// All of the generator's state.
    public private(set) var state: UInt64

    /// A stream for a seed and any numbers below it (an epoch, a sample's index): related keys give unrelated streams.
    public init(seed: UInt64, _ keys: Int...) {
        state = seed
        for key in keys { state = next() ^ UInt64(truncatingIfNeeded: key) }
        state = next()
    }

    /// A stream that goes on from a state.
    public init(resuming state: UInt64) { self.state = state }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number from 0 up to, not including, 1.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number from `lower` up to, not including, `upper`.
    public mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
        lower + (upper - lower) * uniform()
    }

    /// An integer from 0 up to, not including, `count`; every one equally likely.
    public mutating func below(_ count: Int) -> Int {
        precondition(count > 0, "a random choice among \(count)")
        let range = UInt64(count)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// The integers from 0 up to `count` in random order.
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, below(last + 1)) }
        return order
    }
}

/// Splits `count` samples into two disjoint random halves, each in ascending order; an odd one goes to the first.
public func halves(count: Int, seed: UInt64) -> (first: [Int], second: [Int]) {
    var random = RandomStream(seed: seed)
    let order = random.permutation(count)
    let middle = (count + 1) / 2
    return (order[..<middle].sorted(), order[middle...].sorted())
}
