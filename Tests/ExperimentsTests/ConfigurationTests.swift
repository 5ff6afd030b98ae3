import Configurations
import Foundation
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    @Test("The defaults are the paper's values and allowed")
    func defaults() throws {
        let configuration = try Configuration.resolve()
        #expect(configuration == Configuration())
        #expect(configuration.search.layers == 12 && configuration.search.blocks == 5)
        #expect(configuration.search.weights.learningRate == 0.025)
        #expect(configuration.train.scales == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0])
    }

    @Test("Every preset is allowed and survives being written out", arguments: Configuration.presets)
    func presets(name: String) throws {
        let configuration = try Configuration.resolve(preset: name)
        #expect(try Configuration.parse(yaml: configuration.yaml(), source: "copy") == configuration)
    }

    @Test("The presets of the design are there")
    func presetNames() {
        #expect(Configuration.presets == ["ade20k", "camvid-small", "cityscapes", "coco", "demo", "instant", "voc"])
    }

    @Test("No preset weighs classes, whose number depends on the data", arguments: Configuration.presets)
    func presetsWeighNothing(name: String) throws {
        #expect(try Configuration.resolve(preset: name).train.classWeights.isEmpty)
    }

    @Test("Cityscapes searches at half resolution and trains for 1.5 million steps")
    func cityscapes() throws {
        let configuration = try Configuration.resolve(preset: "cityscapes")
        #expect(configuration.search.resize == 0.5 && configuration.search.crop == CropSize(height: 321, width: 321))
        #expect(configuration.train.iterations == 1_500_000 && configuration.train.crop.height == 769)
    }

    @Test("A later source wins: defaults, preset, file, --set, in that order")
    func precedence() throws {
        let file = try temporaryFile("search:\n  layers: 7\n  filters: 3\n")
        defer { try? FileManager.default.removeItem(atPath: file) }
        let configuration = try Configuration.resolve(
            preset: "instant", file: file, overrides: ["search.filters=5", "search.crop=[65, 97]", "seed=3", "seed=4"])
        #expect(configuration.search.batch == 2 && configuration.search.blocks == 2)
        #expect(configuration.search.layers == 7)
        #expect(configuration.search.filters == 5)
        #expect(configuration.search.crop == CropSize(height: 65, width: 97))
        #expect(configuration.seed == 4)
        #expect(configuration.train.momentum == 0.9)
    }

    @Test("Texts that look like something else survive being written out")
    func oddTexts() throws {
        var configuration = Configuration()
        configuration.data.root = "/data: #1/\"ü\"\\x\ty"
        configuration.data.classes.names = ["no", "null", "1", "a, b", "[c]", "*d", "", "é"].filter { !$0.isEmpty }
        configuration.data.labels.map = [3: 1, 11: 255, 0: 0]
        configuration.checkpoint.every = .minutes(2.5)
        configuration.search.weights.weightDecay = 1e-17
        #expect(try Configuration.parse(yaml: configuration.yaml(), source: "copy") == configuration)
    }

    @Test("A group with nothing in it changes nothing")
    func emptyGroup() throws {
        #expect(try Configuration.parse(yaml: "search:\n  # layers: 3\n", source: "f") == Configuration())
        #expect(try Configuration.parse(yaml: "", source: "f") == Configuration())
        #expect(try Configuration.parse(yaml: "# nothing\n", source: "f") == Configuration())
    }

    @Test(
        "The checkpoint interval's three forms",
        arguments: [
            ("epoch", CheckpointInterval.epoch), ("500 steps", .steps(500)), ("10min", .minutes(10)),
            ("1 step", .steps(1)),
        ])
    func intervals(text: String, interval: CheckpointInterval) throws {
        #expect(try Configuration.resolve(overrides: ["checkpoint.every=\(text)"]).checkpoint.every == interval)
    }

    /// Each leaf of the encoded configuration must be a key of the files and the other way round.
    @Test("Every property has a key in files, and every key its property")
    func keysMatchProperties() throws {
        let encoded = try JSONSerialization.jsonObject(with: JSONEncoder().encode(Configuration()))
        let properties = leaves(of: encoded, prefix: "")
        #expect(properties.count > 60)
        let written = Configuration().yaml()
        for key in properties {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.resolve(overrides: ["\(key)={wrong: kind}"])
            }
            #expect(error?.reason == .wrongType, "\(key) is not a key of files")
        }
        let writtenKeys = written.split(separator: "\n").filter { !$0.hasSuffix(":") }.count
        #expect(writtenKeys == properties.count)
    }

    private func leaves(of object: Any, prefix: String) -> [String] {
        guard let mapping = object as? [String: Any], !mapping.isEmpty else { return [String(prefix.dropLast())] }
        return mapping.flatMap { leaves(of: $0.value, prefix: prefix + $0.key + ".") }
    }
}

/// Writes a text to a new temporary file; its path.
func temporaryFile(_ text: String) throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("adl-\(UUID().uuidString).yaml").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
}
