import Foundation
import SearchSpace

/// One line of a run's log.jsonl: what was measured at the end of an epoch.
package struct RunRecord: Sendable {
    /// The epoch, counted from 0.
    package let epoch: Int
    /// Steps done so far in the whole run.
    package let step: Int
    /// When it was written, in ISO 8601.
    package let time: String
    /// Every single number that was measured, by name.
    package let values: [String: Double]
    /// The validation's IoU of each class, nil where it is absent; nil where there was no validation.
    package let classIOU: [Double?]?
    /// A search's decoded path; nil in a training.
    package let path: [Stride]?
    /// Softmaxed alpha, a row of 8 an edge; nil in a training.
    package let alpha: [[Double]]?
    /// Softmaxed beta by arrow; nil in a training.
    package let beta: [Double]?

    /// The epochs that a record can have, which no run reaches: beyond them a file is forged or damaged.
    package static let epochs = 0...1_000_000_000
    /// The steps that a record can have.
    package static let steps = 0...1_000_000_000_000_000

    /// How far each gate of a long skip is open; nil where none are searched.
    package let gates: [Double]?
    /// What a search's trellis begins on.
    package let stem: StemKind

    /// Reads one line; nil where it is no record.
    package init?(line: some DataProtocol) {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(line))) as? [String: Any],
            let epoch = object["epoch"] as? Int, let step = object["step"] as? Int,
            RunRecord.epochs.contains(epoch), RunRecord.steps.contains(step)
        else { return nil }
        func numbers(_ key: String) -> [Double]? { (object[key] as? [Any])?.map { $0 as? Double ?? .nan } }
        self.epoch = epoch
        self.step = step
        time = object["time"] as? String ?? ""
        values = object.compactMapValues { $0 as? Double }.filter { $0.key != "epoch" && $0.key != "step" }
        classIOU = (object["classIOU"] as? [Any])?.prefix(255).map { $0 as? Double }
        path = numbers("path")?.compactMap { Int(exactly: $0).flatMap(Stride.init(rawValue:)) }
        alpha = numbers("alpha").flatMap { flat in
            guard !flat.isEmpty, flat.count % Operator.allCases.count == 0, flat.allSatisfy(\.isFinite) else {
                return nil
            }
            return ArchitectureTable.rows(flat)
        }
        beta = numbers("beta").flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil }
        gates = numbers("gates").flatMap { $0.allSatisfy(\.isFinite) ? $0 : nil }
        stem = (object["stem"] as? String).flatMap(StemKind.init) ?? .paper
    }

    /// All records of a log's text, in order; lines that are none are passed over.
    package static func all(in log: Data) -> [RunRecord] {
        log.split(separator: UInt8(ascii: "\n")).compactMap { RunRecord(line: $0) }
    }
}

/// The space of a search as its records show it: edges of alpha and arrows of beta.
package struct SearchedSpace: Sendable {
    /// The cell's edges.
    package let cell: CellSpace
    /// The network's arrows.
    package let network: NetworkSpace

    /// The space that a record's numbers belong to; nil in a training, or where the numbers fit no space.
    package init?(of record: RunRecord) {
        guard let path = record.path, (1...Genotype.maximumLayers).contains(path.count), let alpha = record.alpha,
            let beta = record.beta,
            let blocks = (1...Genotype.maximumBlocks).first(where: { $0 * ($0 + 3) / 2 == alpha.count })
        else { return nil }
        network = NetworkSpace(layers: path.count)
        guard network.arrows.count == beta.count else { return nil }
        cell = CellSpace(blocks: blocks)
    }
}
