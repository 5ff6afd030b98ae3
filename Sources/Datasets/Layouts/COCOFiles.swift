import Foundation
import Images

/// An instances file in a data set's folder, by the names and the places that tools use.
///
/// `annotations/instances_SPLIT.json` (COCO, CVAT), `annotations/SPLIT.json`, `SPLIT/_annotations.coco.json` (Roboflow),
/// `SPLIT/annotations.json`, and in the folder itself `annotations.json` or `result.json` (Label Studio) for images that
/// are in no split.
struct COCOFile {
    /// The file.
    let path: String
    /// The split's name as the file or its folder has it, perhaps with a year: `train2017`.
    let name: String

    /// The words of a file's name that say what it is, not whose.
    private static let kinds: Set = [
        "instances", "annotations", "annotation", "coco", "segm", "segmentation", "segmentations", "result",
    ]

    /// All files of a data set's folder with the names of their splits, each once.
    static func all(_ root: String) -> [(split: String, file: COCOFile)] {
        let annotations = join(root, "annotations")
        var found: [COCOFile] = []
        for name in jsonFiles(annotations) {
            if name.hasPrefix("instances_") {
                found.append(COCOFile(path: join(annotations, name), name: String(name.dropFirst(10).dropLast(5))))
            } else if let split = split(of: name), isInstances(join(annotations, name)) {
                found.append(COCOFile(path: join(annotations, name), name: split.isEmpty ? "train" : split))
            }
        }
        for name in jsonFiles(root) {
            guard let split = split(of: name), isInstances(join(root, name)) else { continue }
            found.append(COCOFile(path: join(root, name), name: split.isEmpty ? "train" : split))
        }
        for folder in subfolders(root) where folder != "annotations" {
            for name in jsonFiles(join(root, folder)) where split(of: name) == "" {
                let path = join(root, "\(folder)/\(name)")
                guard isInstances(path) else { continue }
                found.append(COCOFile(path: path, name: folder == "images" ? "train" : folder))
            }
        }
        // Of several files for one split the one in the more usual place is taken.
        var seen: Set<String> = []
        return named(found.filter { seen.insert($0.name).inserted })
    }

    /// A split is known without its year where that leaves no doubt, and by its usual name.
    private static func named(_ files: [COCOFile]) -> [(split: String, file: COCOFile)] {
        let short = Dictionary(grouping: files) { SplitNames.usual(String($0.name.prefix { !$0.isNumber })) }
        return files.map { file in
            let name = SplitNames.usual(String(file.name.prefix { !$0.isNumber }))
            return (name.isEmpty || (short[name]?.count ?? 0) > 1 ? file.name : name, file)
        }.sorted { (SplitNames.rank($0.split), $0.split) < (SplitNames.rank($1.split), $1.split) }
    }

    /// The file of a split.
    static func find(_ root: String, _ split: Split) throws -> COCOFile {
        let all = all(root)
        let name = split.rawValue
        let found =
            all.first { $0.split == name } ?? all.first { $0.file.name == name }
            ?? all.first { !name.isEmpty && $0.split == SplitNames.usual(name) }
        if let found { return found.file }
        throw DataError(
            .missing, file: join(root, "annotations/instances_\(name).json"),
            problem:
                "is missing (splits found: \(all.map(\.split).joined(separator: ", "))): add the file, or name another"
                + " split by data.splits")
    }

    /// The folders in which the split's images may lie, in the order in which they are looked into.
    func imageFolders(_ root: String) -> [String] {
        let short = String(name.prefix { !$0.isNumber })
        let beside = folderPart(of: path)
        let names = [name, "images/\(name)", short, "images/\(short)"].filter { !$0.isEmpty && !$0.hasSuffix("/") }
        let folders = names.map { join(root, $0) } + [join(beside, "images"), beside, join(root, "images"), root]
        var seen: Set<String> = []
        return folders.filter { seen.insert($0).inserted && isDirectory($0) }
    }

    /// The split that a file's name tells, empty where it tells none; nil where the file is called otherwise.
    private static func split(of file: String) -> String? {
        let words = file.dropLast(5).lowercased().split { "_-. ".contains($0) }.map(String.init)
        guard !words.isEmpty else { return nil }
        let rest = words.filter { !kinds.contains($0) }
        if rest.isEmpty { return "" }
        guard rest.count == 1, SplitNames.isUsual(String(rest[0].prefix { !$0.isNumber })) else { return nil }
        return rest[0]
    }

    /// Whether a file with a name that others use too begins as an instances file does.
    private static func isInstances(_ path: String) -> Bool {
        guard let bytes = try? readFileBytes(path, limit: .max, prefix: 1 << 20) else { return false }
        let text = String(decoding: bytes, as: UTF8.self)
        return ["\"images\"", "\"annotations\"", "\"categories\""].contains { text.contains($0) }
            && !text.contains("\"imagePath\"")
    }
}

/// The files in a folder that are JSON by their names, in order, without hidden ones.
func jsonFiles(_ folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { !$0.hasPrefix(".") && $0.lowercased().hasSuffix(".json") }.sorted()
}

/// What tools call the usual splits.
enum SplitNames {
    /// What words mean wherever they stand.
    static let words = [
        "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
        "testing": "test",
    ]
    private static let names = words.merging(["default": "train"]) { word, _ in word }

    /// `val` for `valid` and `validation`, and likewise; other names as they are.
    static func usual(_ name: String) -> String { names[name.lowercased()] ?? name }

    /// Whether a name is one of the usual splits'.
    static func isUsual(_ name: String) -> Bool { names[name.lowercased()] != nil }

    /// Training before validation before test before the others.
    static func rank(_ name: String) -> Int { ["train", "val", "test"].firstIndex(of: name) ?? 3 }

    /// The folder of a split among those of a data set: by its own name, else by another name of it.
    static func folder(_ split: String, among folders: [String]) -> String? {
        folders.contains(split) ? split : folders.first { usual($0) == split }
    }

    /// The splits' names of folders: the usual one, unless two folders share it.
    static func splits(of folders: [String]) -> [String] {
        let usualNames = folders.map(usual)
        let counts = Dictionary(usualNames.map { ($0, 1) }, uniquingKeysWith: +)
        return zip(folders, usualNames).map { name, usual in counts[usual] == 1 ? usual : name }
    }
}
