/// Draws a legend: a patch of colour and a name for each class, in as many rows as the width asks for.
///
/// - Parameters:
///   - entries: Names, and colours as `#rrggbb`.
///   - width: The legend's width in pixels.
/// - Returns: an SVG file.
public func drawLegend(_ entries: [(name: String, colour: String)], width: Int) -> String {
    let size = 13.0
    let (patch, row, gap, margin) = (14.0, 22.0, 14.0, 8.0)
    var drawing = Drawing(width: Double(width), height: 0)
    var (x, y) = (margin, margin / 2)
    for entry in entries {
        let needed = patch + 6 + estimatedWidth(entry.name, size: size)
        if x > margin && x + needed > Double(width) - margin { (x, y) = (margin, y + row) }
        drawing.box(
            x: x, y: y + (row - patch) / 2, width: patch, height: patch, radius: 2, fill: entry.colour,
            stroke: Palette.text, lineWidth: 0.6)
        drawing.text(entry.name, at: Point(x: x + patch + 6, y: y + row / 2), size: size, anchor: .start)
        x += needed + gap
    }
    drawing.height = y + row + margin / 2
    return drawing.svg(label: "Legend")
}
