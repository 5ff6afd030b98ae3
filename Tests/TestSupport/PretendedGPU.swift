import Foundation

/// The GPU of `Tests/PretendedGPU`, by which programs run as if there were one.
package enum PretendedGPU {
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
        let sources = PreloadedLibrary.root + "/Tests/PretendedGPU"
        // libtorch opens the driver by this name.
        let library = try PreloadedLibrary.build(
            "PretendedGPU/gpu.c", options: ["-Wl,-soname,libcuda.so.1", "-I" + sources, "-I" + headers], in: folder)
        return ["LD_PRELOAD": library, "LD_LIBRARY_PATH": Python.environmentVariables["LD_LIBRARY_PATH"] ?? ""]
    }
}
