import Foundation
import Images

/// The files below a folder: links to files and to folders are followed, hidden ones are passed over.
///
/// Every folder is listed once, under its own name where it has one below, and a link back to a folder around it ends
/// there: links in a circle come to an end.
package struct FileTree: Sendable {
    /// Paths below the folder, in order.
    package private(set) var files: [String] = []
    /// Links to folders that are listed under another name, or that lead back.
    package private(set) var passedOver: [String] = []
    /// How many names are not UTF-8, and can be given to no reader.
    package private(set) var unreadable = 0

    /// Lists a folder.
    ///
    /// - Throws: `DataError` that names the folder which cannot be listed.
    package init(_ folder: String) throws {
        var seen = FolderIdentity.around(folder)
        var folders = [""]
        var links: [String] = []
        while let inner = folders.popLast() ?? (links.isEmpty ? nil : links.removeFirst()) {
            let path = inner.isEmpty ? folder : join(folder, inner)
            guard let identity = FolderIdentity(path), seen.insert(identity).inserted else {
                passedOver.append(inner)
                continue
            }
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: path)
            } catch {
                throw DataError(.missing, file: path, problem: "cannot be listed")
            }
            unreadable += FileTree.unreadableNames(in: path)
            for name in names.sorted() where !isHidden(name) {
                let below = inner.isEmpty ? name : join(inner, name)
                switch EntryKind(join(path, name)) {
                case .folder: folders.append(below)
                case .linkedFolder: links.append(below)
                case .file: files.append(below)
                case .other: continue
                }
            }
        }
        files.sort()
    }

    /// What should be said of files that are no pictures, and of links that were passed over.
    ///
    /// - Parameters:
    ///   - folder: the folder, as it is to be named.
    ///   - known: names of files of which nothing need be said.
    /// - Returns: a line each.
    package func notes(on folder: String, besides known: Set<String> = []) -> [String] {
        let others = Self.counts(
            of: files.filter { !PictureFormat.isPicture($0) && !known.contains(($0 as NSString).lastPathComponent) })
        return
            (others.isEmpty ? [] : ["\(folder): \(others) left out (pictures are \(PictureFormat.listOfExtensions))"])
            + (unreadable == 0
                ? [] : ["\(folder): \(unreadable) files whose names are not UTF-8 left out: rename them"])
            + passedOver.map { "\(join(folder, $0)): a link to a folder that is listed already, passed over" }
    }

    private static func unreadableNames(in path: String) -> Int {
        guard let folder = opendir(path) else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            let isReadable = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(validatingCString: $0) != nil
                }
            }
            if !isReadable { count += 1 }
        }
        return count
    }

    /// Files by the endings of their names: `12 files of .heic, 1 without ending`.
    package static func counts(of names: [String]) -> String {
        let endings = Dictionary(grouping: names) { ($0 as NSString).pathExtension.lowercased() }
            .map { ($0.key, $0.value.count) }.sorted { ($1.1, $0.0) < ($0.1, $1.0) }
        return endings.enumerated().map { place, entry in
            let (ending, count) = entry
            let unit = place > 0 ? "" : count == 1 ? " file" : " files"
            return "\(count)\(unit) " + (ending.isEmpty ? "without ending" : "of .\(ending)")
        }.joined(separator: ", ")
    }
}

/// Whether a file or folder is kept by a system or a program for itself, as `.DS_Store`, `._x.png` or `Thumbs.db`.
package func isHidden(_ name: String) -> Bool {
    name.hasPrefix(".")
        || ["__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini"].contains(name.lowercased())
}

/// What a name stands for, links followed.
private enum EntryKind {
    case file
    case folder
    case linkedFolder
    case other

    init(_ path: String) {
        var own = stat()
        guard lstat(path, &own) == 0 else {
            self = .other
            return
        }
        let isLink = own.st_mode & S_IFMT == S_IFLNK
        var target = own
        // A link to nothing stays a file: whoever reads it says what is wrong.
        if isLink, stat(path, &target) != 0 {
            self = .file
            return
        }
        switch target.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = isLink ? .linkedFolder : .folder
        default: self = .other
        }
    }
}

/// What two names of one folder share.
private struct FolderIdentity: Hashable {
    let device: UInt64
    let number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// The folders that a folder lies in.
    static func around(_ folder: String) -> Set<FolderIdentity> {
        var result: Set<FolderIdentity> = []
        var path = realPath(folder) ?? folder
        while path != "/", !path.isEmpty {
            path = folderPart(of: path)
            if let identity = FolderIdentity(path.isEmpty ? "." : path) { result.insert(identity) }
        }
        return result
    }
}

/// A path with its links followed; nil where there is no such file.
func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}
