import SearchSpace

/// Alpha as a table: a row for each edge of the relaxed cell, a column for each operator, the darker the likelier.
struct AlphaDrawing {
    private let space: CellSpace
    private let probabilities: [[Double]]

    private let row = 18.0
    private let column = 58.0
    private let left = 150.0
    private let top = 62.0

    /// A table of softmaxed alpha, a row of 8 an edge.
    init(_ probabilities: [[Double]], space: CellSpace) {
        precondition(
            probabilities.count == space.edges.count, "\(probabilities.count) rows for \(space.edges.count) edges")
        self.probabilities = probabilities
        self.space = space
    }

    func drawing() -> Drawing {
        let columns = Operator.allCases
        // A gap of half a row before each block.
        let height = top + row * (Double(space.edges.count) + Double(space.blocks) / 2) + 24
        var drawing = Drawing(width: left + column * Double(columns.count) + 24, height: height)
        drawing.text("Alpha", at: Point(x: 24, y: 30), size: 16, anchor: .start, bold: true)
        for op in columns {
            drawing.text(
                Palette.label(op), at: Point(x: left + column * (Double(op.index) + 0.5), y: top - 8), size: 11)
        }
        for edge in space.edges {
            let y = top + row * (Double(edge.index) + Double(edge.block) / 2)
            drawing.text(
                "\(edge.input.name) → block\(edge.block)", at: Point(x: left - 8, y: y + row / 2), size: 11,
                anchor: .end)
            let shares = probabilities[edge.index]
            let strongest = columns.filter { $0 != .none }.max { shares[$0.index] < shares[$1.index] }
            for op in columns {
                let share = shares[op.index]
                let isStrongest = op == strongest
                drawing.box(
                    x: left + column * Double(op.index), y: y, width: column - 2, height: row - 2, radius: 2,
                    fill: Palette.probability(min(max(share, 0), 1)), stroke: isStrongest ? Palette.path : "none",
                    lineWidth: 1.6)
                drawing.text(
                    AlphaDrawing.percent(share),
                    at: Point(x: left + column * (Double(op.index) + 0.5) - 1, y: y + row / 2 - 1), size: 10,
                    colour: share > 0.25 ? Palette.background : Palette.text)
            }
        }
        return drawing
    }

    private static func percent(_ share: Double) -> String {
        let tenths = Int(clamping: (min(max(share, 0), 1) * 1_000).rounded())
        return "\(tenths / 10).\(tenths % 10)%"
    }
}
