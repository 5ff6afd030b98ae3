import SearchSpace

/// Draws a searched decoder: its blocks above, the cell below.
///
/// - Parameters:
///   - genotype: A genotype that passes `validate()`.
///   - title: A line above the drawing.
/// - Returns: An SVG file.
package func drawDecoder(_ genotype: DecoderGenotype, title: String? = nil) -> String {
    var whole = Drawing(width: 0, height: 0)
    let label = title ?? "Decoder \(genotype.name): " + genotype.lines.joined(separator: "; ")
    for part in [FlowDrawing(genotype, title: title).drawing(), FlowDrawing(genotype.cell).drawing()] {
        whole.add("<g transform=\"translate(0 \(number(whole.height)))\">")
        for element in part.body { whole.add(element) }
        whole.add("</g>")
        whole.height += part.height
        whole.width = max(whole.width, part.width)
    }
    return whole.svg(label: label)
}

/// Steps from left to right, each of one or two boxes that read something before them, and of their sum where they are two.
///
/// Everything that can be read has a row of its own, along which it runs to the right; what reads it turns off in a lane
/// of its own before the reader's column. So no line runs through a box, and no two lie on one another.
private struct FlowDrawing {
    /// A box: what it reads, what stands in it.
    struct Box {
        let source: Int
        let label: String
        let fill: String
    }

    private let title: String
    private let inputs: [String]
    private let steps: [(name: String, boxes: [Box])]
    private let loose: [Int]
    private let result: String

    /// The decoder's blocks.
    init(_ genotype: DecoderGenotype, title: String?) {
        self.title = title ?? "Decoder"
        inputs = (0..<DecoderGenotype.encoderMaps).map { "stride \(4 << $0)" }
        // Of a block only the sum is read: the third of its sources.
        func source(_ map: Int) -> Int {
            let block = map - DecoderGenotype.encoderMaps
            return block < 0 ? map : DecoderGenotype.encoderMaps + 3 * block + 2
        }
        steps = genotype.blocks.enumerated().map { index, block in
            ("block \(index + 1)", block.maps.map { Box(source: source($0), label: "cell", fill: "#f4f6f9") })
        }
        loose = genotype.looseMaps.map(source)
        result = "concat"
    }

    /// A cell.
    init(_ cell: DecoderCell) {
        title = "Cell"
        inputs = ["input"]
        func box(_ operation: DecoderOperation, _ source: Int) -> Box {
            Box(source: source, label: Palette.label(operation), fill: Palette.fill(operation))
        }
        steps =
            [("node 0", [box(cell.first, 0)])]
            + cell.nodes.enumerated().map { index, node in
                ("node \(index + 1)", node.branches.map { box($0.operation, $0.position) })
            }
        loose = cell.loosePositions
        result = "sum"
    }

    private static let rowHeight = 34.0
    private static let top = 64.0
    private static let columnWidth = 190.0
    private static let boxWidth = 96.0

    /// The rows of the sources in their order: the sum between its branches.
    private var rows: [Double] {
        var rows = inputs.indices.map(Double.init)
        var next = Double(inputs.count)
        for step in steps {
            rows += step.boxes.count == 1 ? [next] : [next, next + 2, next + 1]
            next += step.boxes.count == 1 ? 1 : 3
        }
        return rows.map { FlowDrawing.top + $0 * FlowDrawing.rowHeight }
    }

