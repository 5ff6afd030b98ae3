import Foundation

/// The softmax of some logits; equal weights for equal logits, however large.
public func softmax(_ logits: [Double]) -> [Double] {
    guard let largest = logits.max() else { return [] }
    let powers = logits.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}

/// The entropy of a distribution in nats: 0 when decided, log n when n outcomes are equally likely.
public func entropy(_ probabilities: [Double]) -> Double {
    probabilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
}

extension CellSpace {
    /// The softmax over the operators of each edge (equations 2 to 4).
    ///
    /// - Parameter alpha: a row of 8 logits for each edge.
    /// - Returns: a row of 8 probabilities for each edge.
    public func probabilities(alpha: [[Double]]) -> [[Double]] {
        check(alpha)
        return alpha.map(softmax)
    }

    /// The mean over the edges of the operators' entropy divided by log 8: 1 at the start, 0 when decided.
    ///
    /// - Parameter probabilities: a row of 8 probabilities for each edge.
    /// - Returns: the mean normalised entropy.
    public func normalizedEntropy(_ probabilities: [[Double]]) -> Double {
        check(probabilities)
        let sum = probabilities.reduce(0) { $0 + entropy($1) }
        return sum / (Double(edges.count) * log(Double(Operator.allCases.count)))
    }

    /// The mean probability of each operator over the edges, in the operators' order.
    ///
    /// - Parameter probabilities: a row of 8 probabilities for each edge.
    /// - Returns: 8 shares that sum to 1.
    public func operatorShares(_ probabilities: [[Double]]) -> [Double] {
        check(probabilities)
        return Operator.allCases.map { op in
            probabilities.reduce(0) { $0 + $1[op.index] } / Double(edges.count)
        }
    }

    func check(_ rows: [[Double]]) {
        precondition(rows.count == edges.count, "\(rows.count) rows for \(edges.count) edges")
        let columns = Operator.allCases.count
        precondition(rows.allSatisfy { $0.count == columns }, "every row must have \(columns) values")
    }
}

extension NetworkSpace {
    /// The softmax over the arrows that leave a node (equations 7 and 8): only over those that exist.
    ///
    /// - Parameter beta: a logit for each arrow, by index.
    /// - Returns: a probability for each arrow, by index.
    public func outgoing(beta: [Double]) -> [Double] {
        precondition(beta.count == arrows.count, "\(beta.count) logits for \(arrows.count) arrows")
        var result = beta
        for group in groups {
            for (arrow, probability) in zip(group.arrows, softmax(group.arrows.map { beta[$0.index] })) {
                result[arrow.index] = probability
            }
        }
        return result
    }

    /// The mean over the nodes of the arrows' entropy divided by its maximum: 1 at the start, 0 when decided.
    ///
    /// - Parameter outgoing: a probability for each arrow, by index.
    /// - Returns: the mean normalised entropy.
    public func normalizedEntropy(outgoing: [Double]) -> Double {
        precondition(outgoing.count == arrows.count, "\(outgoing.count) probabilities for \(arrows.count) arrows")
        let sum = groups.reduce(0) { sum, group in
            sum + entropy(group.arrows.map { outgoing[$0.index] }) / log(Double(group.arrows.count))
        }
        return sum / Double(groups.count)
    }
}
