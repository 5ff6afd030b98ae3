import Foundation
import Runs

/// A short Python program, for what only Python's packages can do; no run needs it.
///
/// It runs isolated (`-I`): no module is taken from the working folder, `PYTHONPATH` or the user's own packages.
struct PythonProgram {
    let source: String

    /// The Python that runs it; nil where none is known.
    ///
    /// The environment's `PYTHON` names it, else it is that of the `.venv` which `scripts/setup.sh --venv` makes where this
    /// program was built. What happens to be first in `PATH` is never taken by itself.
    static var interpreter: String? {
        if let named = ProcessInfo.processInfo.environment["PYTHON"], !named.isEmpty { return named }
        guard let program = Bundle.main.executablePath, let build = program.range(of: "/.build/") else { return nil }
        let own = String(program[..<build.lowerBound]) + "/.venv/bin/python"
        return FileManager.default.isExecutableFile(atPath: own) ? own : nil
    }

    /// Runs the program.
    ///
    /// - Parameters:
    ///   - input: What the program finds as JSON in the file that its only argument names.
    ///   - path: The file that it is about, for messages.
    /// - Returns: What it prints, as JSON.
    /// - Throws: `RunError` with the last line that it wrote to standard error, where it fails.
    func callAsFunction<Output: Decodable>(_ input: some Encodable, about path: String) throws -> Output {
        let folder = try ScratchFolder()
        try JSONEncoder().encode(input).write(to: URL(fileURLWithPath: folder.file("input.json")))
        guard let interpreter = Self.interpreter else {
            throw RunError(
                .missing, path: path,
                "needs Python: name one by PYTHON=/path/to/python3, or make .venv by scripts/setup.sh --venv")
        }
        try Data(source.utf8).write(to: URL(fileURLWithPath: folder.file("program.py")))
        let program = ChildProgram(
            path: interpreter, arguments: ["-I", folder.file("program.py"), folder.file("input.json")])
        let status = program.run(output: folder.file("out"), errors: folder.file("err"))
        let errors = (try? String(contentsOfFile: folder.file("err"), encoding: .utf8)) ?? ""
        guard status == 0 else {
            let reason = errors.split(whereSeparator: \.isNewline).last.map(String.init)
            throw RunError(
                .damaged, path: path,
                reason.map { "Python refuses it: \($0)" } ?? "Python does not start: \(interpreter)")
        }
        let output = try Data(contentsOf: URL(fileURLWithPath: folder.file("out")))
        guard let result = try? JSONDecoder().decode(Output.self, from: output) else {
            throw RunError(.damaged, path: path, "Python gives no result; is PYTHON a Python 3?")
        }
        return result
    }
}
