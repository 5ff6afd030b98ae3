import Foundation

/// A folder for one test, removed with it.
package final class TemporaryFolder {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "/autodeeplab-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    package func file(_ name: String) -> String { path + "/" + name }

    package func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}
