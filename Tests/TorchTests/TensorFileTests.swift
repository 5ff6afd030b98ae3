import Foundation
import Testing
import Torch

/// Tensors to safetensors files and back.
@Suite struct TensorFileTests {
    private func withFile(_ body: (String) throws -> Void) rethrows {
        let path = FileManager.default.temporaryDirectory.path + "/tensors-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func everyKind() throws {
        try withFile { path in
            var tensors: [String: Tensor] = [:]
            let values = Tensor([0, 1, 2, 250, 1, 0] as [UInt8], shape: [2, 3])
            for dtype in DType.allCases { tensors[dtype.rawValue] = values.to(dtype) }
            tensors["scalar"] = Tensor.full(0.1, [], dtype: .float64)
            tensors["nothing"] = Tensor.zeros([0, 3])
            try saveTensors(tensors, metadata: ["a": "b \"c\" \n"], to: path)
            let read = try loadTensors(path)
            #expect(read.metadata == ["a": "b \"c\" \n"])
            #expect(read.tensors.count == tensors.count)
            for (name, tensor) in tensors {
                let other = read.tensors[name]
                #expect(other?.dtype == tensor.dtype && other?.shape == tensor.shape, "\(name)")
                #expect(other?.doubles() == tensor.doubles(), "\(name)")
            }
        }
    }

    /// What is written is row-major, however a tensor lies in memory.
    @Test func layouts() throws {
        try withFile { path in
            let x = gaussian([2, 3, 4, 5])
            let tensors = [
                "plain": x, "last": x.channelsLast(), "turned": x.permute([3, 1, 0, 2]),
                "part": x.narrow(1, start: 1, length: 2),
            ]
            try saveTensors(tensors, to: path)
            let read = try loadTensors(path).tensors
            for (name, tensor) in tensors { #expect(read[name]?.doubles() == tensor.doubles(), "\(name)") }
        }
    }

    @Test func kindsThatTensorsLackAreRefused() throws {
        try withFile { path in
            let writer = try SafetensorsWriter(tensors: [.init(name: "short", dtype: .int16, shape: [1])])
            try writer.write(to: path) { _, append in
                try [UInt8](repeating: 0, count: 2).withUnsafeBytes { try append($0) }
            }
            #expect {
                try loadTensors(path)
            } throws: {
                "\($0)".contains("short") && "\($0)".contains("I16")
            }
        }
        #expect(throws: SafetensorsError.self) { try loadTensors("/nonexistent/file.safetensors") }
        #expect(throws: FileError.self) { try saveTensors([:], to: "/nonexistent/file.safetensors") }
    }
}
