import Foundation

/// An arrow to a finer stride whose cell may read an earlier map at that stride in place of H^{l-2}: one entry of gamma.
public struct LongSkipGate: Hashable, Sendable {
    /// The gate's number: by its arrow.
    public let index: Int
    /// The arrow, from stride 2s to s.
    public let arrow: Arrow
    /// The layers before l-2 that have a map at s, from the first on; 0 is the stem.
    public let sources: Range<Int>
}

/// The mean entropy of gates over its maximum: 1 at the start, 0 when all are open or shut.
public func gateEntropy(_ gates: [Double]) -> Double {
    gates.reduce(0) { $0 + entropy([$1, 1 - $1]) } / (Double(max(1, gates.count)) * log(2))
}

extension NetworkSpace {
    /// The gates, in gamma's order; 27 for L = 12.
    ///
    /// An arrow from 2s to s into layer l has none where no layer before l-2 is at s.
    public var longSkipGates: [LongSkipGate] {
        let gated = arrows.filter { $0.move == .up && $0.target.stride.level < $0.target.layer - 2 }
        return gated.enumerated().map { index, arrow in
            LongSkipGate(
                index: index, arrow: arrow, sources: arrow.target.stride.level..<arrow.target.layer - 2)
        }
    }

    /// The long skips of a path whose gates are more open than shut.
    ///
    /// - Parameters:
    ///   - path: The stride of each layer from 1 on.
    ///   - gates: How far each gate is open, from 0 to 1.
    /// - Returns: For each layer the layer whose map its cell reads in place of H^{l-2}; nil for no long skip.
    public func longSkips(along path: [Stride], gates: [Double]) -> [Int?] {
        let byArrow = Dictionary(uniqueKeysWithValues: zip(longSkipGates.map(\.arrow.index), gates))
        precondition(byArrow.count == gates.count, "\(gates.count) values for \(byArrow.count) gates")
        return zip(LongSkips.sources(along: path), arrows(along: path)).map { source, arrow in
            (byArrow[arrow.index] ?? 0) > 0.5 ? source : nil
        }
    }
}
