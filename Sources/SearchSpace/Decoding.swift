import Foundation

/// Reads the strongest discrete cell out of alpha (ALGORITHM 6).
///
/// Each block keeps its two strongest predecessors, by the largest probability among the operators without `none`, and
/// on each the strongest operator without `none`. Ties go to the lower index; a block's branches are in input order.
///
/// - Parameters:
///   - alpha: a row of 8 probabilities for each edge (after the softmax over all eight).
///   - space: the edges.
/// - Returns: the cell.
public func decodeCell(alpha: [[Double]], space: CellSpace) -> Cell {
    space.check(alpha)
    let choices = alpha.map { row -> (op: Operator, strength: Double) in
        var best = (op: Operator.separable3x3, strength: -Double.infinity)
        for op in Operator.allCases where op != Operator.none {
            let strength = row[op.index]
            precondition(!strength.isNaN, "alpha holds a value that is not a number")
            if strength > best.strength { best = (op, strength) }
        }
        return best
    }
    let blocks = (1...space.blocks).map { block -> Block in
        let ranked = space.edges(into: block).sorted {
            let (left, right) = (choices[$0.index].strength, choices[$1.index].strength)
            return left != right ? left > right : $0.index < $1.index
        }
        let kept = ranked.prefix(2).sorted { $0.index < $1.index }
            .map { Branch(input: $0.input, op: choices[$0.index].op) }
        return Block(first: kept[0], second: kept[1])
    }
    return Cell(blocks: blocks)
}

/// What a path's arrows are weighed by when the best path is read out of beta.
public enum PathDecoding: String, CaseIterable, Codable, Sendable {
    /// Their probabilities (paper 4.3). A node with more ways out gives each less, so that paths along the finest and the
    /// coarsest stride, which have two ways out where the others have three, win when nothing has been learnt.
    case probability
    /// Their probabilities times the number of ways out of their node: betas that have learnt nothing prefer no path.
    case balanced
}

/// Finds the most probable path through the trellis with Viterbi's algorithm, in the log domain (ALGORITHM 6).
///
/// The path starts at the stem and may end anywhere. Ties go to the finer resolution: of equally probable paths the
/// one whose last layer is finer, then the one whose last layer but one is finer, and so on. Sums of logarithms that
/// differ by no more than rounding (1e-12 of their size) count as equal.
///
/// - Parameters:
///   - outgoing: a probability for each arrow, by index.
///   - space: the trellis.
///   - decoding: what the arrows are weighed by.
/// - Returns: the stride of each layer from 1 on.
public func decodePath(
    outgoing: [Double], space: NetworkSpace, by decoding: PathDecoding = .probability
) -> [Stride] {
    precondition(outgoing.count == space.arrows.count, "\(outgoing.count) values for \(space.arrows.count) arrows")
    precondition(outgoing.allSatisfy { $0 >= 0 && $0.isFinite }, "a probability is negative or not a number")
    var outgoing = outgoing
    if decoding == .balanced {
        for group in space.groups {
            for arrow in group.arrows { outgoing[arrow.index] *= Double(group.arrows.count) }
        }
    }
    var scores = [Node(layer: 0, stride: .s4): 0.0]
    var origins: [Node: Node] = [:]
    for node in space.nodes {
        // Arrows come by source stride, finer first, so that a tie keeps the finer source.
        for arrow in space.arrows(into: node) {
            let score = (scores[arrow.source] ?? -.infinity) + log(outgoing[arrow.index])
            if isBetter(score, than: scores[node]) {
                scores[node] = score
                origins[node] = arrow.source
            }
        }
    }
    var best: Node?
    for stride in space.strides(inLayer: space.layers) {
        let node = Node(layer: space.layers, stride: stride)
        if isBetter(scores[node] ?? -.infinity, than: best.flatMap { scores[$0] }) { best = node }
    }
    var path: [Stride] = []
    var current = best
    while let node = current, node.layer > 0 {
        path.append(node.stride)
        current = origins[node]
    }
    return path.reversed()
}

private func isBetter(_ score: Double, than best: Double?) -> Bool {
    guard let best else { return true }
    guard best.isFinite else { return score > best }
    return score > best + 1e-12 * max(1, abs(best))
}
