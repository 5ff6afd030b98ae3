import Foundation

/// Curves over the epochs as SVG, sized to be read on a telephone; colours come from the page's style.
struct LineChart {
    /// One curve.
    struct Series {
        let name: String
        let points: [CurvePoint]
    }

    let title: String
    /// What the values are, with their unit.
    let axis: String
    let series: [Series]
    /// The values' range, where it is known beforehand.
    var range: ClosedRange<Double>?

    private let frame = ChartFrame()

    private var drawn: [Series] {
        series.map { Series(name: $0.name, points: thinned($0.points.filter(\.value.isFinite), to: 400)) }
            .filter { !$0.points.isEmpty }
    }

    /// The chart; nil where nothing was measured.
    func figure() -> String? {
        let drawn = drawn
        let epochs = drawn.flatMap { $0.points.map(\.epoch) }
        let values = drawn.flatMap { $0.points.map(\.value) }
        guard let firstEpoch = epochs.min(), let lastEpoch = epochs.max(), let low = values.min(),
            let high = values.max()
        else { return nil }
        let ticks = LineChart.ticks(range ?? low...high)
        guard let bottomValue = ticks.first, let topValue = ticks.last else { return nil }
        func x(_ epoch: Int) -> Double { frame.x(epoch, of: firstEpoch...lastEpoch) }
        func y(_ value: Double) -> Double {
            frame.y((min(max(value, bottomValue), topValue) - bottomValue) / max(topValue - bottomValue, 1e-300))
        }
        var parts = ticks.map { frame.horizontal(at: y($0), label: LineChart.label($0)) }
        parts.append(frame.axes(epochs: firstEpoch...lastEpoch, values: axis))
        for (index, curve) in drawn.enumerated() {
            let style = LineChart.colour(index)
            // The second curve is dashed: colours alone are not for everybody.
            let dashes = index % 2 == 1 ? " stroke-dasharray=\"5 3\"" : ""
            if curve.points.count > 1 {
                let places = curve.points.map { "\(number(x($0.epoch))) \(number(y($0.value)))" }
                parts.append("<path class=\"\(style) curve\"\(dashes) d=\"M\(places.joined(separator: "L"))\"/>")
            }
            // Few points are shown as such.
            for point in curve.points.count <= 12 ? curve.points : [] {
                let centre = "cx=\"\(number(x(point.epoch)))\" cy=\"\(number(y(point.value)))\""
                parts.append("<circle class=\"\(style) dot\" \(centre) r=\"3\"/>")
            }
        }
        return frame.figure(caption: caption(drawn), label: description(drawn), parts: parts)
    }

    private func caption(_ drawn: [Series]) -> String {
        let names = drawn.enumerated().map { index, curve in
            let last = curve.points.last.map { LineChart.label($0.value) } ?? ""
            let name = drawn.count > 1 || curve.name != title ? escaped(curve.name) + " " : ""
            return "<span class=\"key\"><i class=\"\(LineChart.colour(index))\"></i>\(name)<b>\(last)</b></span>"
        }
        return "<strong>\(escaped(title))</strong> " + names.joined(separator: " ")
    }

    /// Two curves side by side are of different hues.
    private static func colour(_ index: Int) -> String { "c\(index * 2 % 8)" }

    /// The curves in words, for readers who cannot see them.
    private func description(_ drawn: [Series]) -> String {
        let parts = drawn.map { curve -> String in
            guard let first = curve.points.first, let last = curve.points.last else { return curve.name }
            let (from, to) = (LineChart.label(first.value), LineChart.label(last.value))
            return "\(curve.name) from \(from) in epoch \(first.epoch + 1) to \(to) in epoch \(last.epoch + 1)"
        }
        return "\(title) by epoch: " + parts.joined(separator: "; ")
    }

    /// Three to six round numbers that enclose a range.
    static func ticks(_ range: ClosedRange<Double>) -> [Double] {
        let span = max(range.upperBound - range.lowerBound, abs(range.upperBound) * 1e-6, 1e-12)
        let power = pow(10, floor(log10(span / 3)))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { span / $0 <= 4.5 } ?? power * 10
        let first = floor(range.lowerBound / step + 1e-9)
        let last = ceil(range.upperBound / step - 1e-9)
        guard last - first < 100, first.magnitude < 1e15 else { return [range.lowerBound, range.upperBound] }
        return stride(from: first, through: max(last, first + 1), by: 1).map { $0 * step }
    }

    /// A number in a few characters.
    static func label(_ value: Double) -> String {
        if value == 0 { return "0" }
        let size = abs(value)
        if size >= 1e5 || size < 1e-3 { return String(format: "%.1e", value) }
        let text = String(format: size >= 100 ? "%.0f" : size >= 1 ? "%.2f" : "%.4f", value)
        guard text.contains(".") else { return text }
        let trimmed = text.reversed().drop { $0 == "0" }
        return String((trimmed.first == "." ? trimmed.dropFirst() : trimmed).reversed())
    }
}
