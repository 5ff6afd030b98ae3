import Foundation

/// The fake GPU of `Tests/FakeCUDA`.
package enum FakeCUDA {
    package static let missing = "needs Linux and a .venv that can import PyTorch"

    package static let isPossible: Bool = {
        #if os(Linux)
            Python.has("torch") && FileManager.default.fileExists(atPath: headers + "/cuda_runtime_api.h")
        #else
            false
        #endif
    }()

    private static let headers = PreloadedLibrary.root + "/.libtorch/torch/../nvidia/cu13/include"

    /// What a program has to find in its environment, with a library that is built in `folder`.
    package static func environment(in folder: TemporaryFolder) throws -> [String: String] {
        let sources = PreloadedLibrary.root + "/Tests/FakeCUDA"
        // libtorch opens the driver by this name.
        let library = try PreloadedLibrary.build(
            "FakeCUDA/fake_cuda.c", options: ["-Wl,-soname,libcuda.so.1", "-I" + sources, "-I" + headers], in: folder)
        return ["LD_PRELOAD": library, "LD_LIBRARY_PATH": Python.environmentVariables["LD_LIBRARY_PATH"] ?? ""]
    }
}
