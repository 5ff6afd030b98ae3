import SearchSpace

/// Draws a cell as a graph: inputs at the left, blocks by depth, the concatenation at the right.
///
/// - Parameters:
///   - cell: a cell whose blocks read only blocks before them.
///   - title: a line above the drawing.
/// - Returns: an SVG file.
package func drawCell(_ cell: Cell, title: String? = nil) -> String {
    CellDrawing(cell, title: title).drawing().svg(label: title ?? "Cell: \(cellDescription(cell))")
}

/// The cell in words, for readers who cannot see the drawing.
func cellDescription(_ cell: Cell) -> String {
    zip(1..., cell.blocks).map { number, block in
        let terms = block.branches.map { "\(Palette.label($0.op)) of \($0.input.name)" }
        return "block\(number) = " + terms.joined(separator: " + ")
    }.joined(separator: "; ")
}

/// The layout: every input and block has a row of its own, along which its output runs to the right.
///
/// What reads it branches off in the vertical channel before the reader's column, where each source has a lane of its
/// own. So no line can run through a block, and no two lines can lie on one another; they only cross.
struct CellDrawing {
    private let cell: Cell
    private let title: String?
    /// Softmaxed alpha, a row of 8 an edge; nil where the cell is decided.
    private let alpha: [[Double]]?
    private let depths: [Int]
    /// For each column from 1 on, the sources that are read there: a lane each, so that none lies on another.
    private let lanes: [[Int]]

    private let rowHeight = 76.0
    private let pill = (width: 70.0, height: 22.0)
    private let bodyWidth = 126.0
    private let inputWidth = 64.0
    private let laneWidth = 14.0

    init(_ cell: Cell, title: String?, alpha: [[Double]]? = nil) {
        self.cell = cell
        self.title = title
        self.alpha = alpha
        var depths: [Int] = []
        for (number, block) in cell.blocks.enumerated() {
            let before = block.branches.map { branch -> Int in
                let index = branch.input.index - 2
                precondition(index < number, "block \(number + 1) cannot read \(branch.input.name)")
                return index < 0 ? 0 : depths[index]
            }
            depths.append(1 + (before.max() ?? 0))
        }
        self.depths = depths
        lanes = (0..<(depths.max() ?? 0)).map { column in
            let readers = zip(depths, cell.blocks).filter { $0.0 == column + 1 }
            return Set(readers.flatMap { $0.1.branches.map(\.input.index) }).sorted()
        }
    }

    private var top: Double { title == nil ? 24 : 60 }

    /// The row of a source: H^{l-1} above the blocks, H^{l-2} below them.
    private func y(_ source: Int) -> Double {
        let position = source == 0 ? 0 : source == 1 ? cell.blocks.count + 1 : source - 1
        return top + rowHeight * (Double(position) + 0.5)
    }

    /// The left edge of a column of blocks, or of the concatenation behind the last one.
    private func x(_ column: Int) -> Double {
        var x = 24 + inputWidth
        for channel in lanes.prefix(column) { x += 34 + laneWidth * Double(channel.count) }
        return x + bodyWidth * Double(column - 1)
    }

    private func laneX(_ source: Int, column: Int) -> Double {
        let order = lanes[column - 1].firstIndex(of: source) ?? 0
        return x(column) - 20 - laneWidth * Double(lanes[column - 1].count - order - 1)
    }

    private func outputX(_ source: Int) -> Double {
        source < 2 ? 24 + inputWidth : x(depths[source - 2]) + bodyWidth
    }

    private var concatX: Double { x(lanes.count) + bodyWidth + 34 }

    func drawing() -> Drawing {
        let height = top + rowHeight * Double(cell.blocks.count + 2) + 12
        var drawing = Drawing(width: concatX + 110, height: height)
        if let title {
            drawing.width = max(drawing.width, estimatedWidth(title, size: 16) + 48)
            drawing.text(title, at: Point(x: 24, y: 30), size: 16, anchor: .start, bold: true)
        }
        for number in cell.blocks.indices { drawBody(number, &drawing) }
        for source in 0..<(cell.blocks.count + 2) { drawOutput(of: source, &drawing) }
        for number in cell.blocks.indices { drawOperators(number, &drawing) }
        drawInput(0, "l−1", &drawing)
        drawInput(1, "l−2", &drawing)
        drawConcatenation(&drawing)
        return drawing
    }

    private func drawInput(_ source: Int, _ index: String, _ drawing: inout Drawing) {
        let isRead = lanes.contains { $0.contains(source) }
        let centre = Point(x: 24 + inputWidth / 2, y: y(source))
        drawing.box(
            x: 24, y: centre.y - 17, width: inputWidth, height: 34, fill: isRead ? Palette.group : Palette.background,
            stroke: isRead ? Palette.line(source) : Palette.faint, lineWidth: 1.6, dashed: !isRead)
        drawing.state(index, at: Point(x: centre.x, y: centre.y + 1), colour: isRead ? Palette.text : Palette.quiet)
    }

    private func pillY(_ number: Int, side: Int) -> Double { y(number + 2) + (side == 0 ? -13 : 13) }

