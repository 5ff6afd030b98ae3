import Foundation

/// COCO's instances as classes of pixels: `annotations/instances_SPLIT.json` with images in `SPLIT` or `images/SPLIT`.
///
/// Categories are found by their names: VOC's 20 classes have others in COCO. Objects of other categories are
/// background, crowds are ignored, and images with fewer labelled pixels than a threshold are left out.
enum COCOLayout {
    /// What VOC's classes are called in COCO, where it is something else.
    private static let otherNames = [
        "airplane": "aeroplane", "dining table": "diningtable", "motorcycle": "motorbike",
        "potted plant": "pottedplant", "couch": "sofa", "tv": "tvmonitor",
    ]

    private static let largestFile = 4 << 30

    static func splits(_ root: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: join(root, "annotations"))) ?? []
        let splits = names.filter { $0.hasPrefix("instances_") && $0.hasSuffix(".json") }
            .map { String($0.dropFirst(10).dropLast(5)) }
        // A split is known without its year where that leaves no doubt.
        let short = Dictionary(grouping: splits) { String($0.prefix { !$0.isNumber }) }
        return splits.map { split in
            let name = String(split.prefix { !$0.isNumber })
            return name.isEmpty || (short[name]?.count ?? 0) > 1 ? split : name
        }.sorted()
    }

    static func pairing(
        _ root: String, _ split: Split, classes: ClassTable, minimumPixels: Int
    ) throws -> Pairing {
        let full = try fullName(root, split)
        let file = join(root, "annotations/instances_\(full).json")
        guard let folder = [full, "images/\(full)"].map({ join(root, $0) }).first(where: isDirectory) else {
            throw DataError(.missing, file: join(root, full), problem: "is missing: the images of \(file)")
        }
        guard classes.names.first == "background" else {
            throw DataError(
                file: file, problem: "marks objects: the first class must be `background`, for all other pixels")
        }
        var document = COCODocument()
        try document.read(file: file, limit: largestFile)
        var labels: [Int: UInt8] = [:]
        for (id, name) in document.categories {
            let own = classes.names.firstIndex(of: otherNames[name] ?? name) ?? classes.names.firstIndex(of: name)
            if let own { labels[id] = UInt8(own) }
        }
        guard !labels.isEmpty else {
            throw DataError(file: file, problem: "has none of the classes \(classes.names.joined(separator: ", "))")
        }
        var result = Pairing()
        var dropped = 0
        for image in document.images.sorted(by: { $0.file < $1.file }) {
            let shapes = (document.objects[image.id] ?? []).compactMap { object in
                labels[object.category].map {
                    LabelledShape(label: object.isCrowd ? Mask.ignored : $0, area: object.area)
                }
            }
            guard shapes.reduce(0, { $0 + ($1.label == Mask.ignored ? 0 : $1.size) }) >= Double(minimumPixels) else {
                dropped += 1
                continue
            }
            let path = join(folder, image.file)
            guard !image.file.contains("/"), isFile(path) else {
                result.problems.append(
                    DataError(.missing, file: file, problem: "names \(image.file), not in \(folder)"))
                continue
            }
            let stem = PictureFolder.stem(image.file) ?? image.file
            result.samples.append(Sample(name: stem, image: path, mask: file, shapes: shapes))
        }
        if dropped > 0 {
            result.notes.append(
                "\(file): \(dropped) images with fewer than \(minimumPixels) labelled pixels are left out")
        }
        return result
    }

    private static func fullName(_ root: String, _ split: Split) throws -> String {
        let name = split.rawValue
        if !name.contains("/") {
            let found = (try? FileManager.default.contentsOfDirectory(atPath: join(root, "annotations"))) ?? []
            if found.contains("instances_\(name).json") { return name }
            let longer = found.filter { file in
                file.hasPrefix("instances_\(name)") && file.hasSuffix(".json")
                    && file.dropFirst(10 + name.count).dropLast(5).allSatisfy(\.isNumber)
            }
            if longer.count == 1 { return String(longer[0].dropFirst(10).dropLast(5)) }
        }
        throw DataError(
            .missing, file: join(root, "annotations/instances_\(name).json"),
            problem: "is missing (splits found: \(splits(root).joined(separator: ", ")))")
    }
}

