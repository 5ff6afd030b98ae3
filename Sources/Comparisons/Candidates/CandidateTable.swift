import Foundation
import Reporting
import Runs
import Torch

/// What the candidates of a search came to, rung by rung: candidates.json.
public struct CandidateTable: Encodable, Equatable, Sendable {
    /// A candidate.
    public struct Row: Encodable, Equatable, Sendable {
        /// Its name, which is that of its run's folder.
        public var name: String
        /// The strides of its path; nil for an encoder.
        public var path: [Int]?
        /// For each layer the layer that it skips from, 0 for the stem; nil where the network has no long skips.
        public var skips: [Int?]?
        /// The filter multiplier that it is trained with; nil for an encoder.
        public var filters: Int?
        /// Parameters.
        public var parameters: Int
        /// Multiply-adds for one image at scale 1.
        public var multiplyAdds: Int
        /// Milliseconds for an image by the table of latencies, where they have a limit.
        public var milliseconds: Double?
        /// mIOU on the validation images at the end of each rung that it took part in.
        public var scores: [Double]
        /// Why its training failed.
        public var error: String?
        /// The decoder of an encoder; of a genotype's all numbers.
        public var decoder: String?
        /// What a controller is told of it, where rewards are measured.
        public var reward: Double?
        /// Whether it was not trained on after the first part of the first rung; nil where it was.
        public var isStopped: Bool?
    }

    /// Epochs of the rungs.
    public var epochs: [Int]
    /// The candidates in the order in which they were proposed.
    public var rows: [Row]
    /// The name of the winner; nil while there is none.
    public var winner: String?
    /// The encoder that all have; nil where candidates are whole networks.
    public var encoder: String?
    /// Epochs at the beginning in which the decoder alone is trained, where candidates are decoders.
    public var alone: Int?

    /// The candidates with the best first: who came further, then who scored higher there.
    public var ranking: [Row] {
        rows.enumerated().sorted { first, second in
            let (a, b) = (first.element.scores, second.element.scores)
            if a.count != b.count { return a.count > b.count }
            if let x = a.last, let y = b.last, x != y { return x > y }
            return first.offset < second.offset
        }.map(\.element)
    }

    /// For the report.
    package var table: RunReport.Table { encoder.map(decoders) ?? networks }

    private var networks: RunReport.Table {
        let isTimed = rows.contains { $0.milliseconds != nil }
        return RunReport.Table(
            caption: (rows.contains { $0.path == nil }
                ? "Candidates, encoders among them" : "Candidates of equal multiply-adds")
                + ": mIOU on the validation images after so many epochs of one schedule; the best of each rung are trained"
                + " on.",
            columns: ["candidate", "path", "filters", "parameters", "multiply-adds"]
                + (isTimed ? ["ms"] : []) + epochs.map { $0 == 1 ? "1 epoch" : "\($0) epochs" },
            rows: ranking.map { row in
                [
                    title(of: row),
                    row.path.map { $0.map(String.init).joined(separator: " ") + skips(of: row) } ?? "encoder",
                    row.filters.map(String.init) ?? "",
                ] + costs(of: row, isTimed: isTimed) + scores(of: row)
            })
    }

    /// The same for decoders on an encoder: their numbers in place of paths, and what a controller is told.
    private func decoders(on encoder: String) -> RunReport.Table {
        let isTimed = rows.contains { $0.milliseconds != nil }
        let first = alone.map { $0 == 0 ? "" : ", \($0 == 1 ? "the first" : "the first \($0)") with the decoder alone" }
        return RunReport.Table(
            caption: "Decoders on \(encoder): mIOU on the validation images after so many epochs of one schedule"
                + (first ?? "") + "; the best of each rung are trained on. The reward is what the search goes by.",
            columns: ["candidate", "decoder", "parameters", "multiply-adds"] + (isTimed ? ["ms"] : []) + ["reward"]
                + epochs.map { $0 == 1 ? "1 epoch" : "\($0) epochs" },
            rows: ranking.map { row in
                [title(of: row), row.decoder ?? ""] + costs(of: row, isTimed: isTimed)
                    + [row.reward.map { String(format: "%.4f", $0) } ?? ""] + scores(of: row)
            })
    }

    private func title(of row: Row) -> String {
        if row.name == winner { return row.name + " (winner)" }
        return row.name + (row.error != nil ? " (failed)" : row.isStopped == true ? " (stopped)" : "")
    }

    private func costs(of row: Row, isTimed: Bool) -> [String] {
        ["\(row.parameters)", String(format: "%.3f G", Double(row.multiplyAdds) / 1e9)]
            + (isTimed ? [row.milliseconds.map { String(format: "%.1f", $0) } ?? ""] : [])
    }

    private func scores(of row: Row) -> [String] {
        epochs.indices.map { rung in
            row.scores.indices.contains(rung) ? String(format: "%.4f", row.scores[rung]) : ""
        }
    }

    private func skips(of row: Row) -> String {
        let skips = zip(1..., row.skips ?? []).compactMap { layer, source in source.map { "\($0) to \(layer)" } }
        return skips.isEmpty ? "" : ", skips " + skips.joined(separator: " and ")
    }

    /// The table as lines of text, its columns under one another.
    public var lines: [String] {
        let cells = [table.columns] + table.rows
        let widths = table.columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces)
        }
    }

    /// Writes candidates.json and candidates.csv.
    ///
    /// - Throws: `FileError` where the folder cannot be written.
    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(
            try encoder.encode(self) + Data("\n".utf8), to: folder + "/candidates.json", below: folder)
        let csv = ([table.columns] + table.rows).map { $0.map(csvCell).joined(separator: ",") + "\n" }.joined()
        try AtomicFile.write(Data(csv.utf8), to: folder + "/candidates.csv", below: folder)
    }
}
