import Foundation
import Images

/// labelme: a JSON beside each image, with polygons, rectangles and circles; the splits are folders, or all is `train`.
///
/// The classes are the labels of all files in alphabetical order behind the background, unless `classes.txt` or
/// labelme's `labels.txt` name them. `_background_` is the background, `__ignore__` is ignored. Shapes lie over those
/// before them, as in labelme.
enum LabelMeLayout {
    private static let ignored = "__ignore__"

    /// Whether a folder looks like this layout.
    static func matches(_ root: String) -> Bool { !folders(root).isEmpty }

    static func splits(_ root: String) -> [String] {
        let folders = folders(root)
        return folders == [""] ? ["train"] : SplitNames.splits(of: folders)
    }

    /// The background and all labels.
    static func classes(_ root: String) throws -> ClassSource {
        var labels: Set<String> = []
        for folder in folders(root) {
            for file in try annotations(path(root, folder)) {
                for shape in try LabelMeDocument(file: file).shapes { labels.insert(shape.label) }
            }
        }
        let names = labels.filter { !CategoryMatch.isBackground($0) && $0 != ignored }.sorted()
        guard !names.isEmpty, names.count < 255 else {
            throw DataError(
                file: root,
                problem: "has \(names.count) different labels in its JSON files, and masks hold 1 to 254 besides the"
                    + " background: name those that matter in classes.txt")
        }
        return ClassSource(
            ClassTable(names: ["background"] + names), from: "the labels of all JSON files",
            notes: CategoryMatch.notesOfCase(names, file: root))
    }

    /// Classes of a file, `__ignore__` left out and the background put first.
    static func withBackground(_ source: ClassSource) -> ClassSource {
        let table = source.table
        let colors = Dictionary(zip(table.names, table.palette), uniquingKeysWith: { first, _ in first })
        let own = table.names.filter { $0 != ignored }
        let background = own.first(where: CategoryMatch.isBackground)
        let rest = own.filter { !CategoryMatch.isBackground($0) }
        let names = ["background"] + rest.prefix(254)
        if names == table.names { return source }
        // Colours that were given stay with their classes.
        let hasColors = !table.legend.isEmpty
        let palette = [background.flatMap { colors[$0] } ?? Color(0, 0, 0)] + rest.compactMap { colors[$0] }
        var result = ClassSource(
            ClassTable(names: names, palette: hasColors ? palette : []), from: source.origin, notes: source.notes)
        if background == nil {
            result.notes.append("\(source.origin): names no background: it is put in front, as class 0")
        }
        return result
    }

    static func pairing(
        _ root: String, _ split: Split, classes: ClassTable, limits: ReadLimits, allowsOutside: Bool
    ) throws -> Pairing {
        let folders = folders(root)
        guard let folder = folders == [""] && split == .train ? "" : SplitNames.folder(split.rawValue, among: folders)
        else {
            throw DataError(
                .missing, file: join(root, split.rawValue),
                problem: "has no JSON files of labelme, or is no folder (splits found:"
                    + " \(splits(root).joined(separator: ", ")))")
        }
        guard CategoryMatch.isBackground(classes.names[0]) else {
            throw DataError(
                file: root, problem: "marks objects: the first class must be `background`, for all other pixels")
        }
        let place = path(root, folder)
        let files = try annotations(place)
        let documents = try files.map { try LabelMeDocument(file: $0, limits: limits) }
        var counts: [String: Int] = [:]
        for shape in documents.flatMap(\.shapes) where shape.label != ignored { counts[shape.label, default: 0] += 1 }
        let match = CategoryMatch(counts, classes: classes, file: place)
        var result = Pairing()
        result.notes = match.notes
        var images: Set<String> = []
        var (lines, empty) = (0, 0)
        for (file, document) in zip(files, documents) where document.isLabelMe {
            guard let image = image(of: document, file: file, root: root, allowsOutside: allowsOutside) else {
                let named = document.imagePath.map { " (\($0))" } ?? ""
                let copy = document.holdsImage ? "; the copy inside of the JSON is not read: write it to a file" : ""
                result.problems.append(
                    DataError(
                        .missing, file: file,
                        problem: "has no image\(named) beside it or in the data set's folder\(copy)"))
                continue
            }
            guard images.insert(realPath(image) ?? image).inserted else {
                result.problems.append(DataError(file: file, problem: "is the second one for the image \(image)"))
                continue
            }
            lines += document.shapes.filter { $0.area == nil }.count
            let shapes = document.shapes.enumerated().compactMap { index, shape in
                let label = shape.label == ignored ? Mask.ignored : match.labels[shape.label]
                return label.flatMap { label in
                    shape.area.map {
                        LabelledShape(label: label, area: $0, name: "shapes[\(index)] (`\(shape.label.prefix(40))`)")
                    }
                }
            }
            let outlines = Outlines(shapes, imageSize: document.size, order: .asListed)
            if let fault = outlines.fault(image: image) {
                result.problems.append(DataError(file: file, problem: fault))
                continue
            }
            if shapes.isEmpty { empty += 1 }
            let name = relative(file, to: place)
            result.samples.append(
                Sample(name: String(name.dropLast(5)), image: image, mask: file, outlines: outlines))
        }
        if lines > 0 {
            result.notes.append("\(place): \(lines) shapes are lines or points, which have no area: they are left out")
        }
        if empty > 0 {
            result.notes.append("\(place): \(empty) images have no object: they are background as a whole")
        }
        for (stem, files) in try PictureFolder(place).files.sorted(by: { $0.key < $1.key }) {
            for image in files where !images.contains(realPath(image) ?? image) {
                let annotation = join(place, stem + ".json")
                result.unlabelled.append(
                    FileManager.default.fileExists(atPath: annotation)
                        ? DataError(file: annotation, problem: "has no `shapes`: it is no file of labelme")
                        : DataError(
                            .missing, file: image,
                            problem: "has no \(stem).json: annotate the image (a file without shapes is background as a"
                                + " whole), or remove it"))
                result.samples.append(Sample(name: stem, image: image, mask: nil))
            }
        }
        return result
    }

