import SearchSpace

/// The operators' mean shares over the epochs, one band above the other.
struct SharesChart {
    let records: [(epoch: Int, shares: [Double])]

    private let frame = ChartFrame()

    /// The chart; nil where nothing was measured.
    func figure() -> String? {
        let drawn = evenly(records, limit: 200)
        guard let first = drawn.first, let last = drawn.last else { return nil }
        let places = drawn.map(\.epoch)
        let epochs = (places.min() ?? first.epoch)...(places.max() ?? last.epoch)
        func y(_ share: Double) -> Double { frame.y(min(max(share, 0), 1)) }
        func percent(_ op: Operator) -> Int { Int(clamping: (min(max(last.shares[op.index], 0), 1) * 100).rounded()) }
        // One epoch alone is a band over the whole width.
        let columns =
            drawn.count == 1
            ? [(frame.left, first.shares), (frame.right, first.shares)]
            : drawn.map { (frame.x($0.epoch, of: epochs), $0.shares) }
        var parts: [String] = []
        for op in Operator.allCases {
            func edge(_ shares: [Double], upTo end: Int) -> Double { shares.prefix(end).reduce(0, +) }
            let upper = columns.map { "\(number($0.0)) \(number(y(edge($0.1, upTo: op.index + 1))))" }
            let lower = columns.reversed().map { "\(number($0.0)) \(number(y(edge($0.1, upTo: op.index))))" }
            parts.append(
                "<path class=\"c\(op.index) band\" d=\"M\((upper + lower).joined(separator: "L"))Z\">"
                    + "<title>\(Palette.label(op))</title></path>")
        }
        parts += [0, 0.5, 1].map { frame.horizontal(at: y($0), label: "\(Int(clamping: $0 * 100))%") }
        parts.append(frame.axes(epochs: epochs, values: "mean probability"))
        let names = Operator.allCases.map { op in
            "<span class=\"key\"><i class=\"c\(op.index)\"></i>\(Palette.label(op)) <b>\(percent(op))%</b></span>"
        }
        let words = Operator.allCases.map {
            "\(Palette.label($0)) \(percent($0))%"
        }
        return frame.figure(
            caption: "<strong>operators</strong> \(names.joined(separator: " "))",
            label: "Operators' mean probabilities, in the last epoch: \(words.joined(separator: ", "))", parts: parts)
    }
}
