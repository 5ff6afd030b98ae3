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

    private static let root = #filePath.components(separatedBy: "/Tests/")[0]
    private static let headers = root + "/.libtorch/torch/../nvidia/cu13/include"

    package struct Failure: Error {}

    /// What a program has to find in its environment, with a library that is built in `folder`.
    package static func environment(in folder: TemporaryFolder) throws -> [String: String] {
        let library = folder.file("libgpu.so")
        let sources = root + "/Tests/PretendedGPU"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // libtorch opens the driver by this name.
        process.arguments =
            ["cc", "-std=gnu17", "-shared", "-fPIC", "-O1", "-Wl,-soname,libcuda.so.1", "-I" + sources]
            + ["-I" + headers, sources + "/gpu.c", "-o", library]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return ["LD_PRELOAD": library, "LD_LIBRARY_PATH": Python.environmentVariables["LD_LIBRARY_PATH"] ?? ""]
    }
}
