import Foundation
import Images

/// ADE20K SceneParsing: `images/training` and `annotations/training`, likewise `validation`; masks hold 0 for ignored
/// pixels and 1 to 150 for the classes.
enum ADE20KLayout {
    static let namesFile = "objectInfo150.txt"
    private static let folders = ["train": "training", "val": "validation"]

    /// Whether a folder holds ADE20K itself: others have taken over its folders for classes and labels of their own.
    static func matches(_ root: String) -> Bool {
        guard isDirectory(join(root, "annotations")), !splits(root).isEmpty else { return false }
        if isFile(join(root, namesFile)) || isFile(join(root, "sceneCategories.txt")) { return true }
        return folders.values.contains { name in
            let files = (try? FileManager.default.contentsOfDirectory(atPath: join(root, "images/\(name)"))) ?? []
            return files.contains { $0.hasPrefix("ADE_") }
        }
    }

    /// Tells of masks in ADE20K's folders that are read as they are, though they may keep to its convention.
    static func noteOfOthers(_ root: String) -> [String] {
        guard isDirectory(join(root, "annotations")), !splits(root).isEmpty, !matches(root) else { return [] }
        return [
            "\(root): has ADE20K's folders and not its files: 0 in masks is the first class; set data.format=ade20k where 0"
                + " means no class and 1 the first"
        ]
    }

    /// The class names of `objectInfo150.txt`, or those that are built in, with the official colours.
    static func classes(_ root: String) throws -> ClassTable? {
        let file = join(root, namesFile)
        let known = KnownClasses.ade20k.table
        guard isFile(file) else { return known }
        let names = try readTextFile(file).dropFirst().compactMap { line in
            // Idx, Ratio, Train, Val, Stuff, Name, where the name is a list of synonyms.
            line.split(separator: "\t").last.map { $0.trimmingCharacters(in: .whitespaces) }
        }.filter { !$0.isEmpty }
        guard names.count == 150 else {
            throw DataError(file: file, problem: "names \(names.count) classes instead of 150")
        }
        let short = names.map { $0.split(separator: ",").first.map(String.init) ?? $0 }
        let uses = Dictionary(short.map { ($0, 1) }, uniquingKeysWith: +)
        return ClassTable(
            names: zip(names, short).map { uses[$1] == 1 ? $1 : $0 }, palette: known?.palette ?? [],
            legend: known?.legend)
    }

    /// What the masks' values mean.
    static var labels: [UInt8?] {
        var table = [UInt8?](repeating: nil, count: 256)
        table[0] = Mask.ignored
        table[255] = Mask.ignored
        for label in UInt8(0)..<150 { table[Int(label) + 1] = label }
        return table
    }

    static func splits(_ root: String) -> [String] {
        folders.filter { isDirectory(join(root, "images/\($0.value)")) }.map(\.key)
    }

    static func pairing(_ root: String, _ split: Split) throws -> Pairing {
        let name = folders[split.rawValue] ?? split.rawValue
        let images = join(root, "images/\(name)")
        guard !name.contains("/"), isDirectory(images) else {
            let found = splits(root).sorted().joined(separator: ", ")
            throw DataError(.missing, file: images, problem: "is missing (splits found: \(found))")
        }
        return try FoldersLayout.pairing(images: images, masks: join(root, "annotations/\(name)"))
    }
}
