import SearchSpace

/// The operators' mean shares over the epochs, one band above the other.
struct SharesChart {
    let records: [(epoch: Int, shares: [Double])]

    private let width = 400.0
    private let height = 230.0
    private let left = 44.0
    private let top = 12.0
    private let bottom = 28.0

    /// The chart; nil where nothing was measured.
    func figure() -> String? {
        guard let first = records.first, let last = records.last else { return nil }
        let right = width - 10
        func x(_ epoch: Int) -> Double {
            let span = last.epoch - first.epoch
            return span == 0 ? left : left + (right - left) * Double(epoch - first.epoch) / Double(span)
        }
        func y(_ share: Double) -> Double { height - bottom - (height - top - bottom) * min(max(share, 0), 1) }
        // One epoch alone is a band over the whole width.
        let columns =
            records.count == 1
            ? [(left, first.shares), (right, first.shares)] : records.map { (x($0.epoch), $0.shares) }
        var parts: [String] = []
        for op in Operator.allCases {
            func edge(_ shares: [Double], upTo end: Int) -> Double { shares.prefix(end).reduce(0, +) }
            let upper = columns.map { "\(number($0.0)) \(number(y(edge($0.1, upTo: op.index + 1))))" }
            let lower = columns.reversed().map { "\(number($0.0)) \(number(y(edge($0.1, upTo: op.index))))" }
            parts.append(
                "<path class=\"c\(op.index) band\" d=\"M\((upper + lower).joined(separator: "L"))Z\">"
                    + "<title>\(Palette.label(op))</title></path>")
        }
        for share in [0, 0.5, 1] {
            parts.append(
                "<text x=\"\(number(left - 6))\" y=\"\(number(y(share) + 4))\" class=\"end\">"
                    + "\(Int(share * 100))%</text>")
        }
        for epoch in LineChart.epochTicks(first.epoch...last.epoch) {
            parts.append(
                "<text x=\"\(number(x(epoch)))\" y=\"\(number(height - 8))\" class=\"middle\">\(epoch + 1)</text>")
        }
        let names = Operator.allCases.map { op in
            let share = Int((last.shares[op.index] * 100).rounded())
            return "<span class=\"key\"><i class=\"c\(op.index)\"></i>\(Palette.label(op)) <b>\(share)%</b></span>"
        }
        let words = Operator.allCases.map {
            "\(Palette.label($0)) \(Int((last.shares[$0.index] * 100).rounded()))%"
        }
        return """
            <figure class="card"><figcaption><strong>operators</strong> \(names.joined(separator: " "))</figcaption>
            <svg viewBox="0 0 \(number(width)) \(number(height))" role="img" \
            aria-label="Operators' mean probabilities, in the last epoch: \(words.joined(separator: ", "))">
            \(parts.joined(separator: "\n"))
            </svg></figure>
            """
    }
}
