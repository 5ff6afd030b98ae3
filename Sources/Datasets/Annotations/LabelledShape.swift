import Images

/// An object's area in an image, as COCO describes it, with the class that its pixels get.
public struct LabelledShape: Hashable, Sendable {
    /// How an area is described.
    public enum Area: Hashable, Sendable {
        /// Outlines as x0, y0, x1, y1, ... in pixels; a pixel belongs to the area if its centre lies in one of them.
        case polygons([[Float]])
        /// Lengths of runs down the columns of a grid of so many rows and columns, outside first, then by turns.
        case runs([UInt32], height: Int, width: Int)
    }

    /// The class of its pixels; 255 for a crowd, whose pixels are ignored.
    public let label: UInt8
    /// The area.
    public let area: Area
    /// What problems call it, as `annotation 12`.
    public let name: String

    /// An area with the class of its pixels.
    public init(label: UInt8, area: Area, name: String = "an outline") {
        self.label = label
        self.area = area
        self.name = name
    }

    /// What is wrong with outlines that can mean no pixel of an image of this size; nil where all is well.
    func fault(in size: Sample.Size) -> String? {
        guard case .polygons(let polygons) = area else { return nil }
        let xs = polygons.flatMap { points in stride(from: 0, to: points.count, by: 2).map { points[$0] } }
        let ys = polygons.flatMap { points in stride(from: 1, to: points.count, by: 2).map { points[$0] } }
        guard let left = xs.min(), let right = xs.max(), let top = ys.min(), let bottom = ys.max() else { return nil }
        if max(size.width, size.height) > 8, min(left, top) >= 0, max(right, bottom) <= 1 {
            return
                "\(name) has coordinates from 0 to 1 alone, as shares of an image's sides, and outlines are in pixels:"
                + " multiply them by the image's size"
        }
        func isOutside(_ low: Float, _ high: Float, _ side: Int) -> Bool {
            low >= Float(side) && high > Float(side) || high <= 0 && low < 0
        }
        guard isOutside(left, right, size.width) || isOutside(top, bottom, size.height) else { return nil }
        return "\(name) lies wholly outside of its image: correct its coordinates, or remove it"
    }

    /// About how many pixels it covers.
    public var size: Double {
        switch area {
        case .polygons(let polygons):
            return polygons.reduce(0) { sum, points in
                let count = points.count / 2
                let twice = (0..<count).reduce(0.0) { total, index in
                    let next = (index + 1) % count
                    return total + Double(points[2 * index]) * Double(points[2 * next + 1])
                        - Double(points[2 * next]) * Double(points[2 * index + 1])
                }
                return sum + abs(twice) / 2
            }
        case .runs(let runs, _, _):
            return stride(from: 1, to: runs.count, by: 2).reduce(0) { $0 + Double(runs[$1]) }
        }
    }

    fileprivate func draw(into mask: inout Mask) {
        switch area {
        case .polygons(let polygons): for points in polygons { draw(points, into: &mask) }
        case .runs(let runs, let height, let width):
            var position = 0
            for (index, run) in runs.enumerated() {
                let end = min(position + Int(run), height * width)
                if index % 2 == 1 {
                    for cell in position..<end where cell / height < mask.width && cell % height < mask.height {
                        mask[cell / height, cell % height] = label
                    }
                }
                position = end
            }
        }
    }

    /// Beyond it no image reaches, and every whole number below it has its place in 32 bits.
    private static let farthest: Float = 1e7

