import Foundation
import TestSupport
import Testing

/// Nothing that lies in the working folder is run.
@Suite("Isolation of Python", .enabled(if: Python.has("onnx", "onnxruntime"), "needs onnx and ONNX Runtime in .venv"))
struct IsolationTests {
    @Test("Python modules in the working folder, and in PYTHONPATH, are not taken")
    func plantedModules() throws {
        let folder = try TemporaryFolder()
        // Imported by what the program starts, at least if it takes modules from here.
        let planted = "open(\(String(reflecting: folder.file("planted"))), 'a').write(__name__)\n"
        for name in ["json", "onnx", "onnxruntime", "numpy", "sys", "time", "sitecustomize", "usercustomize"] {
            _ = try folder.write(planted, to: name + ".py")
        }
        // An interpreter of the usual name, first in PATH.
        let shell = "#!/bin/sh\necho started > \(folder.file("planted"))\n"
        try FileManager.default.createDirectory(atPath: folder.file("bin"), withIntermediateDirectories: true)
        for name in ["python3", "python"] {
            let path = try folder.write(shell, to: "bin/" + name)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        func run(_ arguments: [String], environment: [String: String] = [:]) throws -> String {
            let result = try Command.launch(
                "/usr/bin/env",
                ["-C", folder.path] + environment.map { "\($0.key)=\($0.value)" } + [Command.executable().path]
                    + arguments)
            #expect(result.status == 0, "\(result.errors)")
            return result.output
        }
        let path = folder.file("bin") + ":/usr/bin:/bin"
        let bench = try run(
            ["bench", "deeplabv3:3", "--filters", "4", "--size", "65x65", "--repetitions", "1"],
            environment: ["PATH": path, "PYTHONPATH": folder.path, "PYTHONSTARTUP": folder.file("json.py")])
        #expect(bench.contains("ONNX Runtime  ") && !bench.contains("not measured"), "\(bench)")
        // Without PYTHON the program looks beside the folder that it was built in, never into PATH.
        _ = try run(
            ["bench", "deeplabv3:3", "--filters", "4", "--size", "65x65", "--repetitions", "1"],
            environment: ["PATH": path, "PYTHON": ""])
        #expect(!FileManager.default.fileExists(atPath: folder.file("planted")))
        let refused = try run(
            ["bench", "deeplabv3:3", "--filters", "4", "--size", "65x65", "--repetitions", "1"],
            environment: ["PATH": path, "PYTHON": "/nonexistent"])
        #expect(
            refused.contains("autodeeplab  ") && refused.contains("not measured: Python does not start: /nonexistent"))
    }
}
