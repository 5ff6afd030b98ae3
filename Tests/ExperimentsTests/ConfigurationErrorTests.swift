import Configurations
import Foundation
import Testing

@Suite("Configuration errors")
struct ConfigurationErrorTests {
    /// A faulty text and the one line it must give.
    static let faults: [(String, ConfigurationError.Reason, String)] = [
        (
            "search:\n  layrs: 12\n", .unknownKey,
            "my.yaml:2: unknown key 'search.layrs'; did you mean 'search.layers'?"
        ),
        ("serch:\n  layers: 12\n", .unknownKey, "my.yaml:1: unknown key 'serch'; did you mean 'search'?"),
        ("Seed: 3\n", .unknownKey, "my.yaml:1: unknown key 'Seed'; did you mean 'seed'?"),
        (
            "\n\nsearch:\n  layers: many\n", .wrongType,
            "my.yaml:4: search.layers: 'many' is not of the kind that belongs here; expected a whole number from 2 to 64"
        ),
        (
            "search:\n  layers: 0\n", .outOfRange,
            "my.yaml:2: search.layers: '0' is out of range; expected a whole number from 2 to 64"
        ),
        (
            "search:\n  crop: [321]\n", .wrongType,
            "my.yaml:2: search.crop: ['321'] is not of the kind that belongs here; "
                + "expected [height, width], each from 33 to 8192"
        ),
        (
            "search:\n  crop: [321, 32]\n", .outOfRange,
            "my.yaml:2: search.crop: ['321', '32'] is out of range; expected [height, width], each from 33 to 8192"
        ),
        (
            "search: {cells: perCell}\n", .wrongType,
            "my.yaml:1: search.cells: 'perCell' is not of the kind that belongs here; expected perNode or perArrow"
        ),
        (
            "search:\n  flip: yes\n", .wrongType,
            "my.yaml:2: search.flip: 'yes' is not of the kind that belongs here; expected true or false"
        ),
        (
            "search:\n  layers: \"12\"\n", .wrongType,
            "my.yaml:2: search.layers: '12' is not of the kind that belongs here; expected a whole number from 2 to 64"
        ),
        (
            "train:\n  learningRate: nan\n", .wrongType,
            "my.yaml:2: train.learningRate: 'nan' is not of the kind that belongs here; expected a number from 0.0 to 10.0"
        ),
        (
            "train:\n  scales: [1, 99]\n", .outOfRange,
            "my.yaml:2: train.scales: ['1', '99'] is out of range; expected a list of 1 to 64 numbers from 0.1 to 8.0"
        ),
        (
            "search: 3\n", .wrongType, "my.yaml:1: search: '3' where a mapping of keys belongs"
        ),
        ("- a\n- b\n", .wrongType, "my.yaml:1: the file: ['a', 'b'] where a mapping of keys belongs"),
        ("seed: 1\nseed: 2\n", .malformed, "my.yaml:1: not valid YAML: the key 'seed' stands there twice"),
        ("\"a\\nb\": 1\n\"a\\nb\": 2\n", .malformed, "my.yaml:1: not valid YAML: the key 'a b' stands there twice"),
        ("\"a\\nb\": 1\n", .unknownKey, "my.yaml:1: unknown key 'a b'; did you mean 'card'?"),
        (
            "device: \"a\\r\\nb\"\n", .wrongType,
            "my.yaml:1: device: 'a b' is not of the kind that belongs here; expected auto, cpu, cuda or mps"
        ),
        (
            "seed: 1\nsearch: [\n", .malformed,
            "my.yaml:3: not valid YAML: did not find expected node content"
        ),
        (
            "train:\n\tepochs: 1\n", .malformed,
            "my.yaml:2: not valid YAML: found character that cannot start any token (indent by spaces, not by tabs)"
        ),
        (
            "output: @a\n", .malformed, "my.yaml:1: not valid YAML: found character that cannot start any token"
        ),
        ("seed: 1\n---\nseed: 2\n", .malformed, "my.yaml:2: not valid YAML: but found another document"),
        (
            "search:\n  epochs: 10\n", .contradiction,
            "search.architectureFrom: 20 must be less than search.epochs, 10, or alpha and beta are never trained"
        ),
        (
            "train: {epochs: 0}\n", .contradiction, "train.epochs and train.iterations are both 0: give one of them"
        ),
        (
            "data: {classes: {file: a.txt, names: [b]}}\n", .contradiction,
            "data.classes.file and data.classes.names are both given: give one of them"
        ),
        (
            "data: {classes: {known: voc, names: [b]}}\n", .contradiction,
            "data.classes.known is voc, and file or names are given too: give one of them"
        ),
        (
            "data:\n  masks: rgb\n", .wrongType,
            "my.yaml:2: data.masks: 'rgb' is not of the kind that belongs here; "
                + "expected auto, indices, colors, binary or threshold"
        ),
        (
            "data:\n  labels: {map: {70000: 1}}\n", .outOfRange,
            "my.yaml:2: data.labels.map: a mapping is out of range; "
                + "expected {label: class}, labels from 0 to 65535, classes to 255"
        ),
        (
            "train:\n  augment:\n    hue: 0.7\n", .outOfRange,
            "my.yaml:3: train.augment.hue: '0.7' is out of range; expected a number from 0.0 to 0.5"
        ),
        (
            "data: {classes: {names: [b, b]}}\n", .contradiction,
            "data.classes.names: a name is empty or stands there twice"
        ),
        (
            "data:\n  channels: 33\n", .outOfRange,
            "my.yaml:2: data.channels: '33' is out of range; expected a whole number from 1 to 32"
        ),
        (
            "data:\n  shown: [0, 1]\n", .outOfRange,
            "my.yaml:2: data.shown: ['0', '1'] is out of range; expected [], or one or three channels from 0 to 31"
        ),
        (
            "data: {channels: 4, shown: [0, 1, 4]}\n", .contradiction,
            "data.shown: [0, 1, 4], where data.channels is 4: count channels from 0"
        ),
        (
            "data: {channels: 4}\ntrain: {encoder: efficientnet-lite0}\n", .contradiction,
            "train.encoder: efficientnet-lite0 has learnt from 3 channels, and data.channels is 4: set train.encoderWeights "
                + "to none, which trains it from scratch"
        ),
        (
            "data: {channels: 1}\nsearch: {augment: {hue: 0.1}}\n", .contradiction,
            "search.augment.hue: 0.1, which images without colours (data.channels is 1) do not have: set it to 0"
        ),
    ]

