import Foundation
import TestSupport
import Testing
import Torch

@Suite("Safetensors: files")
struct SafetensorsFileTests {
    static let tensors: [SafetensorsWriter.Entry] = [
        .init(name: "stem.conv1.weight", dtype: .float32, shape: [2, 3]),
        .init(name: "mask", dtype: .bool, shape: [5]),
        .init(name: "step", dtype: .int64, shape: []),
        .init(name: "half", dtype: .float16, shape: [3]),
        .init(name: "brain", dtype: .bfloat16, shape: [1, 1, 3]),
        .init(name: "nothing", dtype: .float64, shape: [0, 7]),
        .init(name: "name with \"quotes\", \\, \u{1} and \u{1F600}\n", dtype: .uint8, shape: [3]),
        .init(name: "alpha", dtype: .float64, shape: [2]),
        .init(name: "a", dtype: .int32, shape: [1]),
        .init(name: "b", dtype: .int16, shape: [1]),
        .init(name: "c", dtype: .int8, shape: [2, 1]),
    ]
    static let metadata = ["format": "pt", "text": "tab\t, line\n, bell\u{7}, \u{E9}\u{1F600}"]

    /// Some bytes that belong to the name, valid for every type.
    static func bytes(_ name: String, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8((name.utf8.count + $0) % 2) }
    }

    static func write(to path: String) throws {
        let writer = try SafetensorsWriter(tensors: tensors, metadata: metadata)
        try writer.write(to: path) { entry, append in
            // In two parts, to see that they are put together.
            let bytes = bytes(entry.name, entry.range.count)
            try bytes.prefix(1).withUnsafeBytes(append)
            try bytes.dropFirst().withUnsafeBytes(append)
        }
    }

    @Test("What was written is read back")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("model.safetensors")
        try Self.write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.header.metadata == Self.metadata)
        #expect(file.header.entries.count == Self.tensors.count)
        for tensor in Self.tensors {
            let entry = try #require(file.entry(named: tensor.name))
            #expect(entry.dtype == tensor.dtype && entry.shape == tensor.shape)
            #expect(try file.bytes(of: tensor.name) == Self.bytes(tensor.name, entry.range.count))
        }
        #expect(try folder.contents() == ["model.safetensors"])
    }

    @Test("The layout is the reference's: by type, then by name, aligned")
    func layout() throws {
        let writer = try SafetensorsWriter(tensors: Self.tensors)
        let names = writer.header.entries.map(\.name)
        #expect(names.prefix(5) == ["step", "alpha", "nothing", "stem.conv1.weight", "a"])
        #expect(names.suffix(2) == [Self.tensors[6].name, "mask"])
        for entry in writer.header.entries { #expect(entry.range.lowerBound % entry.dtype.size == 0) }
        #expect(writer.header.json().count % 8 == 0)
        let one = try SafetensorsWriter(tensors: [.init(name: "x", dtype: .float32, shape: [2])], metadata: ["a": "b"])
        let json = #"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        #expect(
            String(decoding: one.header.json(), as: UTF8.self) == json
                + String(repeating: " ", count: 8 - json.count % 8))
    }

    @Test(
        "Tensors that no file can hold are refused",
        arguments: [
            ("x", [-1], "cannot be written"), ("x", [Int.max, 2], "cannot be written"),
            ("x", [Int](repeating: 1, count: 65), "cannot be written"), ("taken", [1], "the name is taken"),
            ("__metadata__", [1], "the name is taken"),
        ])
    func unwritable(name: String, shape: [Int], reason: String) throws {
        let error = try #require(throws: SafetensorsError.self) {
            try SafetensorsWriter(tensors: [
                .init(name: "taken", dtype: .uint8, shape: [1]), .init(name: name, dtype: .float32, shape: shape),
            ])
        }
        #expect(error.tensor == name && error.reason.contains(reason))
    }

    @Test("Too few or too many bytes leave the old file as it was", arguments: [0, 3, 5])
    func wrongCount(count: Int) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("x")
        try AtomicFile.write(Data("old".utf8), to: path)
        let writer = try SafetensorsWriter(tensors: [.init(name: "x", dtype: .float32, shape: [1])])
        let error = try #require(throws: SafetensorsError.self) {
            try writer.write(to: path) { _, append in
                try [UInt8](repeating: 0, count: count).withUnsafeBytes(append)
            }
        }
        #expect(error.description == "\(path): tensor \"x\": \(count) bytes were given, it has 4")
        #expect(try folder.contents() == ["x"])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
    }

    @Test("Reading needs the tensor's name and its size")
    func wrongRead() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("x")
        try Self.write(to: path)
        let file = try SafetensorsFile(path: path)
        #expect(throws: SafetensorsError.self) { try file.bytes(of: "y") }
        var buffer = [UInt8](repeating: 0, count: 4)
        #expect(throws: SafetensorsError.self) { try buffer.withUnsafeMutableBytes { try file.read("mask", into: $0) } }
        #expect(truncate(path, 16) == 0)
        let error = try #require(throws: SafetensorsError.self) { try file.bytes(of: "mask") }
        #expect(error.description == "\(path): tensor \"mask\": became shorter while it was read")
    }

    @Test("Whatever bytes change, a file is read or refused", arguments: 0..<4)
    func mutations(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("x")
        try Self.write(to: path)
        let original = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        var random = SplitMix(state: seed)
        var refused = 0
        for _ in 0..<400 {
            let bytes = Self.mutated(original, &random)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                let file = try SafetensorsFile(path: path)
                #expect(file.header.entries.reduce(0) { $0 + $1.range.count } == file.header.dataSize)
                for entry in file.header.entries { _ = try file.bytes(of: entry.name) }
            } catch let error as SafetensorsError {
                refused += 1
                #expect(!error.description.contains("\n"))
            }
        }
        // Most changes hit the header; a test that refuses nothing tests nothing.
        #expect(refused > 200)
    }

    /// A few changes of the kinds that break parsers: other bytes, cuts, doubled parts, other digits.
    private static func mutated(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...20, using: &random)))
            case 3: bytes.insert(contentsOf: bytes[place...].prefix(12), at: place)
            case 4: bytes.insert(Array("{}[]\",:-0e\\".utf8).randomElement(using: &random) ?? 0, at: place)
            default:
                if let digit = bytes[place...].firstIndex(where: { (0x30...0x39).contains($0) }) {
                    bytes[digit] = UInt8.random(in: 0x30...0x39, using: &random)
                }
            }
        }
        return bytes
    }
}