/// The parts of an instances file that masks are drawn from.
package struct COCODocument {
    struct Image {
        var id = 0
        var file = ""
    }

    struct Object {
        var image = 0
        var category = 0
        var isCrowd = false
        var area = LabelledShape.Area.polygons([])
    }

    private(set) var images: [Image] = []
    private(set) var objects: [Int: [Object]] = [:]
    private(set) var categories: [Int: String] = [:]

    /// Reads a file of bounded size.
    mutating func read(file: String, limit: Int) throws {
        var scanner = JSONScanner(try readFileBytes(file, limit: limit), file: file)
        try scanner.object { key, scanner in
            switch key {
            case "images": try scanner.array { try images.append(Self.image(&$0)) }
            case "categories":
                try scanner.array { scanner in
                    let (id, name) = try Self.category(&scanner)
                    categories[id] = name
                }
            case "annotations":
                try scanner.array { scanner in
                    let object = try Self.object(&scanner, file: file)
                    objects[object.image, default: []].append(object)
                }
            default: try scanner.skip()
            }
        }
    }

    private static func image(_ scanner: inout JSONScanner) throws -> Image {
        var result = Image()
        try scanner.object { key, scanner in
            switch key {
            case "id": result.id = try scanner.integer()
            case "file_name": result.file = try scanner.string()
            default: try scanner.skip()
            }
        }
        return result
    }

    private static func category(_ scanner: inout JSONScanner) throws -> (Int, String) {
        var (id, name) = (0, "")
        try scanner.object { key, scanner in
            switch key {
            case "id": id = try scanner.integer()
            case "name": name = try scanner.string()
            default: try scanner.skip()
            }
        }
        return (id, name)
    }

    private static func object(_ scanner: inout JSONScanner, file: String) throws -> Object {
        var result = Object()
        try scanner.object { key, scanner in
            switch key {
            case "image_id": result.image = try scanner.integer()
            case "category_id": result.category = try scanner.integer()
            case "iscrowd": result.isCrowd = try scanner.integer() != 0
            case "segmentation": result.area = try area(&scanner, file: file)
            default: try scanner.skip()
            }
        }
        return result
    }

    private static func area(_ scanner: inout JSONScanner, file: String) throws -> LabelledShape.Area {
        if try scanner.next() == UInt8(ascii: "[") {
            var polygons: [[Float]] = []
            try scanner.array { scanner in
                var points: [Float] = []
                try scanner.array { points.append(Float(try $0.number())) }
                polygons.append(points)
            }
            return .polygons(polygons)
        }
        var (height, width) = (0, 0)
        var runs: [UInt32] = []
        try scanner.object { key, scanner in
            switch key {
            case "size":
                var sides: [Int] = []
                try scanner.array { sides.append(try $0.integer()) }
                guard sides.count == 2, sides.allSatisfy({ (1...65_536).contains($0) }) else {
                    throw DataError(file: file, problem: "has a run-length mask of the size \(sides)")
                }
                (height, width) = (sides[0], sides[1])
            case "counts":
                if try scanner.next() == UInt8(ascii: "[") {
                    try scanner.array { runs.append(UInt32(clamping: try $0.integer())) }
                } else {
                    runs = try decodedRuns(scanner.stringBytes(), file: file)
                }
            default: try scanner.skip()
            }
        }
        guard height > 0 else { throw DataError(file: file, problem: "has a run-length mask without its size") }
        return .runs(runs, height: height, width: width)
    }

    /// Run lengths from COCO's text form: five bits a character from 48 on, the lowest first, the sixth bit announces
    /// more; from the fourth number on each is the difference to the one two before.
    package static func decodedRuns(_ text: [UInt8], file: String) throws -> [UInt32] {
        var runs: [Int] = []
        var position = 0
        while position < text.count {
            var (value, shift) = (0, 0)
            while true {
                guard position < text.count, (48..<112).contains(text[position]), shift < 40 else {
                    throw DataError(file: file, problem: "has a run-length text that is damaged")
                }
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
            runs.append(value)
        }
        return runs.map { UInt32(clamping: $0) }
    }
}
