import Foundation

/// The folder of a file, open, in which the file is reached by its name alone and by way of no link.
final class FolderBelow {
    /// The folder's descriptor.
    let descriptor: Int32
    /// The file's name in it.
    let name: String

    /// Opens the folders from `root` down to the one that holds a file.
    ///
    /// `root` itself may be reached by links, for it is what a user named; none of the folders in it may be one.
    ///
    /// - Throws: ``FileError`` where a folder is missing or a link, or the file does not lie below `root`.
    init(of path: String, root: String) throws(FileError) {
        let root = URL(fileURLWithPath: root).path
        let above = URL(fileURLWithPath: root).pathComponents
        let all = URL(fileURLWithPath: path).pathComponents
        let rest = all.dropFirst(above.count)
        guard let name = rest.last, all.starts(with: above), !rest.contains("..") else {
            throw FileError(path: path, reason: "cannot write: it does not lie in \(root)")
        }
        var descriptor = openFile(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for folder in rest.dropLast() where descriptor >= 0 {
            let next = openFile(folder, in: descriptor, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            let code = errno
            close(descriptor)
            errno = code
            descriptor = next
        }
        guard descriptor >= 0 else {
            throw FileError(path: path, "cannot create a file in \(rest.dropLast().joined(separator: "/")) of \(root)")
        }
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }
}
