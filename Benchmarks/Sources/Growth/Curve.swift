import Foundation

/// How a measure grows with one quantity, and the power of it that fits best.
struct Curve: Codable {
    var quantity: Quantity
    var measure: Measure
    var points: [Measurement]
    /// Exponent of the measure, of the multiply-adds, and the largest share by which a measurement is off the fit.
    var exponent: Double
    var multiplyAddsExponent: Double
    var largestError: Double

    init(_ quantity: Quantity, _ measure: Measure, _ points: [Measurement]) {
        self.quantity = quantity
        self.measure = measure
        self.points = points
        let amounts = points.map { quantity.amount($0.value) }
        let fit = Curve.fit(amounts, points.map(measure.value))
        exponent = fit.exponent
        multiplyAddsExponent = Curve.fit(amounts, points.map(\.multiplyAdds)).exponent
        largestError =
            zip(amounts, points).map { abs(measure.value($1) / (fit.factor * pow($0, fit.exponent)) - 1) }.max() ?? .nan
    }

    /// factor * x^exponent, by least squares of the logarithms.
    static func fit(_ x: [Double], _ y: [Double]) -> (factor: Double, exponent: Double) {
        let (a, b) = (x.map { log($0) }, y.map { log($0) })
        let (meanA, meanB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
        let covariance = zip(a, b).reduce(0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
        let variance = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) }
        let exponent = covariance / variance
        return (exp(meanB - exponent * meanA), exponent)
    }

    /// The measure as dots, its fit as a line, and the multiply-adds as a dashed line through the same middle; both axes
    /// are logarithmic.
    func svg() -> String {
        let amounts = points.map { quantity.amount($0.value) }
        let measured = points.map(measure.value)
        let fitted = Curve.fit(amounts, measured)
        // In the measure's unit, at the rate that the middle of the measurements has.
        let rate = exp(zip(points, measured).reduce(0) { $0 + log($1.0.multiplyAdds / $1.1) } / Double(points.count))
        let counted = points.map { $0.multiplyAdds / rate }
        var drawing = Drawing(width: 420, height: 300)
        let (left, right, top, bottom) = (70.0, 400.0, 44.0, 250.0)
        let all = measured + counted
        let (low, high) = ((all.min() ?? 1) / 1.15, (all.max() ?? 1) * 1.15)
        let (first, last) = ((amounts.first ?? 1) / 1.08, (amounts.last ?? 1) * 1.08)
        func place(_ x: Double, _ y: Double) -> Point {
            Point(
                x: left + (right - left) * log(x / first) / log(last / first),
                y: bottom - (bottom - top) * log(y / low) / log(high / low))
        }
        for tick in Curve.ticks(low, high) {
            let y = place(first, tick).y
            drawing.line(Point(x: left, y: y), Point(x: right, y: y), colour: Palette.faint, width: 0.8)
            drawing.text(Curve.label(tick), at: Point(x: left - 8, y: y), size: 11, colour: Palette.quiet, anchor: .end)
        }
        for (point, amount) in zip(points, amounts) {
            let x = place(amount, low).x
            drawing.line(Point(x: x, y: bottom), Point(x: x, y: bottom + 4), colour: Palette.quiet, width: 0.8)
            let label = quantity == .pixels ? "\(point.value)²" : "\(point.value)"
            drawing.text(label, at: Point(x: x, y: bottom + 15), size: 11, colour: Palette.quiet)
        }
        drawing.line(Point(x: left, y: bottom), Point(x: right, y: bottom), colour: Palette.quiet, width: 1)
        drawing.path(
            zip(amounts, counted).map { place($0, $1) }, colour: Palette.line(1), width: 1.6, dashed: true)
        drawing.path(
            amounts.map { place($0, fitted.factor * pow($0, fitted.exponent)) }, colour: Palette.line(0), width: 1.6)
        for (amount, value) in zip(amounts, measured) {
            drawing.circle(place(amount, value), radius: 3.5, fill: Palette.line(0), stroke: Palette.background)
        }
        drawing.text(quantity.axis, at: Point(x: (left + right) / 2, y: 287), size: 12)
        drawing.text(measure.axis(quantity), at: Point(x: 16, y: (top + bottom) / 2), size: 12, rotated: true)
        drawing.text(
            String(format: "measured, grows with the power %.2f", exponent), at: Point(x: left, y: 14), size: 12,
            colour: Palette.line(0), anchor: .start)
        drawing.text(
            String(format: "dashed: multiply-adds, %.2f", multiplyAddsExponent), at: Point(x: left, y: 31), size: 12,
            colour: Palette.line(1), anchor: .start)
        return drawing.svg(
            label: "A search's weight step, \(measure.axis(quantity)) against \(quantity.axis), both logarithmic")
    }

    /// Round numbers between two, at least three where there are so many.
    private static func ticks(_ low: Double, _ high: Double) -> [Double] {
        let steps: [[Double]] = [
            [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
        ]
        let found = steps.map { steps in
            (-6...6).flatMap { power in steps.map { $0 * pow(10, Double(power)) } }.filter { (low...high).contains($0) }
        }
        return found.first { $0.count >= 3 } ?? found[found.count - 1]
    }

    private static func label(_ value: Double) -> String { String(format: "%.4g", value) }
}
