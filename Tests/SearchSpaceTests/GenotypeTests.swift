import Foundation
import SearchSpace
import TestSupport
import Testing

private let publishedFile = """
    {"version": 1, "layers": 12, "blocks": 5,
     "path": [4, 4, 4, 8, 16, 8, 16, 16, 32, 32, 16, 8],
     "cell": [[["previous2", "atrous5x5"], ["previous", "separable3x3"]],
              [["previous2", "separable3x3"], ["previous", "atrous3x3"]],
              [["block2", "separable3x3"], ["previous2", "separable3x3"]],
              [["block3", "separable5x5"], ["block1", "separable5x5"]],
              [["block2", "separable5x5"], ["block4", "atrous5x5"]]]}

    """

private func small(
    version: String = "1", layers: String = "2", blocks: String = "2", path: String = "[4, 8]",
    cell: String = "[[[\"previous\",\"skip\"],[\"previous2\",\"none\"]],[[\"block1\",\"skip\"],[\"block1\",\"skip\"]]]",
    more: String = ""
) -> String {
    "{\"version\": \(version), \"layers\": \(layers), \"blocks\": \(blocks), \"path\": \(path), "
        + "\"cell\": \(cell)\(more)}"
}

private func read(_ text: String) throws -> Genotype { try Genotype(json: Data(text.utf8), source: "g.json") }

@Suite struct GenotypeTests {
    @Test func fileIsWrittenAsDesigned() throws {
        let genotype = try KnownDesign.autoDeepLab.genotype()
        #expect(String(decoding: genotype.json(), as: UTF8.self) == publishedFile)
        #expect(try read(publishedFile) == genotype)
    }

    @Test func publishedCellEqualsTensorFlowLists() throws {
        // nas_network.py's hnasnet, with 0 = H^{l-1}, 1 = H^{l-2}, 2.. = blocks.
        let operators: [SearchSpace.Operator] = [
            .atrous5x5, .separable3x3, .separable3x3, .atrous3x3, .separable3x3, .separable3x3, .separable5x5,
            .separable5x5, .separable5x5, .atrous5x5,
        ]
        let branches = Cell.published.blocks.flatMap(\.branches)
        #expect(branches.map(\.op) == operators)
        #expect(branches.map(\.input.index) == [1, 0, 1, 0, 3, 1, 4, 2, 3, 5])
        #expect(try KnownDesign.autoDeepLab.genotype().path.map(\.level) == [0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1])
    }

    @Test func everyOperatorKeepsItsInput() throws {
        var generator = SplitMix(state: 11)
        for _ in 0..<50 {
            let blocks = (1...6).map { number in
                let branches = (0..<2).map { _ in
                    Branch(
                        input: CellInput(index: Int.random(in: 0...number, using: &generator)),
                        op: Operator.allCases.randomElement(using: &generator) ?? .skip)
                }
                return Block(first: branches[0], second: branches[1])
            }
            let path = allPaths(layers: 5).randomElement(using: &generator) ?? []
            let atrous = AtrousKind.allCases.randomElement(using: &generator) ?? .dense
            let genotype = Genotype(path: path, cell: Cell(blocks: blocks), atrous: atrous)
            #expect(try Genotype(json: genotype.json(), source: "memory") == genotype)
            let coded = try JSONEncoder().encode(genotype)
            #expect(try JSONDecoder().decode(Genotype.self, from: coded) == genotype)
            #expect(try Genotype(json: coded, source: "memory") == genotype)
        }
    }

    @Test func theFormOfAtrousOperatorsIsOptional() throws {
        #expect(try read(small()).atrous == .dense)
        #expect(try read(small(more: ", \"atrous\": \"dense\"")) == read(small()))
        let separable = try read(small(more: ", \"atrous\": \"separable\""))
        let dense = try read(small())
        #expect(separable.atrous == .separable && separable != dense)
        let text = String(decoding: separable.json(), as: UTF8.self)
        #expect(text.hasPrefix("{\"version\": 1, \"layers\": 2, \"blocks\": 2, \"atrous\": \"separable\",\n"))
    }

