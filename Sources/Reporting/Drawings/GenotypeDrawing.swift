import SearchSpace

/// Draws a genotype: the network level above, the cell below.
///
/// - Parameters:
///   - genotype: a genotype that passes `validate()`.
///   - arrows: a probability for each arrow of the space with as many layers, by index.
///   - title: a line above the drawing.
/// - Returns: an SVG file.
public func drawGenotype(_ genotype: Genotype, arrows: [Double]? = nil, title: String? = nil) -> String {
    let network = NetworkDrawing(genotype, probabilities: arrows, title: title).drawing()
    let cell = CellDrawing(genotype.cell, title: "Cell").drawing()
    var both = Drawing(width: max(network.width, cell.width), height: network.height + cell.height)
    let parts = [network.body] + [["<g transform=\"translate(0 \(number(network.height)))\">"], cell.body, ["</g>"]]
    for element in parts.joined() { both.add(element) }
    let label = "Network level: \(pathDescription(genotype)). Cell: \(cellDescription(genotype.cell))"
    return both.svg(label: title ?? label)
}
