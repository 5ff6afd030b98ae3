import Foundation
import TestSupport
import Testing
import Torch

@Suite("Safetensors: the reference implementation", .enabled(if: Python.isAvailable, Comment(rawValue: Python.missing)))
struct SafetensorsPythonTests {
    @Test("Reads what we write, and writes the same bytes")
    func consumer() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("ours.safetensors")
        let values: [Float] = [1.5, -2, .infinity, .leastNonzeroMagnitude]
        let steps: [Int64] = [.min, 7]
        let writer = try SafetensorsWriter(
            tensors: [
                .init(name: "b\n\u{1F600}\u{1}", dtype: .uint8, shape: [3]),
                .init(name: "z", dtype: .int64, shape: [2]),
                .init(name: "w", dtype: .float32, shape: [2, 1, 2]), .init(name: "h", dtype: .float16, shape: []),
                .init(name: "m", dtype: .bool, shape: [2]), .init(name: "e", dtype: .float64, shape: [0, 2]),
                .init(name: "s", dtype: .int16, shape: [1]), .init(name: "i", dtype: .int32, shape: [1]),
                .init(name: "c", dtype: .int8, shape: [1]), .init(name: "\u{E9}", dtype: .uint8, shape: [1]),
            ], metadata: ["genotype": "{\"path\": [4, 8]}\n"])
        try writer.write(to: path) { entry, append in
            switch entry.name {
            case "w": try values.withUnsafeBytes(append)
            case "z": try steps.withUnsafeBytes(append)
            case "h": try [UInt8]([0x00, 0x3C]).withUnsafeBytes(append)
            default: try [UInt8](repeating: 1, count: entry.range.count).withUnsafeBytes(append)
            }
        }
        let script = """
            import sys, numpy as np
            from safetensors import safe_open
            from safetensors.numpy import load_file, save_file
            tensors = load_file(sys.argv[1])
            with safe_open(sys.argv[1], "np") as f:
                metadata = f.metadata()
            assert metadata == {"genotype": '{"path": [4, 8]}\\n'}, metadata
            w = tensors["w"]
            assert w.dtype == np.float32 and w.shape == (2, 1, 2), w
            assert np.array_equal(w.ravel(), np.array([1.5, -2, np.inf, 1e-45], np.float32)), w
            assert tensors["z"].tolist() == [-2**63, 7]
            assert tensors["h"].shape == () and tensors["h"] == np.float16(1)
            assert tensors["m"].dtype == np.bool_ and tensors["m"].all()
            assert tensors["e"].shape == (0, 2) and len(tensors) == 10
            assert tensors["b\\n\\U0001F600\\x01"].tolist() == [1, 1, 1]
            save_file(tensors, sys.argv[2], metadata)
            """
        let again = folder.file("theirs.safetensors")
        try Python.run(script, path, again)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(contentsOf: URL(fileURLWithPath: again)))
    }

    @Test("What it writes is read")
    func producer() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("theirs.safetensors")
        let script = """
            import sys, numpy as np
            from safetensors.numpy import save_file
            types = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "U8": "u1"}
            tensors = {n: (np.arange(6) - (n != "U8")).astype(t).reshape(2, 3) for n, t in types.items()}
            tensors["BOOL"] = np.array([True, False])
            save_file(tensors, sys.argv[1], {"format": "np"})
            for name, tensor in sorted(tensors.items()):
                print(name, list(tensor.shape), tensor.tobytes().hex())
            """
        let lines = try Python.run(script, path).split(separator: "\n")
        let file = try SafetensorsFile(path: path)
        #expect(file.header.metadata == ["format": "np"])
        #expect(file.header.entries.count == 9)
        let ours = try file.header.entries.sorted { $0.name < $1.name }.map { entry in
            #expect(entry.dtype.rawValue == entry.name)
            let hex = try file.bytes(of: entry.name).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            return "\(entry.name) \(entry.shape) \(hex.joined())"
        }
        #expect(ours == lines.map(String.init))
    }

    @Test(
        "It refuses the same files, but for what we name",
        arguments: SafetensorsHeaderTests.structure + SafetensorsHeaderTests.descriptions)
    func sameVerdict(_ file: SafetensorsHeaderTests.Malformed) throws {
        // What we refuse and the reference accepts, on purpose: members without a meaning, types that we have no use
        // for, more dimensions than any operation takes, space where the format has none, and truth values of 2.
        let stricter = [
            "unknown member", "unknown dtype", "65 dimensions", "line feed after the object", "truth value of 2",
            "duplicate name", "duplicate name, escaped", "space first",
        ]
        let folder = try TemporaryFolder()
        let path = folder.file("x.safetensors")
        try Data(file.bytes).write(to: URL(fileURLWithPath: path))
        let script = """
            import sys
            from safetensors import safe_open, SafetensorError
            try:
                with safe_open(sys.argv[1], "np") as f:
                    print("accepted")
            except SafetensorError:
                print("refused")
            """
        let verdict = try Python.run(script, path)
        #expect(verdict == (stricter.contains(file.testDescription) ? "accepted\n" : "refused\n"))
    }
}