    @Test(arguments: StemKind.allCases) func theStemIsOptional(stem: StemKind) throws {
        #expect(try read(small()).stem == .paper)
        let genotype = try read(small(more: ", \"stem\": \"\(stem.rawValue)\""))
        #expect(genotype == (try read(small()).on(stem)) && genotype.stem == stem)
        #expect((genotype == (try read(small()))) == (stem == .paper))
        let text = String(decoding: genotype.json(), as: UTF8.self)
        let head = stem == .paper ? "" : " \"stem\": \"\(stem.rawValue)\","
        #expect(text.hasPrefix("{\"version\": 1, \"layers\": 2, \"blocks\": 2,\(head)\n"))
        #expect(try read(text) == genotype)
        let coded = try JSONEncoder().encode(genotype)
        #expect(try JSONDecoder().decode(Genotype.self, from: coded) == genotype)
        #expect(String(decoding: coded, as: UTF8.self).contains("stem") == (stem != .paper))
        #expect(StemKind(rawValue: stem.rawValue) == stem)
        #expect(genotype.withAllSkips.stem == stem && genotype.withoutSkips.stem == stem)
        #expect(genotype.mutants(.stride).allSatisfy { $0.stem == stem })
        let sampler = try GenotypeSampler(layers: 3, blocks: 2, stem: stem)
        var random = SplitMix(state: 3)
        #expect(sampler.genotype { random.next() }.stem == stem)
        #expect(try GenotypeChoices(layers: 1, blocks: 1, stem: stem).genotype([0, 0, 1, 0, 0]).stem == stem)
    }

    @Test func stemsBeforeNetworks() throws {
        let split = try StemKind.split("mobilenet-v2@4+a+b")
        #expect(split?.stem == .encoder(.mobileNetV2) && split?.network == "a+b")
        for plain in ["mobilenet-v2+light", "deeplabv3:8", "a@4+b", "mobilenet-v2@4", "paper+deeplabv3"] {
            #expect(try StemKind.split(plain) == nil, "\(plain)")
        }
        let error = #expect(throws: SearchSpaceError.self) { try StemKind.split("mobilenet-v2@8+deeplabv3") }
        #expect(
            error?.description
                == "stem: 'mobilenet-v2@8' is not paper, efficientnet-lite0@4, efficientnet-lite1@4, efficientnet-lite2@4 or "
                + "mobilenet-v2@4")
    }

    @Test func equalInputsOfABlockAreAllowed() throws {
        let genotype = try read(small())
        #expect(genotype.cell.blocks[1].first == genotype.cell.blocks[1].second)
        #expect(genotype.layers == 2 && genotype.blocks == 2 && genotype.moves == [.keep, .down])
    }

    @Test(arguments: [
        (small(more: ", \"paths\": 1"), "g.json: 'paths': unknown key; did you mean 'path'?"),
        (small(more: ", \"path\": [4]"), "g.json: line 1: not valid JSON: the key 'path' is repeated"),
        (small(more: ", \"atrous\": \"sparse\""), "g.json: atrous: 'sparse' is not dense or separable"),
        (
            small(more: ", \"stem\": \"efficientnet-lite0\""),
            "g.json: stem: 'efficientnet-lite0' is not paper, efficientnet-lite0@4, efficientnet-lite1@4, "
                + "efficientnet-lite2@4 or mobilenet-v2@4"
        ),
        (small(more: ", \"stem\": 4"), "g.json: stem: expected a text, found the number 4"),
        (small(more: ", \"atrous\": null"), "g.json: atrous: expected a text, found null"),
        (small(version: "2"), "g.json: version: 2 is not supported; this program reads version 1"),
        (small(version: "true"), "g.json: version: expected a whole number, found true"),
        (small(layers: "2.0"), "g.json: layers: expected a whole number, found the number 2.0"),
        (small(layers: "3"), "g.json: path: 2 strides, but 'layers' says 3"),
        (small(blocks: "1"), "g.json: cell: 2 blocks, but 'blocks' says 1"),
        (small(layers: "0", path: "[]"), "g.json: layers: 0 is not between 1 and 256"),
        (small(blocks: "33"), "g.json: blocks: 33 is not between 1 and 32"),
        (small(path: "[4, 5]"), "g.json: path[1]: 5 is not 4, 8, 16 or 32"),
        (small(path: "[8, 32]"), "g.json: path[1]: 32 after 8 moves more than one level; use 4, 8 or 16"),
        (
            small(path: "[16, 16]"),
            "g.json: path[0]: 16 after the stem, which is at 4, moves more than one level; use 4 or 8"
        ),
        (small(path: "[4, \"8\"]"), "g.json: path[1]: expected a whole number, found the text '8'"),
        (
            small(blocks: "1", cell: "[[[\"previous\",\"seperable3x3\"],[\"previous\",\"skip\"]]]"),
            "g.json: cell[0][0][1]: unknown operator 'seperable3x3'; did you mean 'separable3x3'?"
        ),
        (
            small(blocks: "1", cell: "[[[\"skip\",\"previous\"],[\"previous\",\"skip\"]]]"),
            "g.json: cell[0][0][0]: unknown input 'skip'; did you mean 'block1'?"
        ),
        (
            small(blocks: "1", cell: "[[[\"previous\",\"skip\"],[\"block1\",\"skip\"]]]"),
            "g.json: cell[0][1]: block 1 cannot read block1; use previous or previous2"
        ),
        (
            small(blocks: "1", cell: "[[[\"previous\",\"skip\"]]]"),
            "g.json: cell[0]: 1 branches, but there must be 2"
        ),
        (
            small(blocks: "1", cell: "[[[\"previous\"],[\"previous\",\"skip\"]]]"),
            "g.json: cell[0][0]: a branch is [input, operator], but 1 names are here"
        ),
        ("{\"version\": 1}", "g.json: layers: the key is missing"),
        ("[]", "g.json: the file: expected an object, found a list"),
        ("", "g.json: line 1: not valid JSON: the text ends too early"),
        ("{\n\"version\": 1,\n}", "g.json: line 3: not valid JSON: expected a key in double quotes"),
        (small() + "x", "g.json: line 1: not valid JSON: unexpected text after the end of the JSON value"),
        (
            String(repeating: "[", count: 100_000),
            "g.json: line 1: not valid JSON: nested deeper than 16 levels"
        ),
    ]) func malformedFilesAreNamed(text: String, message: String) {
        let error = #expect(throws: SearchSpaceError.self) { try read(text) }
        #expect(error?.description == message)
    }

    @Test func escapesAreRead() throws {
        let escaped = small().replacingOccurrences(of: "\"skip\"", with: "\"s\\u006Bip\"")
        #expect(try read(escaped) == read(small()))
        for broken in ["\\u-06B", "\\uD800", "\\x", "\\u00"] {
            let text = small().replacingOccurrences(of: "\"skip\"", with: "\"s\(broken)\"")
            #expect(throws: SearchSpaceError.self) { try read(text) }
        }
    }

    @Test func sizeIsBounded() {
        let error = #expect(throws: SearchSpaceError.self) {
            try Genotype(json: Data(count: Genotype.maximumBytes + 1), source: "big")
        }
        #expect(error?.description == "big: 1048577 bytes are more than a genotype file may have (1048576)")
    }

    @Test func truncatedFilesNeverPass() {
        let bytes = Data(publishedFile.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
        for count in 0..<bytes.count {
            #expect(throws: SearchSpaceError.self) { try Genotype(json: bytes.prefix(count), source: "cut") }
        }
    }

    @Test func codableIsAsStrict() {
        let text = small(path: "[4, 32]")
        #expect(throws: SearchSpaceError.self) { try JSONDecoder().decode(Genotype.self, from: Data(text.utf8)) }
        let unknown = small(more: ", \"x\": 1")
        #expect(throws: SearchSpaceError.self) { try JSONDecoder().decode(Genotype.self, from: Data(unknown.utf8)) }
    }
}

