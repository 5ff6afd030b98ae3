import Foundation
import Images

/// COCO's instances as classes of pixels: an instances file for each split (``COCOFile``) and folders of images.
///
/// Categories are found by their names. Where no classes are given they are the file's own categories, behind the
/// background. Objects of categories that are no class are background, which is told; crowds are ignored; images with
/// fewer labelled pixels than a threshold are left out.
enum COCOLayout {
    /// What VOC's classes are called in COCO, where it is something else.
    private static let otherNames = [
        "airplane": "aeroplane", "dining table": "diningtable", "motorcycle": "motorbike",
        "potted plant": "pottedplant", "couch": "sofa", "tv": "tvmonitor",
    ]

    static func splits(_ root: String) -> [String] { COCOFile.all(root).map(\.split) }

    /// The background and the categories of all files, by their identifiers.
    ///
    /// A category that only groups others, of which no object is, is no class: some tools write one.
    static func classes(_ root: String) throws -> ClassSource {
        let files = COCOFile.all(root).map(\.file)
        var names: [String] = []
        var unused: Set<String> = []
        var used: Set<String> = []
        for file in files {
            let document = try COCODocument(file: file.path, part: .categories)
            let groups = Set(document.categories.filter { $0.group != $0.name }.map(\.group))
            for category in document.categories.sorted(by: { $0.id ?? .number(0) < $1.id ?? .number(0) }) {
                let name = category.name
                let count = category.id.flatMap { document.counts[$0] } ?? 0
                if count > 0 { used.insert(name) } else if groups.contains(name) { unused.insert(name) }
                if !names.contains(name), !CategoryMatch.isBackground(name) { names.append(name) }
            }
        }
        let grouping = unused.subtracting(used)
        // Groups that group one another are categories like others.
        let kept = names.filter { !grouping.contains($0) }
        if !kept.isEmpty { names = kept }
        guard let first = files.first, !names.isEmpty else {
            throw DataError(
                file: files.first?.path ?? root, problem: "has no categories: name the classes in classes.txt")
        }
        guard names.count < 255 else {
            throw DataError(
                file: first.path,
                problem: "has \(names.count) categories, and masks hold 254 besides the background: name those that"
                    + " matter in classes.txt, `background` first")
        }
        let list = files.map { relative($0.path, to: root) }.joined(separator: ", ")
        var source = ClassSource(ClassTable(names: ["background"] + names), from: "the categories of \(list)")
        source.notes += CategoryMatch.notesOfCase(names, file: first.path)
        if !kept.isEmpty, !grouping.isEmpty {
            source.notes.append(
                "\(first.path): no object is of the category \(grouping.sorted().joined(separator: ", ")), which groups"
                    + " others: it is no class")
        }
        return source
    }

    static func pairing(
        _ root: String, _ split: Split, classes: ClassTable, minimumPixels: Int, allowsOutside: Bool
    ) throws -> Pairing {
        let source = try COCOFile.find(root, split)
        let file = source.path
        guard CategoryMatch.isBackground(classes.names[0]) else {
            throw DataError(
                file: file, problem: "marks objects: the first class must be `background`, for all other pixels")
        }
        let document = try COCODocument(file: file)
        var result = Pairing()
        if let stray = document.stray {
            result.problems.append(
                DataError(
                    file: file,
                    problem:
                        "\(stray.place): the category_id \(stray.category) is none of the file's categories: add it"
                        + " to them, or correct the annotation"))
        }
        let labels = try labels(document, classes: classes, file: file, notes: &result.notes)
        var finder = COCOImageFinder(root, folders: source.imageFolders(root), allowsOutside: allowsOutside)
        var (dropped, empty) = (0, 0)
        var files: Set<String> = []
        var ids: [COCODocument.Identifier: String] = [:]
        var names: [String: COCODocument.Identifier] = [:]
        for image in document.images.sorted(by: { $0.file < $1.file }) {
            guard let id = image.id else { continue }
            if let other = ids.updateValue(image.file, forKey: id) {
                result.problems.append(
                    DataError(
                        file: file,
                        problem: "gives the id \(id) to two images, \(other) and \(image.file): nobody can tell whose"
                            + " its annotations are"))
                continue
            }
            if let other = names.updateValue(id, forKey: image.file) {
                result.problems.append(
                    DataError(
                        file: file,
                        problem:
                            "lists the image \(image.file) a second time, with the ids \(other) and \(id): give all"
                            + " its annotations one of them"))
                continue
            }
            let own = document.objects[id] ?? []
            let shapes = own.compactMap { object in
                object.category.flatMap { labels[$0] }.map {
                    LabelledShape(
                        label: object.isCrowd ? Mask.ignored : $0, area: object.area,
                        name: object.id.map { "annotation \($0)" } ?? "an annotation without id")
                }
            }
            let outlines = Outlines(shapes, imageSize: image.size)
            if let fault = outlines.fault(image: image.file) {
                result.problems.append(DataError(file: file, problem: fault))
                continue
            }
            let size = shapes.reduce(0) { $0 + ($1.label == Mask.ignored ? 0 : $1.size) }
            guard size >= Double(minimumPixels) else {
                dropped += 1
                continue
            }
            do {
                let found = try finder.find(image.file, file: file)
                guard files.insert(found.path).inserted else {
                    throw DataError(file: file, problem: "lists the image \(image.file) a second time")
                }
                if own.isEmpty { empty += 1 }
                result.samples.append(Sample(name: found.name, image: found.path, mask: file, outlines: outlines))
            } catch let error as DataError {
                result.problems.append(error)
            }
        }
        try finder.refuseNothingFound(file: file)
        let homeless = document.objects.reduce(0) { $0 + (ids[$1.key] == nil ? $1.value.count : 0) }
        func note(_ count: Int, _ text: String) {
            if count > 0 { result.notes.append("\(file): \(count) \(text)") }
        }
        note(
            dropped,
            "images with fewer than \(minimumPixels) labelled pixels are left out (data.minimumLabelledPixels)")
        note(empty, "images have no object: they are background as a whole")
        note(homeless, "objects belong to images that are not listed: they are left out")
        note(document.withoutOutline, "objects have no outline (a box alone?): they are left out")
        let all = document.counts.values.reduce(0, +)
        if all > 0, document.withoutOutline == all {
            result.problems.append(
                DataError(file: file, problem: "has boxes alone, no `segmentation`: masks need outlines of objects"))
        }
        return result
    }

