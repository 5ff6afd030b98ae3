import Foundation

/// The names of the lists in a folder: `train.txt` gives `train`.
func listedSplits(_ root: String) -> [String] {
    ["train", "val", "test", "trainval"].filter { isFile(join(root, "\($0).txt")) }
}

/// Reads `SPLIT.txt`, an image and its mask on each line (SegNet's CamVid and others).
///
/// Lists often carry paths of their author's machine, such as `/SegNet/CamVid/train/x.png`. Leading folders that do
/// not exist under the root are left off; how many is settled by the first line where the rest exists, and then holds
/// for all lines, so that a missing file is reported and never mistaken for another one.
func listPairing(_ root: String, _ split: Split) throws -> Pairing {
    let list = join(root, "\(split.rawValue).txt")
    guard !split.rawValue.contains("/"), isFile(list) else {
        let found = listedSplits(root).joined(separator: ", ")
        throw DataError(
            .missing, file: list, problem: "is missing (lists found: \(found)): write `image mask` on each line")
    }
    var rows: [(place: String, fields: [[String]])] = []
    var result = Pairing()
    for (number, line) in try readTextFile(list).enumerated() where !line.isEmpty && !line.hasPrefix("#") {
        let place = "\(list):\(number + 1)"
        do {
            rows.append((place, try fields(line, place: place)))
        } catch let error as DataError {
            result.problems.append(error)
        }
    }
    let imageSkip = leadingFolders(rows.compactMap { $0.fields.first }, root: root)
    let maskSkip = leadingFolders(rows.compactMap { $0.fields.count > 1 ? $0.fields[1] : nil }, root: root)
    var names: Set<String> = []
    for (place, fields) in rows {
        let paths = zip(fields, [imageSkip, maskSkip]).map { components, skip in
            components.dropFirst(min(skip, components.count - 1)).joined(separator: "/")
        }
        if let missing = paths.first(where: { !isFile(join(root, $0)) }) {
            result.problems.append(
                DataError(.missing, file: place, problem: "names \(missing), which is not in \(root)"))
            continue
        }
        let file = (paths[0] as NSString).lastPathComponent
        let stem = PictureFolder.stem(file) ?? file
        let name = names.contains(stem) ? PictureFolder.stem(paths[0]) ?? paths[0] : stem
        guard names.insert(name).inserted else {
            result.problems.append(DataError(file: place, problem: "lists \(paths[0]) a second time"))
            continue
        }
        if paths.count < 2 {
            result.unlabelled.append(DataError(file: place, problem: "names no mask: write `image mask` on the line"))
        }
        result.samples.append(
            Sample(name: name, image: join(root, paths[0]), mask: paths.count > 1 ? join(root, paths[1]) : nil))
    }
    return result
}

/// Takes a line apart: one or two paths, separated by tabs where there are any, else by spaces.
private func fields(_ line: String, place: String) throws -> [[String]] {
    let separated = line.contains("\t") ? line.split(separator: "\t") : line.split { $0 == " " }
    guard separated.count <= 2 else {
        throw DataError(
            file: place,
            problem: "has \(separated.count) fields instead of `image mask` (names with spaces need a tab between)")
    }
    return try separated.map { field in
        let components = field.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !components.isEmpty, !components.contains("..") else {
            throw DataError(file: place, problem: "names \(field), a path that may leave the data set's folder")
        }
        return components
    }
}

/// How many leading folders to leave off, by the first path of which a rest exists; 0 where there is none.
private func leadingFolders(_ paths: [[String]], root: String) -> Int {
    // The first few decide: a list without a single match there is reported as it stands.
    for path in paths.prefix(100) {
        for skip in 0..<path.count where isFile(join(root, path.dropFirst(skip).joined(separator: "/"))) {
            return skip
        }
    }
    return 0
}
