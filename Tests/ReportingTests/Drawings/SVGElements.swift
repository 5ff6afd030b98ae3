import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// An element of an SVG file as a test looks at it.
struct SVGElement {
    var name: String
    var attributes: [String: String]
    var text = ""

    subscript(_ attribute: String) -> String { attributes[attribute] ?? "" }

    func value(_ attribute: String) -> Double { Double(self[attribute]) ?? .nan }

    /// The straight pieces of a path of M, L and Q commands, corners taken as points.
    var segments: [(from: CGPoint, to: CGPoint)] {
        let numbers = self["d"].split { "MLQ ".contains($0) }.compactMap { Double($0) }
        let points = stride(from: 0, to: numbers.count - 1, by: 2).map { CGPoint(x: numbers[$0], y: numbers[$0 + 1]) }
        return zip(points, points.dropFirst()).map { ($0, $1) }
    }
}

struct MalformedSVG: Error {}

/// All elements of a well-formed file, in order.
func elements(of svg: String) throws -> [SVGElement] {
    let collector = Collector()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = collector
    guard parser.parse() else { throw MalformedSVG() }
    return collector.elements
}

private final class Collector: NSObject, XMLParserDelegate {
    var elements: [SVGElement] = []
    private var isOpen = false

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append(SVGElement(name: name, attributes: attributes))
        isOpen = true
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
        isOpen = false
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if isOpen { elements[elements.count - 1].text += text }
    }
}
