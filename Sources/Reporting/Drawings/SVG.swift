/// A drawing under construction: SVG elements and the size that they need.
struct Drawing {
    var width: Double
    var height: Double
    private(set) var body: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func add(_ element: String) { body.append(element) }

    mutating func line(_ from: Point, _ to: Point, colour: String, width: Double, dashed: Bool = false) {
        path([from, to], colour: colour, width: width, dashed: dashed)
    }

    /// A polyline, its corners rounded by `radius`.
    mutating func path(_ points: [Point], colour: String, width: Double, radius: Double = 0, dashed: Bool = false) {
        guard let first = points.first, let last = points.last else { return }
        var commands = "M\(first)"
        for index in points.indices.dropFirst().dropLast() {
            let corner = points[index]
            let (before, after) = (points[index - 1], points[index + 1])
            let reach = min(radius, corner.distance(to: before) / 2, corner.distance(to: after) / 2)
            commands += "L\(corner.moved(reach, toward: before))Q\(corner) \(corner.moved(reach, toward: after))"
        }
        commands += "L\(last)"
        let dashes = dashed ? " stroke-dasharray=\"4 3\"" : ""
        add(
            "<path d=\"\(commands)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(number(width))\""
                + " stroke-linecap=\"round\"\(dashes)/>")
    }

    /// A straight arrow whose head ends at `to`; `tip` is shown where the pointer rests on it.
    mutating func arrow(_ from: Point, _ to: Point, colour: String, width: Double, tip: String? = nil) {
        let length = 5 + 1.4 * width
        let neck = to.moved(length, toward: from)
        let side = Point(x: (to.y - neck.y) * 0.42, y: (neck.x - to.x) * 0.42)
        let head = [
            to, Point(x: neck.x + side.x, y: neck.y + side.y), Point(x: neck.x - side.x, y: neck.y - side.y),
        ]
        let hover = tip.map { "<title>\(escaped($0))</title>" } ?? ""
        add(
            "<g>\(hover)<path d=\"M\(from)L\(neck)\" stroke=\"\(colour)\" stroke-width=\"\(number(width))\"/>"
                + "<path d=\"M\(head.map(\.description).joined(separator: "L"))Z\" fill=\"\(colour)\"/></g>")
    }

    /// An arrow from one point to another of equal height, by an arc that rises over what is between.
    mutating func arc(_ from: Point, _ to: Point, rise: Double, colour: String, width: Double, tip: String) {
        let length = 5 + 1.4 * width
        let reach = min(2 * rise, (to.x - from.x) / 3)
        let turns = [Point(x: from.x + reach, y: from.y - rise), Point(x: to.x - reach, y: to.y - rise)]
        let neck = to.moved(length, toward: turns[1])
        let side = Point(x: (to.y - neck.y) * 0.42, y: (neck.x - to.x) * 0.42)
        let head = [
            to, Point(x: neck.x + side.x, y: neck.y + side.y), Point(x: neck.x - side.x, y: neck.y - side.y),
        ]
        add(
            "<g><title>\(escaped(tip))</title><path d=\"M\(from)C\(turns[0]) \(turns[1]) \(neck)\" fill=\"none\""
                + " stroke=\"\(colour)\" stroke-width=\"\(number(width))\"/>"
                + "<path d=\"M\(head.map(\.description).joined(separator: "L"))Z\" fill=\"\(colour)\"/></g>")
    }

    mutating func circle(_ centre: Point, radius: Double, fill: String, stroke: String, width: Double = 1.2) {
        add(
            "<circle cx=\"\(number(centre.x))\" cy=\"\(number(centre.y))\" r=\"\(number(radius))\" fill=\"\(fill)\""
                + " stroke=\"\(stroke)\" stroke-width=\"\(number(width))\"/>")
    }

