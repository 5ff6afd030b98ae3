import Foundation

extension RunReport {
    /// One of several searches with other seeds.
    package struct Trial: Sendable {
        /// Its seed.
        package var seed: Int
        /// The best validation of its short training.
        package var mIOU: Double
        /// The strides of its path.
        package var path: [Int]
        /// Whether it is the one that was kept.
        package var isBest: Bool

        /// A row of the table.
        package init(seed: Int, mIOU: Double, path: [Int], isBest: Bool) {
            self.seed = seed
            self.mIOU = mIOU
            self.path = path
            self.isBest = isBest
        }
    }

    /// All trials of a search; nil without any.
    var trialTable: String? {
        if trials.isEmpty { return nil }
        let rows = trials.map { trial in
            "<tr><th scope=\"row\">\(trial.seed)\(trial.isBest ? " (best)" : "")</th>"
                + "<td>\(String(format: "%.4f", trial.mIOU))</td>"
                + "<td class=\"text\">\(trial.path.map(String.init).joined(separator: " "))</td></tr>"
        }
        return """
            <div class="scroll"><table><caption>\(escaped(trialSummary))</caption>
            <thead><tr><th scope="col">seed</th><th scope="col">mIOU</th><th scope="col">path</th></tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table></div>
            """
    }
}
