/// A legend in columns for the strip below a picture: a patch of colour and a name for each class.
///
/// The font shrinks until all fit, from 13 pixels to 9; what does not fit then is counted: "+12 more".
package struct LegendStrip: Hashable, Sendable {
    /// How many names there is room for.
    package let shown: Int
    /// How many names are only counted.
    package let hidden: Int
    private let width: Int
    private let columns: Int
    private let size: Double

    /// A legend of these names within a size in pixels; nil where there are none, or not even one has room.
    package init?(names: [String], width: Int, height: Int) {
        guard !names.isEmpty, width > 0 else { return nil }
        self.width = width
        for size in [13.0, 11, 9] {
            let widest = names.map { LegendStrip.entryWidth(of: $0, size: size) }.max() ?? 0
            let columns = max(1, Int(clamping: Double(width) / widest))
            let rows = max(0, Int(clamping: (Double(height) - LegendStrip.margin) / LegendStrip.row(size)))
            let isLast = size == 9
            guard columns * rows >= names.count || isLast else { continue }
            // The last place tells how many there is no room for.
            shown = columns * rows >= names.count ? names.count : columns * rows - 1
            guard shown > 0 else { return nil }
            hidden = names.count - shown
            self.columns = columns
            self.size = size
            return
        }
        return nil
    }

    /// The legend as an SVG file.
    ///
    /// - Parameter entries: Names, and colours as `#rrggbb`: ``shown`` of them.
    /// - Returns: The file's text.
    package func drawn(_ entries: [(name: String, colour: String)]) -> String {
        let places = entries.count + (hidden > 0 ? 1 : 0)
        let row = LegendStrip.row(size)
        let rows = (places + columns - 1) / columns
        var drawing = Drawing(width: Double(width), height: row * Double(rows) + LegendStrip.margin)
        let column = Double(width) / Double(columns)
        func place(_ index: Int) -> Point {
            Point(
                x: column * Double(index % columns) + LegendStrip.margin,
                y: row * (Double(index / columns) + 0.5) + LegendStrip.margin / 2)
        }
        let patch = size - 1
        for (index, entry) in entries.enumerated() {
            let left = place(index)
            drawing.box(
                x: left.x, y: left.y - patch / 2, width: patch, height: patch, radius: 2, fill: entry.colour,
                stroke: Palette.text, lineWidth: 0.6)
            let start = patch + LegendStrip.gap
            let name = shortened(entry.name, to: column - start - LegendStrip.margin, size: size)
            drawing.text(name, at: Point(x: left.x + start, y: left.y), size: size, anchor: .start)
        }
        if hidden > 0 {
            drawing.text(
                "+\(hidden) more", at: place(entries.count), size: size, colour: Palette.quiet, anchor: .start)
        }
        return drawing.svg(label: "Legend")
    }

    private static let margin = 4.0
    private static let gap = 5.0
    private static func row(_ size: Double) -> Double { (size * 1.45).rounded(.up) }

    /// Longer names are cut, so that one of them does not take the place of many.
    private static func entryWidth(of name: String, size: Double) -> Double {
        estimatedWidth(String(name.prefix(22)), size: size) + size - 1 + gap + margin
    }
}
