import Foundation

/// Refuses a folder that holds something, before a verb mixes its own files with what is there.
///
/// - Parameter path: A folder that may be missing.
/// - Throws: ``RunError`` where it is a file or not empty.
package func requireEmptyFolder(_ path: String) throws(RunError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else { throw RunError(.cannotWrite, path: path, "is a file, not a folder") }
    let content = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard content.isEmpty else {
        throw RunError(.notEmpty, path: path, "is not empty: name another folder, or remove it")
    }
}
