/// Draws a confusion matrix: a row for each labelled class, its pixels' shares by predicted class, the darker the more.
///
/// - Parameters:
///   - names: The classes' names.
///   - counts: Pixels by label, then by prediction.
///   - totals: All pixels of each label, where other classes are left out; nil takes the sums of the rows.
///   - title: A line above the drawing.
/// - Returns: an SVG file.
package func drawConfusion(names: [String], counts: [[Int]], totals: [Int]? = nil, title: String) -> String {
    precondition(counts.count == names.count && counts.allSatisfy { $0.count == names.count }, "a square of counts")
    // Figures need room, which many classes leave no more.
    let showsFigures = names.count <= 30
    let cell = showsFigures ? 34.0 : 12.0
    let size = showsFigures ? 12.0 : 9.0
    let longest = min(160, names.map { estimatedWidth($0, size: size) }.max() ?? 0)
    let (left, top) = (longest + 46, longest + 76)
    let side = cell * Double(names.count)
    var drawing = Drawing(width: max(left + side + 24, estimatedWidth(title, size: 16) + 48), height: top + side + 24)
    drawing.text(title, at: Point(x: 24, y: 24), size: 16, anchor: .start, bold: true)
    drawing.text("predicted", at: Point(x: left + side / 2, y: 48), size: 12, colour: Palette.quiet)
    drawing.text("labelled", at: Point(x: 22, y: top + side / 2), size: 12, colour: Palette.quiet, rotated: true)
    // Many classes have thousands of pairs that nothing is in: they are the background.
    if !showsFigures {
        drawing.box(
            x: left, y: top, width: side - 1, height: side - 1, radius: 1, fill: Palette.group, stroke: "none",
            lineWidth: 0)
    }
    for (row, name) in names.enumerated() {
        let middle = cell * (Double(row) + 0.5)
        let label = shortened(name, to: longest, size: size)
        drawing.text(label, at: Point(x: left - 8, y: top + middle), size: size, anchor: .end)
        drawing.text(label, at: Point(x: left + middle, y: top - 8), size: size, anchor: .start, rotated: true)
        let total = totals?[row] ?? counts[row].reduce(0, +)
        for (column, count) in counts[row].enumerated() {
            let share = total == 0 ? 0 : Double(count) / Double(total)
            guard count > 0 || row == column || showsFigures else { continue }
            drawing.box(
                x: left + cell * Double(column), y: top + cell * Double(row), width: cell - 1, height: cell - 1,
                radius: 1, fill: total == 0 ? Palette.group : Palette.probability(share),
                stroke: row == column ? Palette.path : "none", lineWidth: 1.2)
            guard showsFigures, share >= 0.005 else { continue }
            drawing.text(
                "\(Int(clamping: (share * 100).rounded()))",
                at: Point(x: left + cell * (Double(column) + 0.5) - 0.5, y: top + middle - 0.5), size: 11,
                colour: share > 0.25 ? Palette.background : Palette.text)
        }
    }
    return drawing.svg(label: title)
}