    /// The class of each category.
    private static func labels(
        _ document: COCODocument, classes: ClassTable, file: String, notes: inout [String]
    ) throws -> [COCODocument.Identifier: UInt8] {
        var counts: [String: Int] = [:]
        var names: [COCODocument.Identifier: String] = [:]
        for category in document.categories {
            guard let id = category.id else { continue }
            if let other = names.updateValue(category.name, forKey: id), other != category.name {
                throw DataError(
                    file: file, problem: "has two categories with the id \(id): `\(other)` and `\(category.name)`")
            }
            counts[category.name, default: 0] += document.counts[id] ?? 0
        }
        for (name, same) in Dictionary(grouping: names.keys, by: { names[$0] ?? "" }).sorted(by: { $0.key < $1.key })
        where same.count > 1 {
            let list = same.sorted().map { "\($0)" }.joined(separator: ", ")
            notes.append("\(file): the categories with the ids \(list) are all called `\(name)`: they are one class")
        }
        let synonyms = otherNames.filter { classes.names.contains($0.value) && !classes.names.contains($0.key) }
        let match = CategoryMatch(counts, classes: classes, file: file, synonyms: synonyms)
        let labels = names.compactMapValues { match.labels[$0] }
        guard !labels.isEmpty else {
            let own = counts.keys.sorted().prefix(12).joined(separator: ", ")
            throw DataError(
                file: file,
                problem: "has none of the classes \(classes.names.joined(separator: ", ")) (its categories: \(own))")
        }
        notes += match.notes
        return labels
    }
}

/// Finds the images that an instances file names.
///
/// Names may have folders in front, with either kind of slash. They are looked for below the folders of the split and
/// below that of the data set; leading folders that do not exist there, as those of another machine, are left off, as
/// many as the first image settles.
private struct COCOImageFinder {
    private let root: String
    private let folders: [String]
    private let allowsOutside: Bool
    private let realRoot: String
    private var skip: Int?
    private var missing: String?

    init(_ root: String, folders: [String], allowsOutside: Bool) {
        self.root = root
        self.folders = folders
        self.allowsOutside = allowsOutside
        realRoot = realPath(root) ?? root
    }

    /// An image's path, and its name: the path below its folder without ending.
    mutating func find(_ text: String, file: String) throws -> (path: String, name: String) {
        func name(_ path: String) -> String { PictureFolder.stem(path) ?? path }
        if allowsOutside, text.hasPrefix("/"), isFile(text) {
            return (text, name((text as NSString).lastPathComponent))
        }
        let parts = text.split { $0 == "/" || $0 == "\\" }.map(String.init).filter { $0 != "." }
        guard !parts.isEmpty, allowsOutside || !parts.contains("..") else {
            throw DataError(
                file: file,
                problem: "names \(text), a path that may leave the data set's folder: set data.allowOutsideRoot if it"
                    + " is yours")
        }
        for skip in skip.map({ $0 > 0 ? [0, $0] : [0] }) ?? Array(0..<parts.count) where skip < parts.count {
            let below = parts.dropFirst(skip).joined(separator: "/")
            guard let folder = folders.first(where: { isFile(join($0, below)) }) else { continue }
            let path = join(folder, below)
            if !allowsOutside, parts.count - skip > 1 {
                let real = realPath(folderPart(of: path)) ?? path
                guard [realRoot, realPath(folder) ?? folder].contains(where: { real == $0 || isInside(real, $0) })
                else {
                    throw DataError(
                        file: file,
                        problem: "names \(text), by a link out of the data set's folder: set data.allowOutsideRoot if"
                            + " it is yours")
                }
            }
            if self.skip == nil { self.skip = skip }
            return (path, name(below))
        }
        if missing == nil { missing = text }
        throw DataError(.missing, file: file, problem: "names \(text), which is not below \(places)")
    }

    /// Refuses a file none of whose images is there: once, with the places.
    func refuseNothingFound(file: String) throws {
        guard let missing, skip == nil else { return }
        throw DataError(
            .missing, file: file, problem: "names \(missing) and other images, and none of them is below \(places)")
    }

    private var places: String {
        folders.map { $0 == root ? "the data set's folder" : relative($0, to: root) }.joined(separator: ", ")
    }
}
