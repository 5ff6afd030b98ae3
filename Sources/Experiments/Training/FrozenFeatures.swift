import Torch

/// What an encoder that stays as it is makes of fixed crops, as far as it fits into memory.
///
/// Trainings may share one, one after the other: what an encoder has seen is kept until another one comes, or other crops.
package final class FrozenFeatures {
    /// A crop: the encoder's maps, `[1, C, h, w]` each, and its labels, row by row.
    struct Entry {
        let maps: [Tensor]
        let labels: [UInt8]

        /// What it takes in memory.
        var bytes: Int { labels.count + maps.reduce(0) { $0 + $1.count * $1.dtype.byteCount } }
    }

    /// How often an encoder looked at a crop.
    package private(set) var computed = 0
    private let limit: Int
    private var bytes = 0
    private var entries: [Int: Entry] = [:]
    private var owner = ""
    private var isFull = false

    /// An empty memory.
    ///
    /// - Parameter megabytes: How much it may hold; 0 keeps nothing.
    package init(megabytes: Int) { limit = megabytes << 20 }

    /// How many crops are kept.
    package var count: Int { entries.count }

    /// Gives the memory back; what is needed again is computed anew.
    package func forget() { (owner, entries, bytes, isFull) = ("", [:], 0, false) }

    /// A crop as it is kept, or computed and kept where it fits.
    ///
    /// - Parameters:
    ///   - number: The crop's number.
    ///   - owner: Says which encoder and which crops these are; others are forgotten.
    ///   - make: Computes it.
    /// - Returns: The crop, and whether it is the first one that did not fit.
    func entry(_ number: Int, of owner: String, make: () throws -> Entry) rethrows -> (Entry, isFirstLeftOut: Bool) {
        if owner != self.owner {
            forget()
            self.owner = owner
        }
        if let kept = entries[number] { return (kept, false) }
        let made = try make()
        computed += 1
        if bytes + made.bytes <= limit {
            bytes += made.bytes
            entries[number] = made
            return (made, false)
        }
        defer { isFull = true }
        return (made, !isFull)
    }
}