    private func drawBody(_ number: Int, _ drawing: inout Drawing) {
        drawing.box(
            x: x(depths[number]), y: y(number + 2) - 31, width: bodyWidth, height: 62, radius: 9, fill: Palette.group,
            stroke: Palette.faint)
    }

    private func drawOperators(_ number: Int, _ drawing: inout Drawing) {
        let (left, centre) = (x(depths[number]), y(number + 2))
        let sum = Point(x: left + bodyWidth - 24, y: centre)
        for (side, branch) in cell.blocks[number].branches.enumerated() {
            let height = pillY(number, side: side)
            let isNone = branch.op == .none
            let colour = isNone ? Palette.faint : Palette.quiet
            let share = probability(branch, inBlock: number + 1)
            drawing.line(
                Point(x: left + 8 + pill.width, y: height), sum,
                colour: share.map(Palette.probability) ?? colour, width: share.map { 0.7 + 5 * $0 } ?? 1.4,
                dashed: isNone)
            drawing.box(
                x: left + 8, y: height - pill.height / 2, width: pill.width, height: pill.height,
                radius: pill.height / 2, fill: Palette.fill(branch.op), stroke: colour, lineWidth: 1, dashed: isNone)
            drawing.text(
                Palette.label(branch.op), at: Point(x: left + 8 + pill.width / 2, y: height),
                colour: isNone ? Palette.quiet : Palette.text)
        }
        drawing.circle(sum, radius: 11, fill: Palette.background, stroke: Palette.line(number + 2), width: 1.8)
        drawing.text("+", at: sum, size: 15)
        drawing.text(
            "\(number + 1)", at: Point(x: sum.x + 14, y: centre - 20), size: 10, colour: Palette.quiet, bold: true)
    }

    /// How likely the branch's operator is on its edge, where alpha is given.
    private func probability(_ branch: Branch, inBlock block: Int) -> Double? {
        guard let alpha else { return nil }
        let edge = CellSpace(blocks: cell.blocks.count).edges(into: block).first { $0.input == branch.input }
        return edge.map { min(max(alpha[$0.index][branch.op.index], 0), 1) }
    }

    /// The line along the source's row and what branches off it.
    private func drawOutput(of source: Int, _ drawing: inout Drawing) {
        let (height, colour) = (y(source), Palette.line(source))
        let start = Point(x: source < 2 ? outputX(source) : outputX(source) - 12, y: height)
        let columns = lanes.indices.map { $0 + 1 }.filter { lanes[$0 - 1].contains(source) }
        if source >= 2 {
            drawing.arrow(start, Point(x: concatX - 1, y: height), colour: colour, width: 1.8)
        } else if let last = columns.last {
            drawing.line(start, Point(x: laneX(source, column: last) - 8, y: height), colour: colour, width: 1.8)
        }
        for column in columns {
            drawBranches(of: source, column: column, goesOn: source >= 2 || column != columns.last, &drawing)
        }
    }

    /// The lane in which a source turns to its readers in a column: to the farthest, with forks to those on the way.
    private func drawBranches(of source: Int, column: Int, goesOn: Bool, _ drawing: inout Drawing) {
        let (height, colour) = (y(source), Palette.line(source))
        let lane = laneX(source, column: column)
        var ends: [Double] = []
        for (number, block) in cell.blocks.enumerated() where depths[number] == column {
            for (side, branch) in block.branches.enumerated() where branch.input.index == source {
                ends.append(pillY(number, side: side))
            }
        }
        let tipX = x(column) + 7
        for side in [ends.filter { $0 < height }, ends.filter { $0 > height }] {
            guard let farthest = side.max(by: { abs($0 - height) < abs($1 - height) }) else { continue }
            let corners = [
                Point(x: lane, y: height), Point(x: lane, y: farthest), Point(x: tipX - 8, y: farthest),
            ]
            // The last reader takes the line round the corner; before it, the line forks.
            let lead = goesOn ? [] : [Point(x: lane - 8, y: height)]
            drawing.path(lead + corners, colour: colour, width: 1.8, radius: 7)
            for end in side {
                let fork = Point(x: lane, y: end)
                drawing.arrow(
                    end == farthest ? Point(x: tipX - 8, y: end) : fork, Point(x: tipX, y: end), colour: colour,
                    width: 1.8)
                if end != farthest { drawing.circle(fork, radius: 2.6, fill: colour, stroke: colour, width: 0.5) }
            }
        }
        if goesOn {
            drawing.circle(Point(x: lane, y: height), radius: 2.8, fill: colour, stroke: colour, width: 0.5)
        }
    }

    private func drawConcatenation(_ drawing: inout Drawing) {
        let (first, last) = (y(2) - 31, y(cell.blocks.count + 1) + 31)
        let middle = (first + last) / 2
        drawing.box(
            x: concatX, y: first, width: 30, height: last - first, radius: 7, fill: Palette.group,
            stroke: Palette.quiet)
        drawing.text("concat", at: Point(x: concatX + 15, y: middle), rotated: true)
        drawing.arrow(
            Point(x: concatX + 30, y: middle), Point(x: concatX + 62, y: middle), colour: Palette.text, width: 1.8)
        drawing.state("l", at: Point(x: concatX + 78, y: middle))
    }
}
