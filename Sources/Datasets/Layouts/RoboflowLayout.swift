import Foundation
import Images

/// Roboflow's "Semantic Segmentation Masks": folders `train`, `valid` and `test`, each with `X.jpg`, `X_mask.png` and
/// `_classes.csv`, whose lines are `Pixel Value, Class`.
enum RoboflowLayout {
    private static let table = "_classes.csv"
    private static let ending = "_mask"

    /// Whether a folder looks like this layout.
    static func matches(_ root: String) -> Bool { !folders(root).isEmpty }

    static func splits(_ root: String) -> [String] { SplitNames.splits(of: folders(root)) }

    /// The classes of all splits' tables, which must be the same.
    static func classes(_ root: String) throws -> ClassSource {
        var first: (file: String, read: ClassFile)?
        for folder in folders(root) {
            let file = join(path(root, folder), table)
            let read = try ClassFile(file)
            guard let known = first else {
                first = (file, read)
                continue
            }
            guard read.table.names == known.read.table.names else {
                throw DataError(
                    file: file,
                    problem: "names the classes \(read.table.names.joined(separator: ", ")), and \(known.file)"
                        + " \(known.read.table.names.joined(separator: ", ")): they must be the same in all splits")
            }
        }
        guard let first else { throw DataError(.missing, file: join(root, table), problem: "is missing") }
        // Its header is part of the form, nothing to tell.
        return ClassSource(first.read.table, from: relative(first.file, to: root))
    }

    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let folders = folders(root)
        guard let folder = folders == [""] && split == .train ? "" : SplitNames.folder(split.rawValue, among: folders)
        else {
            throw DataError(
                .missing, file: join(root, split.rawValue),
                problem: "has no \(table), or is no folder (splits found: \(splits(root).joined(separator: ", ")))")
        }
        let place = path(root, folder)
        let tree = try PictureFolder(place, besides: [table])
        let pictures = tree.files
        var result = Pairing()
        result.notes = tree.notes
        for stem in pictures.keys.sorted() {
            let files = pictures[stem] ?? []
            guard let image = files.first else { continue }
            if stem.hasSuffix(ending) {
                if pictures[String(stem.dropLast(ending.count))] == nil {
                    result.problems.append(
                        DataError(file: image, problem: "has no image: add the image or remove the mask"))
                }
                continue
            }
            for other in files.dropFirst() {
                result.problems.append(
                    DataError(file: other, problem: "has the same stem as \(image): rename or remove one of them"))
            }
            let masks = pictures[stem + ending] ?? []
            let lossless = masks.filter { !PictureFormat.isLossy($0) }
            let mask = lossless.first ?? masks.first
            for other in lossless.dropFirst() {
                result.problems.append(
                    DataError(
                        file: other, problem: "has the same stem as \(lossless[0]): rename or remove one of them"))
            }
            if mask == nil {
                result.unlabelled.append(
                    DataError(
                        .missing, file: image,
                        problem: "has no mask: expected \(join(place, stem))\(ending).png; add the mask or remove the"
                            + " image"))
            }
            result.samples.append(Sample(name: stem, image: image, mask: mask))
        }
        return result
    }

    private static func path(_ root: String, _ folder: String) -> String { folder.isEmpty ? root : join(root, folder) }

    /// The folders with a table of pixel values: those of splits, else the data set's own, which is empty here.
    private static func folders(_ root: String) -> [String] {
        let splits = subfolders(root).filter { hasTable(join(root, $0)) }
        return splits.isEmpty && hasTable(root) ? [""] : splits
    }

    /// Roboflow's exports for classification have a file of this name too, with other columns.
    private static func hasTable(_ folder: String) -> Bool {
        let file = join(folder, table)
        guard isFile(file), let bytes = try? readFileBytes(file, limit: 1 << 20, prefix: 200) else { return false }
        return String(decoding: bytes, as: UTF8.self).lowercased().contains("pixel")
    }
}