    @Test("Each fault gives one line with place, key, value and what is allowed", arguments: faults)
    func line(text: String, reason: ConfigurationError.Reason, message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.parse(yaml: text, source: "my.yaml")
        }
        #expect(error?.description == message)
        #expect(error?.reason == reason)
        #expect(error?.isUsage == false)
    }

    @Test(
        "A faulty --set names itself and is a fault of usage",
        arguments: [
            ("search.layrs=3", "'search.layrs=3': unknown key 'search.layrs'; did you mean 'search.layers'?"),
            ("search.layers", "'search.layers': expected key=value, as in search.epochs=10"),
            ("=3", "'=3': expected key=value, as in search.epochs=10"),
            (
                "search.layers=0",
                "'search.layers=0': search.layers: '0' is out of range; expected a whole number from 2 to 64"
            ),
            ("search.crop=[1", "'search.crop=[1': not valid YAML: did not find expected ',' or ']'"),
            (
                "search=3", "'search=3': search: '3' where a mapping of keys belongs"
            ),
        ])
    func override(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.resolve(overrides: [text]) }
        #expect(error?.description == message)
        #expect(error?.isUsage == true)
    }

    @Test("An unknown preset names the known ones")
    func preset() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.resolve(preset: "citscapes") }
        #expect(
            error?.description == "unknown preset 'citscapes'; did you mean 'cityscapes'? "
                + "(presets: ade20k, camvid-small, cityscapes, coco, demo, instant, voc)")
        #expect(error?.isUsage == true)
    }

    @Test("Files that are not there, are folders or are not text")
    func unreadable() throws {
        let absent = #expect(throws: ConfigurationError.self) { try Configuration.resolve(file: "/no/such.yaml") }
        #expect(absent?.description == "/no/such.yaml: there is no such file")
        #expect(absent?.reason == .unreadable)
        let folder = #expect(throws: ConfigurationError.self) { try Configuration.resolve(file: "/") }
        #expect(folder?.description == "/: is a folder, not a file")
        let path = try temporaryFile("")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
        let bytes = #expect(throws: ConfigurationError.self) { try Configuration.resolve(file: path) }
        #expect(bytes?.description == "\(path): is not UTF-8 text")
    }

    @Test("Size, depth and expansion are bounded")
    func bounds() throws {
        let bomb = (1...9).reduce("a0: &a0 [x, x]\n") { text, level in
            text + "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n"
        }
        let texts = [
            bomb,
            "seed: " + String(repeating: "[", count: 100_000),
            String(repeating: "- ", count: 100_000) + "a\n",
            String(repeating: "? ", count: 100_000) + "a\n",
            (0..<1_000).map { String(repeating: " ", count: $0) + "a:\n" }.joined(),
            String(repeating: "# comment\n", count: 200_000),
        ]
        for text in texts {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.parse(yaml: text, source: "my.yaml")
            }
            #expect(error?.reason == .malformed, "\(error?.description ?? "")")
        }
        let path = try temporaryFile(String(repeating: "# comment\n", count: 200_000))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: ConfigurationError.self) { try Configuration.resolve(file: path) }
        #expect(error?.description == "\(path): larger than 1000000 bytes")
    }

    @Test("Damaged texts give an error or a configuration, never a crash")
    func mutations() throws {
        let original = Array(try Configuration.text(ofPreset: "cityscapes").utf8)
        var state: UInt64 = 20_190_618
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let signs = Array("[]{}&*:-?\"'|>%@\0\n\t ".utf8)
        for _ in 0..<500 {
            var bytes = original
            for _ in 0..<(1 + random(8)) {
                switch random(3) {
                case 0: bytes[random(bytes.count)] = UInt8(random(256))
                case 1: bytes.remove(at: random(bytes.count))
                default: bytes.insert(signs[random(signs.count)], at: random(bytes.count))
                }
            }
            do {
                _ = try Configuration.parse(yaml: String(decoding: bytes, as: UTF8.self), source: "my.yaml")
            } catch {
                #expect(!error.description.contains("\n"))
            }
        }
    }
}