    func drawing() -> Drawing {
        let rows = rows
        let left = 96.0
        let right = left + Double(steps.count) * FlowDrawing.columnWidth + 20
        var drawing = Drawing(width: right + 70, height: (rows.max() ?? 0) + 40)
        drawing.text(
            shortened(title, to: drawing.width - 48, size: 15), at: Point(x: 24, y: 24), size: 15, anchor: .start,
            bold: true)
        // Where a source comes from, and where the line along its row ends.
        var starts = inputs.map { _ in left - 14 }
        var ends = starts
        for (index, name) in inputs.enumerated() {
            drawing.text(name, at: Point(x: left - 20, y: rows[index]), anchor: .end)
        }
        for (column, step) in steps.enumerated() {
            let x = left + Double(column) * FlowDrawing.columnWidth
            let box = x + 36
            let first = starts.count
            for (side, part) in step.boxes.enumerated() {
                let (lane, row, colour) = (x + 8 + 10 * Double(side), rows[first + side], Palette.line(part.source))
                let from = Point(x: lane, y: rows[part.source])
                ends[part.source] = max(ends[part.source], lane)
                drawing.circle(from, radius: 2.6, fill: colour, stroke: colour, width: 0.5)
                drawing.path(
                    [from, Point(x: lane, y: row), Point(x: box - 8, y: row)], colour: colour, width: 1.8, radius: 7)
                drawing.arrow(Point(x: box - 8, y: row), Point(x: box, y: row), colour: colour, width: 1.8)
            }
            for (side, part) in step.boxes.enumerated() {
                drawing.box(
                    x: box, y: rows[first + side] - 11, width: FlowDrawing.boxWidth, height: 22, radius: 11,
                    fill: part.fill, stroke: Palette.quiet)
                drawing.text(part.label, at: Point(x: box + FlowDrawing.boxWidth / 2, y: rows[first + side]))
                starts.append(box + FlowDrawing.boxWidth)
            }
            let name = Point(x: box + FlowDrawing.boxWidth / 2, y: rows[first] - 21)
            drawing.text(step.name, at: name, size: 10, colour: Palette.quiet, bold: true)
            if step.boxes.count == 2 {
                let sum = Point(x: box + FlowDrawing.boxWidth + 22, y: rows[first + 2])
                for side in 0..<2 {
                    let corner = Point(x: box + FlowDrawing.boxWidth, y: rows[first + side])
                    drawing.line(corner, sum, colour: Palette.line(first + side), width: 1.4)
                }
                drawing.circle(sum, radius: 10, fill: Palette.background, stroke: Palette.line(first + 2), width: 1.8)
                drawing.text("+", at: sum, size: 15)
                starts.append(sum.x + 10)
            }
            ends += starts.dropFirst(ends.count)
        }
        for source in loose { ends[source] = right }
        for source in starts.indices where ends[source] > starts[source] {
            let (start, end) = (Point(x: starts[source], y: rows[source]), Point(x: ends[source], y: rows[source]))
            if loose.contains(source) {
                drawing.arrow(start, end, colour: Palette.line(source), width: 1.8)
            } else {
                drawing.line(start, end, colour: Palette.line(source), width: 1.8)
            }
        }
        drawResult(rows, x: right, &drawing)
        return drawing
    }

    private func drawResult(_ rows: [Double], x: Double, _ drawing: inout Drawing) {
        let heights = loose.map { rows[$0] }
        let (first, last) = ((heights.min() ?? 0) - 28, (heights.max() ?? 0) + 28)
        drawing.box(
            x: x, y: first, width: 30, height: last - first, radius: 7, fill: Palette.group, stroke: Palette.quiet)
        drawing.text(result, at: Point(x: x + 15, y: (first + last) / 2), rotated: true)
    }
}

extension Palette {
    fileprivate static func fill(_ operation: DecoderOperation) -> String {
        switch operation.form {
        case .separable: "#dcebfa"
        case .conv: "#fde7d3"
        case .globalPool: "#dff3e1"
        case .skip: "#efe6f7"
        case .none: "#ffffff"
        }
    }

    fileprivate static func label(_ operation: DecoderOperation) -> String {
        func text(_ kind: String, _ kernel: Int, _ rate: Int) -> String {
            "\(kind) \(kernel)×\(kernel)" + (rate == 1 ? "" : " r\(rate)")
        }
        switch operation.form {
        case .conv(let kernel, let rate): return text("conv", kernel, rate)
        case .separable(let kernel, let rate): return text("sep", kernel, rate)
        case .globalPool: return "global pool"
        case .skip: return "skip"
        case .none: return "none"
        }
    }
}
