import Foundation
import SearchSpace

/// Signs that a search's choice collapses, a line each; none while all is well.
///
/// Skips cost nothing to train and win while convolutions are still young; zeros win where the supernet needs no more
/// operators. A choice that is all made learns nothing more.
///
/// - Parameters:
///   - shares: Mean probability of each operator, in the operators' order.
///   - alphaEntropy: Mean entropy of the edges over its maximum.
///   - betaEntropy: Mean entropy of the nodes' arrows over its maximum.
/// - Returns: What to tell.
package func collapseWarnings(shares: [Double], alphaEntropy: Double, betaEntropy: Double) -> [String] {
    var lines: [String] = []
    for op in [SearchSpace.Operator.skip, .none] where shares[op.index] > 0.5 {
        lines.append(
            String(
                format: "'\(op.rawValue)' has %.0f%% of alpha's weight: the supernet collapses to it; lower "
                    + "search.architecture.learningRate or raise search.architectureFrom", 100 * shares[op.index]))
    }
    for (name, entropy) in [("alpha", alphaEntropy), ("beta", betaEntropy)] where entropy < 0.05 {
        lines.append(
            String(
                format: "the entropy of \(name) is %.1f%% of its maximum: its choice is made, and more epochs will "
                    + "hardly change it", 100 * entropy))
    }
    return lines
}