    /// Fills a polygon by the even-odd rule, row by row through the pixels' centres.
    private func draw(_ outline: [Float], into mask: inout Mask) {
        guard !outline.contains(where: \.isNaN) else { return }
        let points = outline.map { min(max($0, -Self.farthest), Self.farthest) }
        let count = points.count / 2
        let rows = (0..<count).map { points[2 * $0 + 1] }
        guard count >= 3, let top = rows.min(), let bottom = rows.max() else { return }
        let first = max(0, Int(clamping: max(top - 0.5, 0).rounded(.up)))
        let last = min(mask.height - 1, Int(clamping: min(max(bottom, 0), Float(mask.height))))
        guard first <= last else { return }
        for row in first...last {
            let y = Float(row) + 0.5
            var crossings: [Float] = []
            for index in 0..<count {
                let (x0, y0) = (points[2 * index], points[2 * index + 1])
                let next = (index + 1) % count
                let (x1, y1) = (points[2 * next], points[2 * next + 1])
                if (y0 <= y) != (y1 <= y) { crossings.append(x0 + (y - y0) / (y1 - y0) * (x1 - x0)) }
            }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                // Centres x + 0.5 with left <= x + 0.5 < right.
                let left = Int(clamping: min(max(crossings[pair] - 0.5, 0), Float(mask.width)).rounded(.up))
                let right = Int(clamping: min(max(crossings[pair + 1] - 0.5, 0), Float(mask.width)).rounded(.up))
                for x in left..<max(left, right) { mask[x, row] = label }
            }
        }
    }
}

/// What an image's mask is drawn from: areas, and the size of the image that they were drawn on.
public struct Outlines: Hashable, Sendable {
    /// What lies over what.
    public enum Order: String, Sendable {
        /// Crowds below everything, then objects from large to small, so that what lies in front of something larger
        /// stays visible.
        case bySize
        /// Each over those before it.
        case asListed
    }

    /// The areas.
    public let shapes: [LabelledShape]
    /// The image's size by the file that the areas come from, 0 for a side that it does not name; nil for neither.
    public let imageSize: Sample.Size?
    /// What lies over what.
    public let order: Order

    /// Areas in an image.
    public init(_ shapes: [LabelledShape], imageSize: Sample.Size? = nil, order: Order = .bySize) {
        self.shapes = shapes
        self.imageSize = imageSize
        self.order = order
    }

    /// The mask of an image of this size, `background` where there is nothing.
    package func mask(width: Int, height: Int, background: UInt8 = 0) -> Mask {
        var mask = Mask(width: width, height: height, label: background)
        for index in drawingOrder { shapes[index].draw(into: &mask) }
        return mask
    }

    private var drawingOrder: [Int] {
        guard order == .bySize else { return Array(shapes.indices) }
        return shapes.indices.sorted { first, second in
            let crowds = (shapes[first].label == Mask.ignored, shapes[second].label == Mask.ignored)
            if crowds.0 != crowds.1 { return crowds.0 }
            let sizes = (shapes[first].size, shapes[second].size)
            return sizes.0 == sizes.1 ? first < second : sizes.0 > sizes.1
        }
    }

    /// What is wrong with the first outline that can mean no pixel of the image; nil where all is well.
    func fault(in size: Sample.Size) -> String? { shapes.lazy.compactMap { $0.fault(in: size) }.first }

    /// The same where both sides of the image are known, with its file's name.
    func fault(image: String) -> String? {
        guard let imageSize, imageSize.width > 0, imageSize.height > 0 else { return nil }
        return fault(in: imageSize).map { "\($0) (\(image), \(imageSize) pixels)" }
    }

    /// Refuses an image of another size than the areas were drawn on.
    func check(width: Int, height: Int, file: String, image: String) throws {
        let shown = Sample.Size(width: width, height: height)
        for case .runs(_, let rows, let columns) in shapes.map(\.area) where rows != height || columns != width {
            throw DataError(
                file: file,
                problem: "has a run-length mask of \(columns)x\(rows) pixels, but its image \(image) is \(shown)")
        }
        guard let imageSize, !shown.fits(imageSize) else {
            if let fault = fault(in: shown) {
                throw DataError(file: file, problem: "\(fault) (\(image), \(shown) pixels)")
            }
            return
        }
        let isTurned = imageSize == Sample.Size(width: height, height: width)
        throw DataError(
            file: file,
            problem: "was drawn on an image of \(imageSize) pixels, but its image \(image) is \(shown) as displayed"
                + (isTurned ? " (turned by its EXIF orientation?)" : "")
                + ": put back the image that was annotated, or bring sizes and outlines into line")
    }
}
