import SearchSpace

/// Draws the network level as the paper's Figures 1 to 3: layers to the right, resolutions downwards.
///
/// The decoded path is bold, its long skips are arcs. Where probabilities are given, they are the thickness and colour of
/// every arrow, and the four poolings of the search stand at the end; else only the path's.
///
/// - Parameters:
///   - genotype: the network whose path is drawn.
///   - arrows: a probability for each arrow of the space with as many layers, by index.
///   - title: a line above the drawing.
/// - Returns: an SVG file.
package func drawNetwork(_ genotype: Genotype, arrows: [Double]? = nil, title: String? = nil) -> String {
    NetworkDrawing(genotype, probabilities: arrows, title: title).drawing()
        .svg(label: title ?? "Network level: \(pathDescription(genotype))")
}

/// The path and its long skips in words, for readers who cannot see the drawing.
func pathDescription(_ genotype: Genotype) -> String {
    let strides = "strides " + genotype.path.map { String($0.rawValue) }.joined(separator: ", ")
    return strides + (genotype.skipDescription.map { "; long skips from layer \($0)" } ?? "")
}

struct NetworkDrawing {
    private let genotype: Genotype
    private let space: NetworkSpace
    private let probabilities: [Double]?
    /// How far the gates are open, by arrow.
    private let gates: [Int: Double]
    private let title: String?

    private let column = 60.0
    private let row = 62.0
    private let radius = 12.0
    private let left = 100.0

    init(_ genotype: Genotype, probabilities: [Double]?, gates: [Double]? = nil, title: String?) {
        self.genotype = genotype
        space = NetworkSpace(layers: genotype.layers)
        self.probabilities = probabilities
        self.gates = Dictionary(uniqueKeysWithValues: zip(space.longSkipGates.map(\.arrow.index), gates ?? []))
        self.title = title
        if let probabilities {
            precondition(
                probabilities.count == space.arrows.count,
                "\(probabilities.count) probabilities for \(space.arrows.count) arrows")
        }
    }

    private var rows: [Stride] { space.strides(inLayer: min(3, genotype.layers)) }
    private var top: Double { title == nil ? 62 : 94 }
    private var gridBottom: Double { y(rows.last ?? .s4) }
    private var poolingX: Double { left + column * Double(genotype.layers + 1) + 78 }

    private func y(_ stride: Stride) -> Double { top + row * Double(stride.level + 1) }

    private func place(_ node: Node) -> Point {
        Point(x: left + column * Double(node.layer + 1), y: y(node.stride))
    }

    func drawing() -> Drawing {
        var drawing = Drawing(width: poolingX + 58, height: gridBottom + 74)
        if let title {
            drawing.width = max(drawing.width, estimatedWidth(title, size: 16) + 48)
            drawing.text(title, at: Point(x: 24, y: 30), size: 16, anchor: .start, bold: true)
        }
        drawAxes(&drawing)
        drawArrows(&drawing)
        drawLongSkips(&drawing)
        drawPoolings(&drawing)
        drawNodes(&drawing)
        drawLegend(&drawing)
        return drawing
    }

    private func drawAxes(_ drawing: inout Drawing) {
        let header = top - 28
        drawing.text("stride", at: Point(x: 42, y: header), colour: Palette.quiet)
        drawing.text("stem", at: Point(x: left + column / 2, y: header), colour: Palette.quiet)
        drawing.text("layer", at: Point(x: left + column * 1.52, y: header), size: 11, colour: Palette.quiet)
        for layer in 1...genotype.layers {
            let point = Point(x: left + column * Double(layer + 1), y: header)
            drawing.text("\(layer)", at: point, colour: Palette.quiet)
        }
        for (label, height) in [("2", top)] + rows.map({ ("\($0.rawValue)", y($0)) }) {
            drawing.text(label, at: Point(x: 42, y: height), size: 13)
        }
    }

    private func drawArrows(_ drawing: inout Drawing) {
        let chosen = space.arrows(along: genotype.path)
        let chosenIndices = Set(chosen.map(\.index))
        let stem = (Point(x: left, y: top), place(Node(layer: 0, stride: .s4)))
        drawing.arrow(
            stem.0.moved(radius, toward: stem.1), stem.1.moved(radius + 1, toward: stem.0), colour: Palette.quiet,
            width: 1.6)
        if probabilities != nil {
            for arrow in chosen {
                drawing.line(place(arrow.source), place(arrow.target), colour: Palette.halo, width: 12)
            }
        }
        // The stronger an arrow, the later it is drawn, so that weak ones never cover strong ones.
        let ordered = space.arrows.sorted { weight($0, chosenIndices) < weight($1, chosenIndices) }
        for arrow in ordered {
            let (from, to) = (place(arrow.source), place(arrow.target))
            let isChosen = chosenIndices.contains(arrow.index)
            let probability = probabilities.map { clamped($0[arrow.index]) }
            drawing.arrow(
                from.moved(radius, toward: to), to.moved(radius + 1, toward: from),
                colour: probability.map(Palette.probability) ?? (isChosen ? Palette.path : Palette.faint),
                width: probability.map { 0.7 + 4 * $0 } ?? (isChosen ? 3.4 : 1),
                tip: probability.map { tip(arrow, $0) })
        }
    }

