import Foundation

extension ComparisonSummary {
    /// The table's columns, as they stand above it for people.
    package var columns: [String] {
        ["network", "mIOU", "million parameters", "billion multiply-adds", "of the first", "F", "seconds an image"]
            + (isPredicted ? ["ms predicted"] : [])
    }

    private var isPredicted: Bool { networks.contains { $0.predictedMilliseconds != nil } }

    /// The table's rows for people, a cell a column.
    package var rows: [[String]] {
        networks.map { network in
            func text(_ value: Double?, _ digits: Int) -> String {
                value.map { String(format: "%.\(digits)f", $0) } ?? "–"
            }
            let done = network.runs.count { $0.mIOU != nil }
            var score = text(network.mIOU, 4)
            if let spread = network.spread { score += " ± " + text(spread, 4) }
            if done < seeds.count { score += " (\(done) of \(seeds.count) seeds)" }
            return [
                network.name, score, text(Double(network.parameters) / 1e6, 3),
                text(Double(network.multiplyAdds) / 1e9, 3), text(network.relativeMultiplyAdds, 3),
                "\(network.filters)", text(network.secondsPerImage, 4),
            ] + (isPredicted ? [text(network.predictedMilliseconds, 1)] : [])
        }
    }

    /// What the figures in the table mean, in one line.
    package var caption: String {
        let seedList = seeds.map(String.init).joined(separator: ", ")
        let threads = Set(networks.flatMap { $0.runs.compactMap(\.threads) }).sorted()
        let counts = threads.map(String.init).joined(separator: " or ")
        return "mIOU on \(split), mean ± standard deviation over \(seeds.count == 1 ? "seed" : "seeds") \(seedList); "
            + "costs and seconds at \(size.map(String.init).joined(separator: "x"))"
            + (threads.isEmpty ? "" : ", \(counts) \(threads == [1] ? "thread" : "threads")")
    }

    /// The table in Markdown, its columns in line also where it is read as plain text.
    package var markdown: String {
        let cells = ([columns] + rows).map { $0.map { $0.replacing("|", with: "\\|") } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { row in
            let padded = row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }
            return "| " + padded.joined(separator: " | ") + " |"
        }
        let rule = widths.enumerated().map { column, width in
            String(repeating: "-", count: column == 0 ? width + 2 : width + 1) + (column == 0 ? "" : ":")
        }
        return ([lines[0], "|" + rule.joined(separator: "|") + "|"] + lines.dropFirst() + ["", caption])
            .map { $0 + "\n" }.joined()
    }

    /// The table as CSV, a row a network, with a column for each seed.
    package var csv: String {
        let head =
            ["network", "filters", "parameters", "multiplyAdds", "relativeMultiplyAdds", "mIOU", "spread"]
            + ["secondsPerImage"] + (isPredicted ? ["predictedMilliseconds"] : []) + seeds.map { "mIOU seed \($0)" }
        let body = networks.map { network in
            func text(_ value: Double?) -> String { value.map { String($0) } ?? "" }
            return [
                network.name, "\(network.filters)", "\(network.parameters)", "\(network.multiplyAdds)",
                text(network.relativeMultiplyAdds), text(network.mIOU), text(network.spread),
                text(network.secondsPerImage),
            ] + (isPredicted ? [text(network.predictedMilliseconds)] : []) + network.runs.map { text($0.mIOU) }
        }
        return ([head] + body).map { $0.map(csvCell).joined(separator: ",") + "\n" }.joined()
    }
}
