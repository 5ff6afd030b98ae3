import Foundation
import TestSupport
import Testing
import Torch

@Suite("Digests")
struct DigestTests {
    /// From the documentation and the tests of the reference implementation and of its Python binding.
    static let known: [(text: String, hash: String)] = [
        ("", "ef46db3751d8e999"), ("a", "d24ec4f1a98c6e5b"), ("abc", "44bc2cf5ad770999"),
        ("xxhash", "32dd38952c4bc720"),
        ("Nobody inspects the spammish repetition", "fbcea83c8a378bf1"),
    ]

    @Test("xxHash gives the published values, in whatever parts the bytes come", arguments: known)
    func values(text: String, hash: String) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var digest = XXHash64()
            digest.update(Array(bytes[..<cut]))
            digest.update(Array(bytes[cut...]))
            #expect(digest.text == hash, "cut at \(cut)")
        }
    }

    @Test("Long inputs hash alike in one part and in many")
    func parts() {
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * $0) }
        var whole = XXHash64()
        whole.update(bytes)
        for size in [1, 7, 31, 32, 33, 64, 100] {
            var parts = XXHash64()
            for start in stride(from: 0, to: bytes.count, by: size) {
                parts.update(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(parts.value == whole.value, "parts of \(size)")
        }
    }

    @Test("A copy of a hash goes on by itself")
    func copies() {
        var first = XXHash64()
        first.update(Array("a".utf8))
        var second = first
        second.update(Array("bc".utf8))
        #expect(first.text == "d24ec4f1a98c6e5b")
        #expect(second.text == "44bc2cf5ad770999")
    }

    @Test("Any flipped bit and any cut of a file with a digest is noticed")
    func damage() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        let tensors = ["w": Tensor([1, 2, 3] as [Float], shape: [3]), "n": Tensor([7] as [Int64], shape: [])]
        try saveTensors(tensors, metadata: ["step": "12", "zz": "\"xxh64\":\"0\""], to: path, carriesDigest: true)
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let read = try loadTensors(path, requiresDigest: true)
        #expect(read.tensors["w"]?.floats() == [1, 2, 3] && read.metadata["step"] == "12")
        #expect(read.metadata["xxh64"]?.count == 16)

        func isRefused(_ bytes: [UInt8]) throws -> Bool {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            do {
                _ = try loadTensors(path, requiresDigest: true)
                return false
            } catch let error as SafetensorsError {
                return error.description.hasPrefix(path + ": ") && !error.description.contains("\n")
            }
        }
        for place in whole.indices {
            for bit in 0..<8 {
                var damaged = whole
                damaged[place] ^= 1 << UInt8(bit)
                #expect(try isRefused(damaged), "bit \(bit) of byte \(place) of \(whole.count)")
            }
        }
        for length in whole.indices { #expect(try isRefused(Array(whole[..<length])), "cut to \(length)") }
        #expect(try isRefused(whole) == false)
    }

    @Test("A file without a digest is read where none is required")
    func without() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        try saveTensors(["w": Tensor([1] as [Float], shape: [1])], to: path)
        #expect(try loadTensors(path).tensors["w"]?.floats() == [1])
        let error = #expect(throws: SafetensorsError.self) { try loadTensors(path, requiresDigest: true) }
        #expect(error?.description.hasPrefix(path + ": carries no digest") == true)
    }
}