    /// The image that a file is about: the one that it names, else the one beside it with its own name.
    private static func image(
        of document: LabelMeDocument, file: String, root: String, allowsOutside: Bool
    ) -> String? {
        let folder = folderPart(of: file)
        let stem = String(file.dropLast(5))
        var found: [String] = []
        if let text = document.imagePath?.replacingOccurrences(of: "\\", with: "/") {
            let base = (text as NSString).lastPathComponent
            found.append(text.hasPrefix("/") ? text : withoutSteps(join(folder, text)))
            found += [join(folder, base), join(root, "images/\(base)")]
        }
        found += PictureFormat.extensions.sorted().flatMap { ["\(stem).\($0)", "\(stem).\($0.uppercased())"] }
        let homes = [root, folder].map { realPath($0) ?? $0 }
        return found.first { path in
            guard isFile(path) else { return false }
            let own = realPath(folderPart(of: path)) ?? path
            return allowsOutside || homes.contains { own == $0 || isInside(own, $0) }
        }
    }

    /// A path whose `..` have taken back the folders before them.
    private static func withoutSteps(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false) where part != "." {
            if part == "..", let last = parts.last, last != "..", !last.isEmpty {
                parts.removeLast()
            } else {
                parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    private static func path(_ root: String, _ folder: String) -> String { folder.isEmpty ? root : join(root, folder) }

    /// The JSON files below a folder.
    private static func annotations(_ folder: String) throws -> [String] {
        try FileTree(folder).files.filter { $0.lowercased().hasSuffix(".json") }.map { join(folder, $0) }.sorted()
    }

    /// The folders of splits, else the data set's own, which is empty here; none where there are no such files.
    private static func folders(_ root: String) -> [String] {
        let splits = subfolders(root).filter { name in
            SplitNames.isUsual(name) && hasAnnotations((try? annotations(join(root, name))) ?? [])
        }
        if !splits.isEmpty { return splits }
        let own = jsonFiles(root).map { join(root, $0) }
        let inner = subfolders(root).flatMap { name in jsonFiles(join(root, name)).map { join(root, "\(name)/\($0)") } }
        return hasAnnotations(own) || hasAnnotations(inner) ? [""] : []
    }

    /// Whether one of the first files is labelme's.
    private static func hasAnnotations(_ files: [String]) -> Bool {
        files.prefix(3).contains { file in
            guard let bytes = try? readFileBytes(file, limit: .max, prefix: 4 << 20) else { return false }
            let text = String(decoding: bytes, as: UTF8.self)
            return text.contains("\"shapes\"") && (text.contains("\"imagePath\"") || text.contains("\"points\""))
        }
    }
}
