import Foundation

/// The places below a folder at which a command is going to write, looked at before it writes anything.
///
/// A run's folder may come from somebody else. In place of a file or folder it may hold a link, by way of which something
/// outside would be written, emptied or removed; a file that grows may have a second name elsewhere; a pipe would be
/// waited for without end. The folder itself may be reached by links, for its path is the user's own.
package struct OutputPaths {
    private let root: String

    /// Places below a folder, which may be missing.
    package init(in folder: String) { root = URL(fileURLWithPath: folder).path }

    /// Refuses what must not be in place of files and folders that are to be written, with all that is in the folders.
    ///
    /// - Parameter paths: Paths below the folder; what is missing may be written.
    /// - Throws: ``RunError`` that names the place.
    package func refuseLinks(at paths: [String]) throws(RunError) {
        for path in paths {
            try refuseLinks(upTo: path)
            try refuseLinks(below: path)
        }
    }

    /// Refuses what must not be in a folder of a run that is begun or goes on: in place of any file that a run writes.
    ///
    /// What else lies there is the user's own.
    ///
    /// - Parameter folder: The run's folder; nil is the folder itself.
    /// - Throws: ``RunError`` that names the place.
    package func refuseLinks(inRun folder: String? = nil) throws(RunError) {
        let folder = folder ?? root
        if folder != root { try refuseLinks(upTo: folder) }
        for name in names(in: folder) where RunPaths.isOwn(name) {
            let path = folder + "/" + name
            try refuseLink(at: path)
            guard fileType(path) == S_IFDIR else { continue }
            guard RunPaths.isOwnFolder(name) else {
                throw RunError(.overwrites, path: path, "is a folder, where a run writes a file: take it away")
            }
            if name.hasPrefix(RunPaths.trialPrefix) {
                try refuseLinks(inRun: path)
                try refuseLinks(inRun: RunPaths(folder: path).trialTraining)
            } else {
                try refuseLinks(below: path)
            }
        }
    }

    /// Refuses a path that a user named as an output, where it lies in a run's folder and is reached there by a link.
    ///
    /// - Throws: ``RunError`` that names the link.
    package static func refuseLinks(toOutput path: String) throws(RunError) {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        var folder = url
        while folder.pathComponents.count > 1 {
            folder.deleteLastPathComponent()
            if RunPaths(folder: folder.path).isRun {
                try OutputPaths(in: folder.path).refuseLinks(upTo: url.path)
            }
        }
    }

    /// Refuses a path or a folder on the way to it, from the root down.
    private func refuseLinks(upTo path: String) throws(RunError) {
        let rest = URL(fileURLWithPath: path).pathComponents.dropFirst(URL(fileURLWithPath: root).pathComponents.count)
        var path = root
        for name in rest {
            path += "/" + name
            try refuseLink(at: path)
        }
    }

    /// Refuses what is in a folder of the program's, and in the folders in it.
    private func refuseLinks(below folder: String) throws(RunError) {
        guard fileType(folder) == S_IFDIR else { return }
        for name in names(in: folder) {
            try refuseLink(at: folder + "/" + name)
            try refuseLinks(below: folder + "/" + name)
        }
    }

    private func refuseLink(at path: String) throws(RunError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFLNK:
            throw RunError(
                .overwrites, path: path, "is a symbolic link, by way of which nothing is written: take it away")
        case S_IFREG:
            if status.st_nlink > 1, RunPaths.grows(URL(fileURLWithPath: path).lastPathComponent) {
                throw RunError(
                    .overwrites, path: path,
                    "has another name elsewhere (a hard link), which would change with it: put a copy in its place")
            }
        case S_IFDIR: break
        default: throw RunError(.overwrites, path: path, "is no ordinary file, and is to be written: take it away")
        }
    }

    private func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}

/// The kind of what lies at a path, links not followed; nil where there is nothing.
package func fileType(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
}
