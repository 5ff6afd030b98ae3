import Foundation
import Images

/// The names of the lists in a folder: `train.txt` gives `train`.
func listedSplits(_ root: String) -> [String] {
    ["train", "val", "test", "trainval"].filter { isFile(join(root, "\($0).txt")) }
}

/// What was found in place of what is missing, in brackets; empty where nothing was.
func foundInstead(_ what: String, _ names: [String]) -> String {
    names.isEmpty ? "" : " (\(what) found: \(names.joined(separator: ", ")))"
}

/// What to do where a layout that was set has nothing in the folder.
let otherLayoutAdvice = "where the data have another layout than data.format or the preset says, set data.format=auto"

/// Reads `SPLIT.txt`, an image and its mask on each line (SegNet's CamVid and others).
///
/// Lists often carry paths of their author's machine, such as `/SegNet/CamVid/train/x.png`. Leading folders that do
/// not exist under the root are left off; how many is settled by the first line where the rest exists, and then holds
/// for all lines, so that a missing file is reported and never mistaken for another one.
///
/// Files that are one image together, each with channels of its own, are joined by `+`: `rgb/1.png+nir/1.png`. A file
/// whose own name has a `+` goes before that.
///
/// A list that came with somebody's archive cannot name a file outside of the folder, by `..` or by a link, unless that
/// is allowed; then absolute paths are taken as they are, too.
func listPairing(_ root: String, _ split: Split, allowsOutside: Bool = false) throws -> Pairing {
    let list = join(root, "\(split.rawValue).txt")
    guard !split.rawValue.contains("/"), isFile(list) else {
        let found = listedSplits(root)
        throw DataError(
            .missing, file: list,
            problem: "is missing\(foundInstead("lists", found)): write `image mask` on each line"
                + (found.isEmpty ? ", or, \(otherLayoutAdvice)" : ""))
    }
    var rows: [(place: String, fields: [ListedField])] = []
    var result = Pairing()
    for (number, line) in try readTextFile(list).enumerated() where !line.isEmpty && !line.hasPrefix("#") {
        let place = "\(list):\(number + 1)"
        do {
            rows.append((place, try fields(line, place: place, allowsOutside: allowsOutside)))
        } catch let error as DataError {
            result.problems.append(error)
        }
    }
    let imageSkip = leadingFolders(rows.flatMap { $0.fields.first?.candidates ?? [] }, root: root)
    let maskSkip = leadingFolders(
        rows.compactMap { $0.fields.count > 1 ? $0.fields[1].whole.components : nil }, root: root)
    var names: Set<String> = []
    let realRoot = realPath(root) ?? root
    for (place, fields) in rows {
        func named(_ path: ListedPath, _ skip: Int) -> String {
            if allowsOutside, path.isAbsolute { return path.text }
            return path.components.dropFirst(min(skip, path.components.count - 1)).joined(separator: "/")
        }
        func located(_ path: String) -> String { path.hasPrefix("/") ? path : join(root, path) }
        let image = fields[0].isOneFile { isFile(located(named($0, imageSkip))) } ? [fields[0].whole] : fields[0].parts
        let masks = fields.dropFirst().map(\.whole)
        let paths = image.map { named($0, imageSkip) } + masks.map { named($0, maskSkip) }
        let files = paths.map(located)
        if let missing = files.firstIndex(where: { !isFile($0) }) {
            result.problems.append(
                DataError(.missing, file: place, problem: "names \(paths[missing]), which is not in \(root)"))
            continue
        }
        if !allowsOutside, let outside = files.firstIndex(where: { !isInside(realPath($0) ?? $0, realRoot) }) {
            result.problems.append(
                DataError(
                    file: place,
                    problem: "names \(paths[outside]), a link out of the data set's folder: set data.allowOutsideRoot"
                        + " if it is yours"))
            continue
        }
        let file = (paths[0] as NSString).lastPathComponent
        let stem = PictureFolder.stem(file) ?? file
        let name = names.contains(stem) ? PictureFolder.stem(paths[0]) ?? paths[0] : stem
        guard names.insert(name).inserted else {
            result.problems.append(DataError(file: place, problem: "lists \(paths[0]) a second time"))
            continue
        }
        if masks.isEmpty {
            result.unlabelled.append(DataError(file: place, problem: "names no mask: write `image mask` on the line"))
        }
        var sample = Sample(name: name, image: files[0], mask: masks.isEmpty ? nil : files[image.count])
        sample.furtherImages = Array(files[1..<image.count])
        result.samples.append(sample)
    }
    return result
}

/// A path as a list has it.
private struct ListedPath {
    let text: String
    let components: [String]

    var isAbsolute: Bool { text.hasPrefix("/") && isFile(text) }
}

/// A field of a line: a file, or several joined by `+`.
private struct ListedField {
    /// All of it as one path.
    let whole: ListedPath
    /// Its parts; one where there is no `+`.
    let parts: [ListedPath]

    /// The paths by which leading folders are settled: a name with a `+` may be that of one file.
    var candidates: [[String]] {
        guard parts.count > 1 else { return [whole.components] }
        let isName = whole.components.last?.contains("+") ?? false
        return [parts[0].components] + (isName ? [whole.components] : [])
    }

    /// Whether it names one file, which is looked for only where it might be several.
    func isOneFile(_ exists: (ListedPath) -> Bool) -> Bool { parts.count == 1 || exists(whole) }
}

/// Whether a path lies below a folder, both with their links followed.
func isInside(_ path: String, _ folder: String) -> Bool {
    folder == "/" || path.hasPrefix(folder + "/")
}

/// Takes a line apart: one or two paths, separated by tabs where there are any, else by spaces.
private func fields(_ line: String, place: String, allowsOutside: Bool) throws -> [ListedField] {
    let separated = line.contains("\t") ? line.split(separator: "\t") : line.split { $0 == " " }
    guard separated.count <= 2 else {
        throw DataError(
            file: place,
            problem: "has \(separated.count) fields instead of `image mask` (names with spaces need a tab between)")
    }
    func path(_ text: Substring) throws -> ListedPath {
        guard text.utf8.count < longestPath else {
            throw DataError(
                file: place,
                problem: "names a path of \(text.utf8.count) bytes, and none is longer than \(longestPath - 1)")
        }
        let components = text.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !components.isEmpty, allowsOutside || !components.contains("..") else {
            throw DataError(
                file: place,
                problem: "names \(text), a path that may leave the data set's folder: set data.allowOutsideRoot if it"
                    + " is yours")
        }
        return ListedPath(text: String(text), components: components)
    }
    return try separated.enumerated().map { index, field in
        let whole = try path(field)
        let parts = index == 0 ? field.split(separator: "+", omittingEmptySubsequences: false) : [field]
        // More than any image can have are no list of files.
        guard parts.count > 1, parts.count <= ChannelNormalization.possibleChannels.upperBound,
            parts.allSatisfy({ !$0.isEmpty })
        else { return ListedField(whole: whole, parts: [whole]) }
        return ListedField(whole: whole, parts: try parts.map(path))
    }
}

/// A path of so many bytes is more than the systems open.
private let longestPath = 4_096

/// How many leading folders to leave off, by the first path of which a rest exists; 0 where there is none.
private func leadingFolders(_ paths: [[String]], root: String) -> Int {
    // The first few decide: a list without a single match there is reported as it stands.
    for path in paths.prefix(100) {
        var rest = path.joined(separator: "/")[...]
        for (skip, folder) in path.enumerated() {
            if isFile(join(root, String(rest))) { return skip }
            rest = rest.dropFirst(folder.count + 1)
        }
    }
    return 0
}
