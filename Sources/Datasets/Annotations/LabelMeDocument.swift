import Foundation
import Images
import JSON

/// What an annotation file of labelme says of an image.
struct LabelMeDocument {
    /// A shape with its label.
    struct Shape {
        let label: String
        /// Nil for what has no area: points and lines.
        let area: LabelledShape.Area?
    }

    private static let largestCoordinate = 1e7

    /// The image's path from the file's folder, as it stands there; nil where it is missing.
    private(set) var imagePath: String?
    /// Whether the image itself is in the file.
    private(set) var holdsImage = false
    private(set) var size: Sample.Size?
    private(set) var shapes: [Shape] = []
    /// Whether it is such a file at all.
    private(set) var isLabelMe = false

    /// Reads a file.
    init(file: String, limits: ReadLimits = ReadLimits()) throws {
        var (width, height) = (0, 0)
        try readAnnotations(file, limit: limits.fileBytes) { key, scanner in
            switch key {
            case "imagePath": if try !scanner.takesNull() { imagePath = try scanner.string() }
            case "imageData":
                if try !scanner.takesNull() {
                    holdsImage = true
                    try scanner.skip()
                }
            case "imageWidth": width = try scanner.optionalInteger() ?? 0
            case "imageHeight": height = try scanner.optionalInteger() ?? 0
            case "shapes":
                isLabelMe = true
                if try !scanner.takesNull() { try scanner.array { try shapes.append(Self.shape(&$0)) } }
            default: try scanner.skip()
            }
        }
        size = Sample.Size(named: width, height)
    }

    private static func shape(_ scanner: inout JSONScanner) throws -> Shape {
        var label: String?
        var kind = "polygon"
        var points: [Float] = []
        try scanner.object { key, scanner in
            switch key {
            case "label":
                // Labels that are numbers may stand there without quotes.
                if try scanner.takesNull() { return }
                let isText = try scanner.next() == UInt8(ascii: "\"")
                label = trimmed(isText ? try scanner.string() : "\(try scanner.integer())")
            case "shape_type": if try !scanner.takesNull() { kind = try scanner.string() }
            case "points":
                try scanner.array { scanner in
                    var count = 0
                    try scanner.array { scanner in
                        let value = try scanner.number()
                        guard abs(value) <= largestCoordinate else {
                            throw scanner.fault("\(value) is no pixel of any image")
                        }
                        points.append(Float(value))
                        count += 1
                    }
                    guard count == 2 else { throw scanner.fault("a point has two numbers, and here are \(count)") }
                }
            default: try scanner.skip()
            }
        }
        guard let label, !label.isEmpty else { throw scanner.fault("a shape has a `label`, and it is missing") }
        guard let area = area(kind, points) else {
            throw scanner.fault(
                "a shape `\(kind.prefix(40))` of \(points.count / 2) points cannot be drawn: polygons, rectangles, circles"
                    + " of two points, lines and points are known")
        }
        return Shape(label: label, area: area.isEmpty ? nil : .polygons(area))
    }

    /// The outlines of a shape, none for lines and points; nil where it is not known.
    private static func area(_ kind: String, _ points: [Float]) -> [[Float]]? {
        switch kind {
        case "polygon": return points.count >= 6 ? [points] : []
        case "rectangle" where points.count == 4:
            let (left, top, right, bottom) = (points[0], points[1], points[2], points[3])
            return [[left, top, right, top, right, bottom, left, bottom]]
        case "rectangle" where points.count == 8: return [points]
        case "circle" where points.count == 4:
            // The centre and a point of the edge.
            let (x, y) = (Double(points[0]), Double(points[1]))
            let (dx, dy) = (Double(points[2]) - x, Double(points[3]) - y)
            let radius = (dx * dx + dy * dy).squareRoot()
            let corners = 360
            return [
                (0..<corners).flatMap { corner in
                    let angle = 2 * Double.pi * Double(corner) / Double(corners)
                    return [Float(x + radius * cos(angle)), Float(y + radius * sin(angle))]
                }
            ]
        case "line", "linestrip", "point", "points": return []
        default: return nil
        }
    }
}
