import Configurations
import Foundation
import JSON

/// Appends to log.jsonl: one JSON object a line, with time, epoch, step and what was measured.
///
/// Each line is handed to the system at once, so that a killed process loses none; ``synchronize()`` brings them to
/// the disk, as is due before a checkpoint. Used by one thread.
package final class RunLog {
    private let file: LineFile

    /// Opens the log of a run folder, behind what is in it.
    ///
    /// - Throws: ``RunError`` where it cannot be written.
    package init(_ folder: RunFolder) throws(RunError) {
        file = try LineFile(folder.paths.log)
    }

    /// Appends one line.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, counted from 0.
    ///   - step: Steps done so far in the whole run.
    ///   - values: What was measured, in the order of writing.
    /// - Throws: ``RunError`` where the line cannot be written.
    package func append(epoch: Int, step: Int, _ values: KeyValuePairs<String, LogValue>) throws(RunError) {
        try append(epoch: epoch, step: step, values.map { ($0.key, $0.value) })
    }

    /// Appends one line.
    ///
    /// - Parameters:
    ///   - epoch: The epoch, counted from 0.
    ///   - step: Steps done so far in the whole run.
    ///   - values: What was measured, in the order of writing.
    /// - Returns: The line.
    /// - Throws: ``RunError`` where the line cannot be written.
    @discardableResult
    package func append(epoch: Int, step: Int, _ values: [(String, LogValue)]) throws(RunError) -> String {
        let time = Date().formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        let members = [("time", LogValue.text(time)), ("epoch", .integer(epoch)), ("step", .integer(step))] + values
        let line = "{" + members.map { "\(jsonText($0.0)): \($0.1.json)" }.joined(separator: ", ") + "}"
        try file.append(line)
        return line
    }

    /// Brings all lines to the disk.
    ///
    /// - Throws: ``RunError`` where the disk refuses them.
    package func synchronize() throws(RunError) {
        try file.synchronize()
    }

    /// The epoch and step that a line of the log belongs to; nil where the line is not one.
    static func place(ofLine line: Data) -> (epoch: Int, step: Int)? {
        guard let object = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any],
            let epoch = object["epoch"] as? Int, let step = object["step"] as? Int
        else { return nil }
        return (epoch, step)
    }
}
