import SearchSpace

extension RunReport {
    private func series(_ key: String, _ name: String) -> LineChart.Series {
        LineChart.Series(
            name: name, points: records.compactMap { record in record.values[key].map { (record.epoch, $0) } })
    }

    /// What was measured by epoch.
    var curves: String? {
        let charts = [
            LineChart(
                title: "loss", axis: "loss",
                series: [series("loss", "training"), series("validationLoss", "validation")]),
            LineChart(title: "mIOU", axis: "validation mIOU, 0 to 1", series: [series("mIOU", "mIOU")]),
            LineChart(
                title: "learning rate", axis: "learning rate", series: [series("learningRate", "learning rate")]),
            LineChart(
                title: "entropy", axis: "share of the largest possible",
                series: [series("alphaEntropy", "alpha"), series("betaEntropy", "beta")]
                    + (records.contains { $0.gates != nil } ? [series("gateEntropy", "gates of long skips")] : []),
                range: 0...1),
            LineChart(
                title: "seconds a step", axis: "seconds", series: [series("secondsPerStep", "seconds a step")]),
        ]
        let shares = records.compactMap { record in
            record.alpha.map { rows in
                let sums = Operator.allCases.map { op in rows.reduce(0) { $0 + $1[op.index] } }
                return (record.epoch, sums.map { $0 / Double(rows.count) })
            }
        }
        let figures = charts.compactMap { $0.figure() } + [SharesChart(records: shares).figure()].compactMap { $0 }
        return figures.isEmpty
            ? "<p>The first epoch is not over yet.</p>"
            : "<div class=\"cards\">\(figures.joined(separator: "\n"))</div>"
    }
}
