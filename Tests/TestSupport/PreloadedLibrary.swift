import Foundation

/// A library of the tests that stands in for a part of the system (`LD_PRELOAD`): built from C when it is needed.
package enum PreloadedLibrary {
    package static let root = #filePath.components(separatedBy: "/Tests/")[0]

    /// Whether one can be loaded.
    package static var isPossible: Bool {
        #if os(Linux)
            true
        #else
            false
        #endif
    }

    package struct Failure: Error {}

    /// Builds a file of the folder `Tests`; the library's path.
    package static func build(_ source: String, options: [String] = [], in folder: TemporaryFolder) throws -> String {
        let library = folder.file("preloaded.so")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["cc", "-std=gnu17", "-shared", "-fPIC", "-O1"] + options + ["\(root)/Tests/\(source)", "-o", library]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return library
    }
}
