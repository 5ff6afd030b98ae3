import Foundation

/// The folder of a file, open, in which the file is reached by its name alone and by way of no link.
package final class FolderBelow {
    /// The folder's descriptor.
    let descriptor: Int32
    /// The file's name in it.
    package let name: String

    /// Opens the folders from `root` down to the one that holds a file.
    ///
    /// `root` itself may be reached by links, for it is what a user named; none of the folders in it may be one.
    ///
    /// - Throws: ``FileError`` where a folder is missing or a link, or the file does not lie below `root`.
    package init(of path: String, root: String) throws(FileError) {
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

    /// Gives a file in the folder another name, which another file may have had.
    ///
    /// - Returns: Whether it has it; if not, `errno` says why.
    @discardableResult
    package func rename(_ name: String, to new: String) -> Bool { renameat(descriptor, name, descriptor, new) == 0 }

    /// Gives a file in the folder a second name.
    ///
    /// - Returns: Whether it has it; if not, `errno` says why.
    package func link(_ name: String, as second: String) -> Bool {
        linkat(descriptor, name, descriptor, second, 0) == 0
    }

    /// Takes a name out of the folder, where it is one.
    package func remove(_ name: String) { unlinkat(descriptor, name, 0) }

    /// Opens a file in the folder for reading.
    ///
    /// - Returns: The descriptor, which the caller closes, or -1 with `errno`.
    package func open(_ name: String) -> Int32 {
        openFile(name, in: descriptor, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    }

    /// Brings the folder's names to the disk.
    package func synchronize() { _ = Torch.synchronize(descriptor) }
}
