import Foundation
import TestSupport
import Testing

/// `nccl.cpp` constructs a class of libtorch without its header; here the header has its say.
@Suite("Layout of libtorch's process group over NCCL", .enabled(if: FakeCUDA.isPossible, "\(FakeCUDA.missing)"))
struct NCCLLayoutTests {
    /// Headers of CUDA's libraries that are not here: what is needed of them is in `stand_ins.h`.
    private static let absent = [
        "cublas_v2.h", "cublasLt.h", "cusparse.h", "cusolverDn.h", "cusolver_common.h", "cuda_runtime.h", "cuda_fp16.h",
        "cuda_bf16.h", "cuda_fp8.h", "nccl.h",
    ]

    /// What the compiler says of the comparison.
    private func compile(_ options: [String] = []) throws -> (status: Int32, errors: String) {
        let folder = try TemporaryFolder()
        let root = PreloadedLibrary.root
        let (torch, nvidia) = ("\(root)/.libtorch/torch/include", "\(root)/.libtorch/torch/../nvidia")
        // `make cuda` fetches NCCL with its header.
        let hasNCCL = FileManager.default.fileExists(atPath: "\(nvidia)/nccl/include/nccl.h")
        for name in Self.absent where name != "nccl.h" || !hasNCCL {
            try Data().write(to: URL(fileURLWithPath: folder.file(name)))
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["c++", "-std=c++20", "-fsyntax-only", "-w"] + options + (hasNCCL ? ["-DTRUE_NCCL"] : [])
            + ["-I\(folder.path)", "-I\(root)/Tests/FakeCUDA", "-I\(root)/Sources/CTorchEngine"]
            + [torch, "\(torch)/torch/csrc/api/include", "\(nvidia)/nccl/include", "\(nvidia)/cu13/include"].flatMap {
                ["-isystem", $0]
            } + ["\(root)/Tests/FakeCUDA/layout/process_group_nccl.cpp"]
        let errors = folder.file("errors")
        try Data().write(to: URL(fileURLWithPath: errors))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOfFile: errors, encoding: .utf8))
    }

    @Test("Sizes, alignment and constructors are those of its own header")
    func layout() throws {
        let result = try compile()
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test("A class of another size would be noticed")
    func notice() throws {
        let result = try compile(["-DNCCL_CONFIG_BYTES=128"])
        #expect(result.status != 0 && result.errors.contains("nccl_options_bytes"), "\(result.errors)")
    }
}