    mutating func box(
        x: Double, y: Double, width: Double, height: Double, radius: Double = 5, fill: String, stroke: String,
        lineWidth: Double = 1.2, dashed: Bool = false
    ) {
        let dashes = dashed ? " stroke-dasharray=\"4 3\"" : ""
        add(
            "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\""
                + " rx=\"\(number(radius))\" fill=\"\(fill)\" stroke=\"\(stroke)\""
                + " stroke-width=\"\(number(lineWidth))\"\(dashes)/>")
    }

    mutating func text(
        _ text: String, at point: Point, size: Double = 12, colour: String = Palette.text, anchor: Anchor = .middle,
        bold: Bool = false, rotated: Bool = false
    ) {
        markup(escaped(text), at: point, size: size, colour: colour, anchor: anchor, bold: bold, rotated: rotated)
    }

    /// H with a raised index, in italics.
    mutating func state(_ index: String, at point: Point, size: Double = 16, colour: String = Palette.text) {
        let style = "dy=\"\(number(-size * 0.36))\" font-size=\"\(number(size * 0.75))\""
        let raised = "<tspan \(style)>\(escaped(index))</tspan>"
        markup("<tspan font-style=\"italic\">H\(raised)</tspan>", at: point, size: size, colour: colour)
    }

    private mutating func markup(
        _ markup: String, at point: Point, size: Double, colour: String, anchor: Anchor = .middle, bold: Bool = false,
        rotated: Bool = false
    ) {
        let weight = bold ? " font-weight=\"bold\"" : ""
        let turn = rotated ? " transform=\"rotate(-90 \(number(point.x)) \(number(point.y)))\"" : ""
        // The baseline is put below the middle by hand: dominant-baseline is not read everywhere.
        add(
            "<text x=\"\(number(point.x))\" y=\"\(number(point.y + size * 0.35))\" font-size=\"\(number(size))\""
                + " text-anchor=\"\(anchor.rawValue)\" fill=\"\(colour)\"\(weight)\(turn)>\(markup)</text>")
    }

    /// The complete file: an explicit light background, so that it reads the same on a dark page.
    func svg(label: String) -> String {
        let size = "width=\"\(number(width))\" height=\"\(number(height))\""
        return """
            <svg xmlns="http://www.w3.org/2000/svg" \(size) viewBox="0 0 \(number(width)) \(number(height))" \
            role="img" aria-label="\(escaped(label))" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
            <title>\(escaped(label))</title>
            <rect \(size) fill="\(Palette.background)"/>
            \(body.joined(separator: "\n"))
            </svg>

            """
    }
}

/// Where a text stands relative to its point.
enum Anchor: String { case start, middle, end }

/// A place in a drawing.
struct Point: CustomStringConvertible {
    var x: Double
    var y: Double

    var description: String { "\(number(x)) \(number(y))" }

    func distance(to other: Point) -> Double {
        ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot()
    }

    func moved(_ length: Double, toward other: Point) -> Point {
        let whole = distance(to: other)
        guard whole > 0 else { return self }
        return Point(x: x + (other.x - x) * length / whole, y: y + (other.y - y) * length / whole)
    }
}

/// A coordinate with two decimals at most; what lies beyond any drawing is brought to a million, and NaN to 0.
func number(_ value: Double) -> String {
    let rounded = value.isNaN ? 0 : (min(max(value, -1e6), 1e6) * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(clamping: rounded))" : "\(rounded)"
}

/// A text as it may stand in XML: markup escaped, characters that XML forbids left out, and not endless.
func escaped(_ text: String, limit: Int = 200) -> String {
    var result = ""
    for scalar in text.unicodeScalars.prefix(limit) {
        switch scalar {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        case "\u{FFFE}", "\u{FFFF}": continue
        default:
            guard scalar.properties.generalCategory != .control else { continue }
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// A generous estimate of a text's width; fonts are not known here.
func estimatedWidth(_ text: String, size: Double) -> Double { Double(text.prefix(200).count) * size * 0.62 }

/// A text that is cut where it is wider.
func shortened(_ text: String, to width: Double, size: Double) -> String {
    guard estimatedWidth(text, size: size) > width else { return text }
    return text.prefix(max(1, Int(clamping: width / (size * 0.62)) - 1)) + "…"
}
