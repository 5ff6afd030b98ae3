import Foundation

/// Opens a file of a run's folder that is changed in place, for reading and appending, and makes it where it is missing.
///
/// It has to be the folder's own: no link, no file with a second name elsewhere, and no pipe or device.
///
/// - Parameter path: The file, directly in the folder.
/// - Returns: Its descriptor, which the caller closes.
/// - Throws: ``RunError`` where it cannot be opened, or is not the folder's own.
func openGrowing(_ path: String) throws(RunError) -> Int32 {
    // Without O_NONBLOCK a pipe would be waited for before it can be seen to be one.
    let flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let descriptor = openFile(path, flags, 0o644)
    guard descriptor >= 0 else { throw RunError.cannotWrite(path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink <= 1 else {
        close(descriptor)
        throw RunError(
            .overwrites, path: path, "is no ordinary file, or has another name elsewhere: put a copy in its place")
    }
    return descriptor
}
