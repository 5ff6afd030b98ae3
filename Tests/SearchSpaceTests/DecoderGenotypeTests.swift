import Foundation
import SearchSpace
import TestSupport
import Testing

private let arch0 = """
    {"version": 1, "kind": "decoder",
     "blocks": [[3, 3], [3, 2], [3, 0]],
     "node0": "separable5x5Rate6",
     "nodes": [[[0, "conv3x3Rate3"], [0, "separable3x3"]],
               [[0, "separable5x5Rate6"], [2, "separable5x5Rate6"]],
               [[0, "conv3x3"], [5, "globalPool"]]]}

    """

@Suite("Genotypes of decoders")
struct DecoderGenotypeTests {
    private func read(_ text: String) throws -> DecoderGenotype {
        try DecoderGenotype(json: Data(text.utf8), source: "d.json")
    }

    @Test func fileIsWrittenAsDesigned() throws {
        let genotype = KnownDecoder.arch0.genotype
        #expect(String(decoding: genotype.json(), as: UTF8.self) == arch0)
        #expect(try read(arch0) == genotype)
        var bits = SplitMix(state: 2)
        for _ in 0..<100 {
            let genotype = DecoderSpace.published.sample { bits.next() }
            #expect(try DecoderGenotype(json: genotype.json(), source: "memory") == genotype)
            #expect(try DecoderGenotype.named(genotype.name) == genotype)
        }
    }

    @Test(arguments: [
        (#""version": 1"#, #""version": 2"#, "version: 2 is not supported; this program reads version 1"),
        (#""kind": "decoder""#, #""kind": "cell""#, "kind: 'cell' is not 'decoder'"),
        (#""kind": "decoder","#, "", "kind: the key is missing"),
        (#""node0""#, #""node1""#, "'node1': unknown key; did you mean 'node0'?"),
        ("[3, 3], ", "", "blocks: 2 blocks, but a decoder has 3"),
        ("[3, 3]", "[3]", "blocks[0]: 1 maps, but there must be 2"),
        (
            "[3, 3]", "[3, 4]",
            "blocks[0][1]: there is no map 4; use 0 to 3 for the encoder's at strides 4, 8, 16 and 32"
        ),
        (
            "[3, 0]", "[-1, 0]",
            "blocks[2][0]: there is no map -1; use 0 to 3 for the encoder's at strides 4, 8, 16 and 32, or 4 to 5 for "
                + "blocks before it"
        ),
        ("[3, 3]", "[3, 1.0]", "blocks[0][1]: expected a whole number, found the number 1.0"),
        (
            #"[2, "separable5x5Rate6"]"#, #"[5, "separable5x5Rate6"]"#,
            "nodes[1][1][0]: there is no position 5 in front of node 2; use 0 to 4"
        ),
        (
            #"[0, "conv3x3"]"#, #"[0, "conv3X3"]"#,
            "nodes[2][0][1]: unknown operation 'conv3X3'; did you mean 'conv3x3'?"
        ),
        (
            #"[0, "conv3x3"]"#, #"[0, "conv3x3", 1]"#,
            "nodes[2][0]: a branch is [position, operation], but 3 values are here"
        ),
        (#"[0, "conv3x3"], "#, "", "nodes[2]: 1 branches, but there must be 2"),
        ("[[3, 3]", "[[3, 3]]]", "line 2: not valid JSON: expected '}'"),
    ]) func faultsAreNamed(part: String, changed: String, message: String) throws {
        let found = try #require(arch0.range(of: part))
        let text = arch0.replacingCharacters(in: found, with: changed)
        let error = #expect(throws: SearchSpaceError.self) { try read(text) }
        #expect(error?.description == "d.json: " + message)
    }

    @Test func damagedFilesAreRefusedInOneLine() {
        var random = SplitMix(state: 17)
        let alphabet = Array("0123456789-.,:[]{}\"\\abkn \u{0}\u{7f}".utf8)
        for _ in 0..<4_000 {
            var bytes = Array(arch0.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = alphabet.randomElement(using: &random) ?? 0
                default: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                }
            }
            do {
                let genotype = try DecoderGenotype(json: Data(bytes), source: "d.json")
                try genotype.validate()
            } catch {
                #expect("\(error)".hasPrefix("d.json: ") && !"\(error)".contains { $0.isNewline })
            }
        }
    }

    @Test func kindsOfGenotypesAreToldApart() throws {
        let network = try KnownDesign.autoDeepLab.genotype().json()
        let wrong = #expect(throws: SearchSpaceError.self) { try DecoderGenotype(json: network, source: "g.json") }
        #expect(
            wrong?.description == "g.json: this is no decoder's genotype but a network's, which has no encoder")
        let other = #expect(throws: SearchSpaceError.self) { try Genotype(json: Data(arch0.utf8), source: "d.json") }
        #expect(
            other?.description
                == "d.json: kind: this is no network's genotype but a decoder's, which goes with an encoder")
        let large = Data(repeating: UInt8(ascii: " "), count: Genotype.maximumBytes + 1)
        #expect(throws: SearchSpaceError.self) { try DecoderGenotype(json: large, source: "d.json") }
    }

    @Test func namesAreOfKnownDecodersOrNumbers() throws {
        #expect(KnownDecoder.allCases.map(\.genotype.name) == ["nekrasov:arch0", "nekrasov:arch1", "nekrasov:arch2"])
        #expect(
            try DecoderGenotype.named("nekrasov:8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0") == KnownDecoder.arch0.genotype)
        #expect(try DecoderGenotype.named("unet") == nil)
        for (name, message) in [
            ("arch3", "unknown decoder 'nekrasov:arch3'"), ("", "unknown decoder"),
            ("8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2", "unknown decoder"),
            ("08-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0", "unknown decoder"),
            ("+8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0", "unknown decoder"),
            ("11-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0", "node0: there is no operation 11; use 0 to 10"),
            ("8-2.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.0", "nodes[0][0][0]: there is no position 2"),
            ("8-0.0.5.2-0.2.8.8-0.5.1.4-3.3-3.2-3.6", "blocks[2][1]: there is no map 6"),
        ] {
            let error = #expect(throws: SearchSpaceError.self) { try DecoderGenotype.named("nekrasov:" + name) }
            #expect(error?.description.contains(message) == true, "\(name): \(error?.description ?? "")")
        }
    }
}
