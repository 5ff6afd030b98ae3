import Foundation
import SearchSpace

/// A run as one page of HTML that needs nothing beside it: curves, architecture, samples, costs, settings.
package struct RunReport: Sendable {
    /// What was run: "search" or "train".
    package var kind: String
    /// The run's name.
    package var name: String
    /// What was measured, epoch by epoch.
    package var records: [RunRecord]
    /// Epochs that the run has in all; nil where they are not known yet.
    package var epochs: Int?
    /// The network that is trained; a search's is decoded from its records.
    package var genotype: Genotype?
    /// The genotype of the trained network's decoder; nil where it has none.
    package var decoder: DecoderGenotype?
    /// The networks that the run's is compared with, itself first.
    package var comparison: [ComparedNetwork] = []
    /// What the comparison's costs are counted for: "513x513 pixels, F = 20".
    package var comparisonBasis = ""
    /// Networks that were trained and measured under one budget, where a comparison was made for this run.
    package var measured: Table?
    /// The search's trials, of which this run is the best; empty for a single search.
    package var trials: [Trial] = []
    /// Mean, spread and agreement of the trials.
    package var trialSummary = ""
    /// The data's classes; empty where they are not known.
    package var classes: [ClassEntry] = []
    /// What the network came to: the validation, then evaluations.
    package var measurements: [Measurement] = []
    /// Images, truths and predictions in rows, as PNG or JPEG.
    package var samples: Data?
    /// The configuration as it stands in the run folder.
    package var configuration = ""
    /// Versions, processor, date.
    package var environment: [(name: String, value: String)] = []
    /// When the page was written, in ISO 8601.
    package var written = ""

    /// A network with what it costs.
    package struct ComparedNetwork: Sendable {
        /// Its name.
        package var name: String
        /// Parameters.
        package var parameters: Int
        /// Multiply-adds for one image.
        package var multiplyAdds: Int
        /// Mean IOU, where it was measured.
        package var mIOU: Double?

        /// A row of the comparison.
        package init(name: String, parameters: Int, multiplyAdds: Int, mIOU: Double? = nil) {
            self.name = name
            self.parameters = parameters
            self.multiplyAdds = multiplyAdds
            self.mIOU = mIOU
        }
    }

    /// A table of texts, the first column of which names the rows.
    package struct Table: Sendable {
        /// What its figures mean.
        package var caption: String
        /// The columns' names.
        package var columns: [String]
        /// The rows, a cell a column.
        package var rows: [[String]]

        /// A table of these cells.
        package init(caption: String, columns: [String], rows: [[String]]) {
            self.caption = caption
            self.columns = columns
            self.rows = rows
        }
    }

    /// A run's report with its records; the rest is put in afterwards.
    package init(kind: String, name: String, records: [RunRecord], epochs: Int?) {
        self.kind = kind
        self.name = name
        self.records = records
        self.epochs = epochs
    }

    /// Whether the last epoch is there.
    package var isFinished: Bool { epochs.map { (records.last?.epoch ?? -1) + 1 >= $0 } ?? false }

    /// The whole page.
    package func html() -> String {
        let title = escaped("\(name): \(kind)")
        let sections = [
            ReportPage.section("Samples", sampleFigure), ReportPage.section("Curves", curves),
            ReportPage.section("Results", measurementTable),
            ReportPage.section("Classes", classTable), ReportPage.section("Confusion", confusionFigures),
            ReportPage.section("Worst images", worstFigures), ReportPage.section("Measured comparison", measured?.html),
            ReportPage.section("Comparison", comparisonTable), ReportPage.section("Trials", trialTable),
            ReportPage.section("Architecture", architecture), ReportPage.section("Configuration", configurationText),
            ReportPage.section("Environment", ReportPage.pairs(environment)),
        ]
        return ReportPage.html(
            title: title, header: "<h1>\(title)</h1><p>\(status)</p>", sections: sections, refreshes: !isFinished,
            script: ReportStyle.script)
    }

    private var status: String {
        let epoch = (records.last?.epoch ?? -1) + 1
        var parts = [isFinished ? "finished, \(epoch) epochs" : "epoch \(epoch)" + (epochs.map { " of \($0)" } ?? "")]
        let validated = records.compactMap { record in record.values["mIOU"].map { (record.epoch, $0) } }
        if let best = validated.map(\.1).max(), let found = validated.first(where: { $0.1 == best }) {
            parts.append("best validation mIOU \(String(format: "%.4f", best)) in epoch \(found.0 + 1)")
        }
        if !written.isEmpty { parts.append("written \(escaped(written))") }
        if !isFinished { parts.append("refreshes itself every 30 s") }
        return parts.joined(separator: " · ")
    }

    // MARK: Tables and texts

    private var comparisonTable: String? {
        if comparison.isEmpty { return nil }
        let rows = comparison.map { network in
            let parameters = String(format: "%.2f", Double(network.parameters) / 1e6)
            let multiplyAdds = String(format: "%.2f", Double(network.multiplyAdds) / 1e9)
            let mIOU = network.mIOU.map { String(format: "%.4f", $0) } ?? "–"
            return "<tr><th scope=\"row\">\(escaped(network.name))</th><td>\(parameters)</td><td>\(multiplyAdds)</td>"
                + "<td>\(mIOU)</td></tr>"
        }
        return """
            <div class="scroll"><table><caption>Counted for \(escaped(comparisonBasis)); mIOU where this run measured \
            it</caption>
            <thead><tr><th scope="col">network</th><th scope="col">million parameters</th>\
            <th scope="col">billion multiply-adds</th><th scope="col">mIOU</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }

    private var configurationText: String? {
        configuration.isEmpty ? nil : "<pre tabindex=\"0\">\(markup(String(configuration.prefix(200_000))))</pre>"
    }
}

extension RunReport.Table {
    var html: String {
        let head = columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        let body = rows.map { row in
            let cells = row.enumerated().map { column, text in
                column == 0 ? "<th scope=\"row\">\(escaped(text))</th>" : "<td>\(escaped(text))</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        return """
            <div class="scroll"><table><caption>\(escaped(caption))</caption>
            <thead><tr>\(head)</tr></thead>
            <tbody>\(body.joined(separator: "\n"))</tbody></table></div>
            """
    }
}

/// A text of any length as it may stand in HTML.
private func markup(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
}
