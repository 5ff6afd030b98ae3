import Foundation
import SearchSpace

extension RunRecord {
    /// What TensorBoard shows of this record: every number, and alpha and beta as distributions.
    ///
    /// - Parameter classes: The classes' names, by which their IoU is shown.
    /// - Returns: Names, in which `/` makes groups, with what they name.
    package func events(classes: [String]) -> [(String, EventValue)] {
        var events = values.sorted { $0.key < $1.key }.map { ("run/\($0.key)", EventValue.scalar($0.value)) }
        for (name, iou) in zip(classes, classIOU ?? []) {
            if let iou { events.append(("iou/\(name)", .scalar(iou))) }
        }
        if let alpha {
            for op in Operator.allCases {
                let shares = alpha.map { $0[op.index] }
                events.append(("alpha/\(op.rawValue)", .shares(shares)))
                events.append(("operators/\(op.rawValue)", .scalar(shares.reduce(0, +) / Double(shares.count))))
            }
        }
        if let beta, let space = SearchedSpace(of: self)?.network {
            for move in Move.allCases {
                let shares = space.arrows.filter { $0.move == move }.map { beta[$0.index] }
                events.append(("beta/\(move.rawValue)", .shares(shares)))
            }
        }
        return events
    }
}
