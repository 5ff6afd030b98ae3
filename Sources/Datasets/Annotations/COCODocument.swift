import Images
import JSON

/// The parts of an instances file that masks are drawn from, as many tools write them.
///
/// Identifiers may be numbers or texts, flags may be numbers or `true` and `false`, and what is `null` is as if it were
/// absent.
package struct COCODocument {
    /// A number or a text; texts of digits are the number.
    enum Identifier: Hashable, Comparable, CustomStringConvertible {
        case number(Int)
        case text(String)

        /// Numbers first.
        static func < (first: Identifier, second: Identifier) -> Bool {
            switch (first, second) {
            case (.number(let first), .number(let second)): first < second
            case (.text(let first), .text(let second)): first < second
            case (.number, .text): true
            case (.text, .number): false
            }
        }

        var description: String {
            switch self {
            case .number(let number): "\(number)"
            case .text(let text): "\"\(text.prefix(40))\""
            }
        }
    }

    struct Image {
        var id: Identifier?
        var file = ""
        var size: Sample.Size?
    }

    struct Category {
        var id: Identifier?
        var name = ""
        /// The name of the group that it belongs to.
        var group = ""
    }

    struct Object {
        var id: Identifier?
        var image: Identifier?
        var category: Identifier?
        var isCrowd = false
        var area = LabelledShape.Area.polygons([])
    }

    /// What is read of a file.
    enum Part {
        /// Everything.
        case all
        /// The categories, and which of them the objects are of.
        case categories
    }

    private static let largestFile = 4 << 30
    /// Beyond it no image reaches: coordinates that are larger are no coordinates.
    private static let largestCoordinate = 1e7

    private(set) var images: [Image] = []
    private(set) var objects: [Identifier: [Object]] = [:]
    private(set) var categories: [Category] = []
    /// How many objects there are of each category.
    private(set) var counts: [Identifier: Int] = [:]
    /// Objects without any outline.
    private(set) var withoutOutline = 0
    /// The first object of a category that the file does not describe.
    private(set) var stray: (place: String, category: String)?

    /// Reads a file.
    init(file: String, part: Part = .all) throws {
        var places: [Identifier: String] = [:]
        try readAnnotations(file, limit: Self.largestFile) { key, scanner in
            switch key {
            case "images" where part == .all: try scanner.array { try images.append(Self.image(&$0)) }
            case "categories": try scanner.array { try categories.append(Self.category(&$0)) }
            case "annotations":
                try scanner.array { scanner in
                    let object = try Self.object(&scanner, file: file, part: part)
                    guard let image = object.image, let category = object.category else { return }
                    if counts.updateValue((counts[category] ?? 0) + 1, forKey: category) == nil {
                        places[category] = scanner.place
                    }
                    guard part == .all else { return }
                    if case .polygons([]) = object.area { withoutOutline += 1 }
                    objects[image, default: []].append(object)
                }
            default: try scanner.skip()
            }
        }
        let known = Set(categories.compactMap(\.id))
        let unknown = counts.keys.filter { !known.contains($0) }.min()
        stray = unknown.map { (places[$0] ?? "annotations", "\($0)") }
    }

    private static func identifier(_ scanner: inout JSONScanner) throws -> Identifier? {
        if try scanner.takesNull() { return nil }
        guard try scanner.next() == UInt8(ascii: "\"") else { return .number(try scanner.integer()) }
        let text = try scanner.string()
        return Int(text).map(Identifier.number) ?? .text(text)
    }

    private static func image(_ scanner: inout JSONScanner) throws -> Image {
        var result = Image()
        var (width, height) = (0, 0)
        try scanner.object { key, scanner in
            switch key {
            case "id": result.id = try identifier(&scanner)
            case "file_name": result.file = try scanner.string()
            case "width": width = try scanner.optionalInteger() ?? 0
            case "height": height = try scanner.optionalInteger() ?? 0
            default: try scanner.skip()
            }
        }
        guard result.id != nil, !result.file.isEmpty else {
            throw scanner.fault("an image has an `id` and a `file_name`, and one of them is missing")
        }
        result.size = Sample.Size(named: width, height)
        return result
    }

    private static func category(_ scanner: inout JSONScanner) throws -> Category {
        var result = Category()
        try scanner.object { key, scanner in
            switch key {
            case "id": result.id = try identifier(&scanner)
            case "name": result.name = trimmed(try scanner.string())
            case "supercategory": if try !scanner.takesNull() { result.group = trimmed(try scanner.string()) }
            default: try scanner.skip()
            }
        }
        guard result.id != nil, !result.name.isEmpty else {
            throw scanner.fault("a category has an `id` and a `name`, and one of them is missing")
        }
        return result
    }

    private static func object(_ scanner: inout JSONScanner, file: String, part: Part) throws -> Object {
        var result = Object()
        do {
            try scanner.object { key, scanner in
                switch key {
                case "id": result.id = try identifier(&scanner)
                case "image_id": result.image = try identifier(&scanner)
                case "category_id": result.category = try identifier(&scanner)
                case "iscrowd": result.isCrowd = try scanner.flag()
                case "segmentation" where part == .all: result.area = try area(&scanner)
                default: try scanner.skip()
                }
            }
        } catch let fault as JSONFault {
            guard let id = result.id else { throw fault }
            throw DataError(file: file, problem: "\(fault.problemHere) (the annotation's id is \(id))")
        }
        guard result.image != nil, result.category != nil else {
            throw scanner.fault("an annotation has an `image_id` and a `category_id`, and one of them is missing")
        }
        return result
    }

    private static func area(_ scanner: inout JSONScanner) throws -> LabelledShape.Area {
        if try scanner.takesNull() { return .polygons([]) }
        if try scanner.next() == UInt8(ascii: "[") { return .polygons(try polygons(&scanner)) }
        guard try scanner.next() == UInt8(ascii: "{") else {
            throw scanner.fault("a list of polygons or an object of run lengths is expected")
        }
        var (height, width) = (0, 0)
        var runs: [UInt32] = []
        try scanner.object { key, scanner in
            switch key {
            case "size":
                var sides: [Int] = []
                try scanner.array { sides.append(try $0.integer()) }
                guard sides.count == 2, sides.allSatisfy({ (1...65_536).contains($0) }) else {
                    throw scanner.fault("is a run-length mask of the size \(sides.prefix(4))")
                }
                (height, width) = (sides[0], sides[1])
            case "counts":
                if try scanner.next() == UInt8(ascii: "[") {
                    try scanner.array { scanner in
                        let run = try scanner.integer()
                        guard let run = UInt32(exactly: run) else { throw scanner.fault("\(run) is no run length") }
                        runs.append(run)
                    }
                } else {
                    let text = try scanner.stringBytes()
                    guard let decoded = decodedRuns(Array(text)) else {
                        throw scanner.fault("is a run-length text that is damaged")
                    }
                    runs = decoded
                }
            default: try scanner.skip()
            }
        }
        guard height > 0 else { throw scanner.fault("is a run-length mask without its size") }
        let covered = runs.reduce(0) { $0 + Int($1) }
        guard covered == height * width else {
            throw scanner.fault(
                "the run lengths cover \(covered) pixels, and a mask of \(width)x\(height) has \(height * width)")
        }
        return .runs(runs, height: height, width: width)
    }

    /// The polygons of three points and more; one polygon may stand there without a list around it.
    private static func polygons(_ scanner: inout JSONScanner) throws -> [[Float]] {
        var result: [[Float]] = []
        var single: [Float] = []
        func coordinate(_ scanner: inout JSONScanner) throws -> Float {
            let value = try scanner.number()
            guard abs(value) <= largestCoordinate else { throw scanner.fault("\(value) is no pixel of any image") }
            return Float(value)
        }
        try scanner.array { scanner in
            guard try scanner.next() == UInt8(ascii: "[") else { return single.append(try coordinate(&scanner)) }
            var points: [Float] = []
            try scanner.array { points.append(try coordinate(&$0)) }
            guard points.count % 2 == 0 else {
                throw scanner.fault("a polygon has x and y by turns, and an odd number")
            }
            result.append(points)
        }
        guard single.count % 2 == 0 else { throw scanner.fault("a polygon has x and y by turns, and an odd number") }
        return (result + [single]).filter { $0.count >= 6 }
    }

    /// Run lengths from COCO's text form; nil where it is damaged.
    ///
    /// Five bits a character from 48 on, the lowest first, the sixth bit announces
    /// more; from the fourth number on each is the difference to the one two before.
    package static func decodedRuns(_ text: [UInt8]) -> [UInt32]? {
        var runs: [Int] = []
        var position = 0
        while position < text.count {
            var (value, shift) = (0, 0)
            while true {
                guard position < text.count, (48..<112).contains(text[position]), shift < 40 else { return nil }
                let bits = Int(text[position]) - 48
                position += 1
                value |= (bits & 31) << shift
                shift += 5
                if bits & 32 == 0 {
                    if bits & 16 != 0 { value -= 1 << shift }
                    break
                }
            }
            if runs.count > 2 { value &+= runs[runs.count - 2] }
            guard UInt32(exactly: value) != nil else { return nil }
            runs.append(value)
        }
        return runs.map { UInt32(clamping: $0) }
    }
}
