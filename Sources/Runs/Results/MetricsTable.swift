import Foundation
import Torch

/// Appends to metrics.csv: a row an epoch, with epoch, step and one column a measurement.
///
/// The columns are those of the first row; a value that is missing leaves its place empty, and one that comes later
/// adds its column to the whole table. Used by one thread.
package final class MetricsTable {
    private let paths: RunPaths
    private var path: String { paths.metrics }
    private var columns: [String]
    private var file: LineFile

    /// Opens the table of a run folder, behind what is in it.
    ///
    /// - Throws: ``RunError`` where it cannot be written.
    package init(_ folder: RunFolder) throws(RunError) {
        paths = folder.paths
        file = try LineFile(paths.metrics)
        let text = optionalContents(of: folder.paths.metrics).map { String(decoding: $0, as: UTF8.self) } ?? ""
        columns = text.split(separator: "\n").first.map { $0.split(separator: ",").dropFirst(2).map(String.init) } ?? []
    }

    /// Appends one row.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, counted from 0.
    ///   - step: Steps done so far in the whole run.
    ///   - values: What was measured; names without commas.
    /// - Throws: ``RunError`` or `FileError` where the row cannot be written.
    package func append(epoch: Int, step: Int, _ values: KeyValuePairs<String, Double>) throws {
        try append(epoch: epoch, step: step, values.map { ($0.key, $0.value) })
    }

    /// Appends one row.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, counted from 0.
    ///   - step: Steps done so far in the whole run.
    ///   - values: What was measured; names without commas.
    /// - Throws: ``RunError`` or `FileError` where the row cannot be written.
    package func append(epoch: Int, step: Int, _ values: [(String, Double)]) throws {
        let added = values.map(\.0).filter { !columns.contains($0) }
        if !added.isEmpty { try widen(by: added) }
        let byName = Dictionary(values, uniquingKeysWith: { $1 })
        let cells = columns.map { byName[$0].map { $0.isFinite ? String($0) : "" } ?? "" }
        try file.append((["\(epoch)", "\(step)"] + cells).joined(separator: ","))
    }

    private func widen(by added: [String]) throws {
        columns += added
        let text = String(decoding: try boundedContents(of: path, limit: 1 << 30), as: UTF8.self)
        let header = (["epoch", "step"] + columns).joined(separator: ",")
        let empty = String(repeating: ",", count: added.count)
        let rows = text.split(separator: "\n").dropFirst().map { String($0) + empty }
        try AtomicFile.write(Data(([header] + rows).map { $0 + "\n" }.joined().utf8), to: path, below: paths.folder)
        file = try LineFile(path)
    }

    /// The epoch and step that a row belongs to; nil for the header.
    static func place(ofLine line: Data) -> (epoch: Int, step: Int)? {
        let cells = String(decoding: line, as: UTF8.self).split(separator: ",", maxSplits: 2)
        guard cells.count > 1, let epoch = Int(cells[0]), let step = Int(cells[1]) else { return nil }
        return (epoch, step)
    }
}
