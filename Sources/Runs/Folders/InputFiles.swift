import Foundation
import SearchSpace

/// Files that a command reads, and therefore must not write.
///
/// Files are told apart as the system knows them, by device and number: links of both kinds, other spellings of a path
/// and, where the disk takes no notice of it, the case of letters make no difference. A command asks for all its
/// targets before it writes the first.
public struct InputFiles: Sendable {
    private var paths: [String] = []

    /// These files and folders.
    public init(_ paths: [String] = []) { self.paths = paths }

    /// What an argument names that may be a run's folder or a single file, perhaps behind a stem's name
    /// (`efficientnet-lite0@4+runs/search`): the file, or the run's own files.
    public init(run argument: String) {
        let argument = (try? StemKind.split(argument))?.network ?? argument
        paths = isFolder(argument) ? RunPaths(folder: argument).known : [argument]
    }

    /// Adds a file or folder.
    public mutating func add(_ path: String) { paths.append(path) }

    /// These and others.
    public static func + (one: InputFiles, other: InputFiles) -> InputFiles { InputFiles(one.paths + other.paths) }

    /// Refuses to write over a file, or over a folder with it in it.
    ///
    /// - Parameter targets: Everything that is to be written.
    /// - Throws: ``RunError`` that names the target and the file that it would destroy.
    public func refuse(_ targets: [String]) throws(RunError) {
        var wanted: [FileIdentity: String] = [:]
        var hasFolder = false
        for target in targets {
            guard let identity = FileIdentity(target) else { continue }
            wanted[identity] = wanted[identity] ?? target
            hasFolder = hasFolder || isFolder(target)
        }
        if wanted.isEmpty { return }
        for path in paths {
            guard let identity = FileIdentity(path) else { continue }
            if let target = wanted[identity] { throw InputFiles.overwriting(path, by: target) }
            guard hasFolder else { continue }
            var url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
            while url.pathComponents.count > 1 {
                url.deleteLastPathComponent()
                if let above = FileIdentity(url.path), let target = wanted[above] {
                    throw InputFiles.overwriting(path, by: target)
                }
            }
        }
    }

    /// Refuses to write into a folder that holds a file which is read.
    ///
    /// - Throws: ``RunError`` that names the folder and the file.
    public func refuse(folder: String) throws(RunError) {
        guard let identity = FileIdentity(folder) else { return }
        for path in paths {
            let place = isFolder(path) ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path
            guard FileIdentity(place) == identity else { continue }
            throw RunError(
                .overwrites, path: folder, "is where \(path) lies, which this command reads", advice: .takeOtherOutput)
        }
    }

    /// Refuses to begin a run in a folder where its files would overwrite one of these.
    ///
    /// A run that goes on may read its own.
    ///
    /// - Throws: ``RunError`` that names the target and the file.
    public func refuse(run folder: String) throws(RunError) {
        let run = RunPaths(folder: folder)
        guard run.storedCheckpoints.isEmpty else { return }
        try refuse(run.known + [run.report, run.card])
    }

    private static func overwriting(_ path: String, by target: String) -> RunError {
        RunError(
            .overwrites, path: target, "would overwrite \(path), which this command reads", advice: .takeOtherOutput)
    }
}

/// A file as the system knows it, whatever path leads to it.
package struct FileIdentity: Hashable {
    private let device: UInt64
    private let number: UInt64

    /// The file that a path leads to; nil where there is none.
    package init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
    }
}

extension String {
    /// The path as a disk may know it that takes no notice of the case of letters and of how accents are composed.
    package var foldedPath: String { precomposedStringWithCanonicalMapping.lowercased() }
}

/// Whether a path leads to a folder.
package func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
