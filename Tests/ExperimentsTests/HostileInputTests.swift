import Configurations
import Foundation
import Inference
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// Bytes of any kind for the readers of text and tensors: what does not end the test run is a value or one line.
@Suite("Hostile input")
struct HostileInputTests {
    private func mutated(_ source: [UInt8], with words: [String], _ random: inout RandomStream) -> [UInt8] {
        var bytes = source
        for _ in 0...random.below(5) {
            if bytes.isEmpty { bytes = [0] }
            let place = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes[place] ^= 1 << UInt8(random.below(8))
            case 2: bytes.removeSubrange(place..<min(place + 1 + random.below(12), bytes.count))
            case 3: bytes.insert(contentsOf: words[random.below(words.count)].utf8, at: place)
            case 4:
                let end = min(place + 1 + random.below(40), bytes.count)
                bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
            default: bytes = Array(bytes.prefix(place))
            }
        }
        return bytes
    }

    private func expectLine(_ message: String?, from source: String) {
        guard let message else { return }
        #expect(!message.contains("\n") && message.utf8.count < 2_000 && message.hasPrefix(source), "\(message)")
    }

    @Test("Configurations")
    func yaml() throws {
        var random = RandomStream(seed: 21)
        let words = [
            "[", "{", "- ", "? ", ": ", "&a ", "*a", "!!binary ", "|\n", "\n\n", "---\n", "1e999", "-1", "0x7", "~",
            "9223372036854775808", "\"\\u0000\"", "%YAML 1.2\n", "<<: *a", "\t",
        ]
        for name in Configuration.presets {
            let text = try Array(Configuration.text(ofPreset: name).utf8)
            for _ in 0..<150 {
                let bytes = mutated(text, with: words, &random)
                expectLine(
                    failure { _ = try Configuration.parse(yaml: String(decoding: bytes, as: UTF8.self), source: "x") },
                    from: "")
            }
        }
    }

    @Test("Genotypes")
    func genotypes() throws {
        var random = RandomStream(seed: 22)
        let words = [
            "[", "]", "{", "}", ",", ":", "\"", "\\u", "\\ud800", "1e9", "-0", "99999999999999999999", "null", "true",
            "\"block31\"", "\"previous\"", "\"layers\": 1000000000, ", " ", "\u{1}",
        ]
        for design in KnownDesign.allCases {
            let json = [UInt8](try design.genotype().json())
            for _ in 0..<600 {
                let bytes = mutated(json, with: words, &random)
                expectLine(failure { _ = try Genotype(json: Data(bytes), source: "x.json") }, from: "x.json: ")
            }
        }
        let deep = Data(String(repeating: "[", count: 500_000).utf8)
        expectLine(failure { _ = try Genotype(json: deep, source: "x.json") }, from: "x.json: ")
    }

    @Test("Tensor files")
    func tensors() throws {
        var random = RandomStream(seed: 23)
        let folder = try TemporaryFolder()
        let path = folder.file("x.safetensors")
        let words = [
            "\"F64\"", "\"BOOL\"", "[", "]", "{", "}", "0", "9", "\"shape\":[0,9223372036854775807]", "__metadata__",
            "18446744073709551615", "\\", "\"", " ",
        ]
        try saveTensors(
            ["a": .ones([2, 3]), "b.c": Tensor([1, 2] as [Int64], shape: [2]), "empty": .zeros([0, 4])],
            metadata: ["k": "v"], to: path)
        let source = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        for _ in 0..<1_500 {
            var bytes = mutated(source, with: words, &random)
            // Most headers shall be read, not refused for their length alone.
            if bytes.count > 16, random.below(4) > 0 {
                let length = random.below(3) > 0 ? source.count - 8 - 40 : bytes.count - 8
                for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
            }
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            expectLine(failure { _ = try loadTensors(path) }, from: path)
        }
    }

    /// A model file's metadata and what must be said about it.
    static let models: [(key: String, value: String, line: String)] = [
        ("configuration", "{\"filters\": 1000000000}", "filters: 1000000000 is not between 1 and 1024"),
        ("configuration", "{\"stemChannels\": []}", "number of stemChannels: 0 is not between 3 and 3"),
        ("configuration", "{\"stemChannels\": [1, 2, -3]}", "stemChannels: -3 is not between 1 and 4096"),
        ("configuration", "{\"asppChannels\": 0}", "asppChannels: 0 is not between 1 and 4096"),
        ("configuration", "{\"headEpsilon\": 0}", "headEpsilon: 0.0 is not between 1e-12 and 1.0"),
        ("configuration", "{\"filters\": 1024, \"classes\": 7}", "values, where its network has "),
        ("configuration", "{\"classes\": 8}", "7 classes named, 8 meant"),
        ("configuration", "[]", "no usable `configuration`; it is no model file"),
        ("resize", "1e30", "images resized by 1e+30, where 0.0625 to 4 are possible"),
        ("resize", "\"1\"", "no usable `resize`; it is no model file"),
        ("classes", "{\"names\": [], \"palette\": []}", "classes"),
        ("genotype", "", "not valid JSON"),
    ]

    @Test("Model files that ask for what they have not")
    func models() throws {
        let instant = try InstantRun(.train)
        try instant.run("run", ["train.epochs=1"])
        let whole = instant.folder("run") + "/model.safetensors"
        _ = try Model(at: whole)
        let (tensors, metadata) = try loadTensors(whole, requiresDigest: true)
        let path = instant.folder("hostile.safetensors")
        for (key, value, line) in Self.models {
            var changed = metadata
            changed[key] = value
            changed["xxh64"] = nil
            try saveTensors(tensors, metadata: changed, to: path)
            let message = failure { _ = try Model(at: path) }
            #expect(message?.hasPrefix(path + ": ") == true && message?.contains(line) == true, "\(message ?? "read")")
        }
        // A network of numbers that are none, named with its file.
        for value in [Double.nan, .infinity, -.infinity] {
            var broken = tensors
            let name = try #require(tensors.keys.sorted().last { $0.hasSuffix("weight") })
            let tensor = try #require(tensors[name]).clone()
            tensor.narrow(0, start: tensor.size(0) - 1, length: 1).fill(value)
            broken[name] = tensor
            var plain = metadata
            plain["xxh64"] = nil
            try saveTensors(broken, metadata: plain, to: path)
            let line = failure { _ = try Model(at: path) }
            #expect(line?.hasPrefix("\(path): `\(name)` holds NaN or infinity") == true, "\(line ?? "read")")
        }
        // Keys that a file lacks have their defaults.
        var older = metadata
        let object = try JSONSerialization.jsonObject(with: Data((metadata["configuration"] ?? "").utf8))
        var settings = try #require(object as? [String: Any])
        settings["headEpsilon"] = nil
        settings["atrous"] = nil
        older["configuration"] = String(
            decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
        older["xxh64"] = nil
        try saveTensors(tensors, metadata: older, to: path)
        _ = try Model(at: path)
    }
}