@Suite struct KnownDesignTests {
    @Test func pathsOfTwelveLayers() throws {
        func path(_ design: KnownDesign) throws -> [Int] { try design.genotype(layers: 12).path.map(\.rawValue) }
        #expect(try path(.deeplabv3) == [4, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16])
        #expect(try path(.convDeconv) == [4, 8, 16, 32, 32, 32, 32, 32, 32, 16, 8, 4])
        #expect(try path(.stackedHourglass) == [8, 16, 32, 16, 8, 4, 8, 16, 32, 16, 8, 4])
    }

    @Test(arguments: KnownDesign.allCases) func everyAllowedDepthIsValid(design: KnownDesign) throws {
        for layers in 1...40 {
            let makesSense = design == .autoDeepLab ? layers == 12 : layers >= design.minimumLayers
            if makesSense {
                let genotype = try design.genotype(layers: layers)
                try genotype.validate()
                #expect(genotype.layers == layers && genotype.cell == .published)
            } else {
                #expect(throws: SearchSpaceError.self) { try design.genotype(layers: layers) }
            }
        }
    }

    @Test func smallHourglassesAreShallower() throws {
        let four = try KnownDesign.stackedHourglass.genotype(layers: 4).path.map(\.rawValue)
        #expect(four == [8, 4, 8, 4])
        let nine = try KnownDesign.stackedHourglass.genotype(layers: 9).path.map(\.rawValue)
        #expect(nine == [4, 8, 16, 8, 4, 8, 16, 8, 4])
    }

    @Test func errorsSayWhatToDo() {
        let depth = #expect(throws: SearchSpaceError.self) { try KnownDesign.convDeconv.genotype(layers: 6) }
        #expect(depth?.description == "conv-deconv: layers: the design has 7 to 256 layers, not 6")
        let name = #expect(throws: SearchSpaceError.self) { try KnownDesign.named("autodeeplab") }
        #expect(name?.description == "unknown design 'autodeeplab'; did you mean 'auto-deeplab'?")
    }
}
