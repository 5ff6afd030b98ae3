import SearchSpace

/// Draws a genotype: the network level above, the cell below, and alpha below that where it is given.
///
/// - Parameters:
///   - genotype: a genotype that passes `validate()`.
///   - arrows: a probability for each arrow of the space with as many layers, by index.
///   - alpha: softmaxed alpha of a cell with as many blocks, a row of 8 an edge.
///   - gates: how far each gate of a long skip is open, where they are searched.
///   - title: a line above the drawing.
/// - Returns: an SVG file.
package func drawGenotype(
    _ genotype: Genotype, arrows: [Double]? = nil, alpha: [[Double]]? = nil, gates: [Double]? = nil,
    title: String? = nil
) -> String {
    var parts = [
        NetworkDrawing(genotype, probabilities: arrows, gates: gates, title: title).drawing(),
        CellDrawing(genotype.cell, title: "Cell", alpha: alpha).drawing(),
    ]
    if let alpha { parts.append(AlphaDrawing(alpha, space: CellSpace(blocks: genotype.blocks)).drawing()) }
    var whole = Drawing(width: parts.map(\.width).max() ?? 0, height: 0)
    for part in parts {
        whole.add("<g transform=\"translate(0 \(number(whole.height)))\">")
        for element in part.body { whole.add(element) }
        whole.add("</g>")
        whole.height += part.height
    }
    let label = "Network level: \(pathDescription(genotype)). Cell: \(cellDescription(genotype.cell))"
    return whole.svg(label: title ?? label)
}