    private func drawLongSkips(_ drawing: inout Drawing) {
        // Those that are there, and in a search those that could be.
        for (arrow, source) in zip(space.arrows(along: genotype.path), LongSkips.sources(along: genotype.path)) {
            let (layer, stride) = (arrow.target.layer, arrow.target.stride)
            let isThere = genotype.skips[layer - 1] != nil
            guard let source, isThere || gates[arrow.index] != nil else { continue }
            let (from, to) = (
                place(Node(layer: source, stride: stride)), place(Node(layer: layer, stride: stride))
            )
            // From rim to rim, over the nodes between and below those of the next finer stride.
            let lift = radius / 2.0.squareRoot()
            drawing.arc(
                Point(x: from.x + lift, y: from.y - lift), Point(x: to.x - lift - 1, y: to.y - lift - 1), rise: 27,
                colour: isThere ? Palette.longSkip : Palette.faint, width: isThere ? 2.4 : 1.2,
                tip: "long skip at stride \(stride.rawValue), layer \(source) to \(layer)"
                    + (gates[arrow.index].map { ": gate \(number($0))" } ?? ""))
        }
    }

    private func weight(_ arrow: Arrow, _ chosen: Set<Int>) -> Double {
        probabilities.map { clamped($0[arrow.index]) } ?? (chosen.contains(arrow.index) ? 1 : 0)
    }

    private func clamped(_ value: Double) -> Double { value > 0 ? min(value, 1) : 0 }

    private func tip(_ arrow: Arrow, _ probability: Double) -> String {
        let (from, to) = (arrow.source.stride.rawValue, arrow.target.stride.rawValue)
        return "layer \(arrow.target.layer), \(from) to \(to): \(number(probability))"
    }

    private func drawPoolings(_ drawing: inout Drawing) {
        let end = genotype.path.last ?? .s4
        for stride in probabilities == nil ? [end] : rows {
            let isEnd = stride == end
            let from = place(Node(layer: genotype.layers, stride: stride))
            let colour = isEnd ? Palette.path : Palette.faint
            let tip = Point(x: poolingX - 28, y: from.y)
            drawing.arrow(from.moved(radius, toward: tip), tip, colour: colour, width: isEnd ? 3.4 : 1)
            drawing.box(
                x: poolingX - 27, y: from.y - 14, width: 58, height: 28, fill: isEnd ? Palette.halo : Palette.group,
                stroke: isEnd ? Palette.pathEdge : Palette.faint)
            drawing.text(
                "ASPP", at: Point(x: poolingX + 2, y: from.y), colour: isEnd ? Palette.text : Palette.quiet,
                bold: isEnd)
        }
    }

    private func drawNodes(_ drawing: inout Drawing) {
        let onPath = Set(zip(1..., genotype.path).map { Node(layer: $0, stride: $1) })
        for point in [Point(x: left, y: top), place(Node(layer: 0, stride: .s4))] {
            drawing.circle(point, radius: radius, fill: Palette.stem, stroke: Palette.quiet)
        }
        for node in space.nodes {
            let isOnPath = onPath.contains(node)
            drawing.circle(
                place(node), radius: radius, fill: isOnPath ? Palette.path : Palette.background,
                stroke: isOnPath ? Palette.pathEdge : Palette.quiet)
        }
    }

    private func drawLegend(_ drawing: inout Drawing) {
        let height = gridBottom + 46
        var x = 24.0
        drawing.circle(Point(x: x + 7, y: height), radius: 7, fill: Palette.path, stroke: Palette.pathEdge)
        drawing.text("decoded path", at: Point(x: x + 20, y: height), size: 11, anchor: .start)
        x += 124
        if genotype.hasSkips {
            drawing.line(
                Point(x: x, y: height), Point(x: x + 18, y: height), colour: Palette.longSkip, width: 2.4)
            drawing.text("long skip", at: Point(x: x + 25, y: height), size: 11, anchor: .start)
            x += 104
        }
        if genotype.stem != .paper {
            drawing.circle(Point(x: x + 7, y: height), radius: 7, fill: Palette.stem, stroke: Palette.quiet)
            drawing.text(genotype.stem.rawValue, at: Point(x: x + 20, y: height), size: 11, anchor: .start)
            x += 164
            drawing.width = max(drawing.width, x)
        }
        guard probabilities != nil else { return }
        drawing.text("probability 0", at: Point(x: x, y: height), size: 11, anchor: .start)
        for step in 0...10 {
            let share = Double(step) / 10
            let start = Point(x: x + 72 + 8 * Double(step), y: height)
            drawing.line(
                start, Point(x: start.x + 6, y: height), colour: Palette.probability(share), width: 0.7 + 4 * share)
        }
        drawing.text("1", at: Point(x: x + 170, y: height), size: 11, anchor: .start)
        drawing.width = max(drawing.width, x + 200)
    }
}
