import Reporting
import SearchSpace
import TestSupport
import Testing

@Suite struct NetworkDrawingTests {
    @Test(arguments: KnownDesign.allCases) func designsAreWellFormed(design: KnownDesign) throws {
        let svg = drawGenotype(try design.genotype(), title: design.rawValue)
        let elements = try elements(of: svg)
        // 2 stem nodes, 45 nodes, the legend's, and the cell's circles behind them.
        #expect(elements.count { $0.name == "circle" && $0["r"] == "12" } == 47)
        let path = elements.filter { $0.name == "circle" && $0["r"] == "12" && $0["fill"] == "#d9580d" }
        #expect(path.count == 12)
        // The path rises and falls with the strides: y in steps of 62 a level.
        let levels = path.sorted { $0.value("cx") < $1.value("cx") }.map { Int(($0.value("cy") - 156) / 62) }
        #expect(try levels == design.genotype().path.map(\.level))
    }

    /// Columns are 60 wide and begin with the stem's at 160; rows are 62 high and begin with 4's at 124.
    ///
    /// Arcs start and end on the rims of nodes, 12 from their centres at 45 degrees.
    @Test func longSkipsAreArcs() throws {
        let genotype = Genotype(path: [.s8, .s16, .s8, .s4], cell: .published).withAllSkips
        let found = try elements(of: drawNetwork(genotype))
        #expect(found[0]["aria-label"] == "Network level: strides 8, 16, 8, 4; long skips from layer 0 to 4")
        let arcs = found.filter { $0["stroke"] == "#00805c" && $0["d"].contains("C") }
        #expect(arcs.map { $0["d"].prefix { $0 != "C" } } == ["M168.49 115.51"])
        #expect(found.contains { $0.text == "long skip at stride 4, layer 0 to 4" })
        #expect(found.count { $0.text == "long skip" } == 1)
        let plain = try elements(of: drawNetwork(genotype.withoutSkips))
        #expect(!plain.contains { $0["stroke"] == "#00805c" || $0.text == "long skip" })
    }

    @Test func gatesOfASearchAreTold() throws {
        let space = NetworkSpace(layers: 4)
        let genotype = Genotype(path: [.s8, .s16, .s8, .s4], cell: .published)
        let arrows = space.arrows.map { _ in 0.5 }
        let svg = drawGenotype(genotype, arrows: arrows, gates: space.longSkipGates.map { _ in 0.25 })
        // One that could be: layer 3 reads layer 1 at its own stride anyway.
        #expect(svg.ranges(of: "long skip at stride").count == 1)
        #expect(svg.contains("<title>long skip at stride 4, layer 0 to 4: gate 0.25</title>"))
        #expect(!svg.contains("stroke=\"#00805c\" stroke-width=\"2.4\""))
        let open = drawGenotype(
            genotype.withAllSkips, arrows: arrows, gates: space.longSkipGates.map { _ in 0.75 })
        #expect(open.contains("stroke=\"#00805c\" stroke-width=\"2.4\"") && open.contains(": gate 0.75<"))
    }

    @Test func probabilitiesAreThicknessAndColour() throws {
        let genotype = Genotype(path: [.s4], cell: .published)
        let svg = drawNetwork(genotype, arrows: [1, 0])
        #expect(svg.contains("stroke=\"#124696\" stroke-width=\"4.7\""))
        #expect(svg.contains("stroke=\"#d8dee8\" stroke-width=\"0.7\""))
        #expect(svg.contains("<title>layer 1, 4 to 8: 0</title>"))
        #expect(try elements(of: svg).count { $0.text == "ASPP" } == 2)
        #expect(try elements(of: drawNetwork(genotype)).count { $0.text == "ASPP" } == 1)
    }

    @Test func valuesThatAreNoProbabilitiesStillDraw() throws {
        let svg = drawNetwork(Genotype(path: [.s4], cell: .published), arrows: [.nan, 7])
        _ = try elements(of: svg)
        #expect(!svg.contains("nan"))
    }

    @Test func titlesAreEscapedAndFit() throws {
        let title = "a < b & \"c\" > d \u{1} " + String(repeating: "long ", count: 30)
        let svg = drawNetwork(Genotype(path: [.s8], cell: .published), title: title)
        let elements = try elements(of: svg)
        #expect(elements.contains { $0.text.hasPrefix("a < b & \"c\" > d") })
        #expect(elements[0].value("width") > 1_000)
    }

    /// Two layers: a column is 60 wide and begins with the stem's at 160, a row is 62 high and begins with 4's at 124.
    @Test func partsOfASmallNetwork() throws {
        let svg = drawNetwork(Genotype(path: [.s8, .s16], cell: .published))
        let elements = try elements(of: svg)
        #expect(elements[0]["aria-label"] == "Network level: strides 8, 16")
        // The stem's two, layer 1 at strides 4 and 8, layer 2 at 4, 8 and 16.
        let nodes = elements.filter { $0.name == "circle" && $0["r"] == "12" }
        #expect(Set(nodes.map { "\($0["cx"]) \($0["cy"])" }).count == 7 && nodes.count == 7)
        let path = nodes.filter { $0["fill"] == "#d9580d" }.map { "\($0["cx"]) \($0["cy"])" }
        #expect(path.sorted() == ["220 186", "280 248"])
        // Arrows leave a node's rim: 12 of the 86.28 between two nodes, 8.35 to the right and 8.62 down; the last one
        // goes on to the head.
        let arrows = elements.filter { $0["stroke"] == "#d9580d" && $0["stroke-width"] == "3.4" }
        #expect(
            arrows.map { $0["d"].prefix { $0 != "L" } }.sorted() == ["M168.35 132.62", "M228.35 194.62", "M292 248"])
    }
}

@Suite struct CellDrawingTests {
    private let labels = ["sep 3×3", "sep 5×5", "atr 3×3", "atr 5×5", "avg 3×3", "max 3×3", "skip", "none"]

    @Test func everyOperatorIsLabelled() throws {
        for cell in cells() {
            let texts = try elements(of: drawCell(cell)).map(\.text)
            for op in Operator.allCases {
                let wanted = cell.blocks.flatMap(\.branches).count { $0.op == op }
                #expect(texts.count { $0 == labels[op.index] } == wanted)
            }
        }
    }

    @Test func noLineRunsThroughABlockOrOnAnotherLine() throws {
        for cell in cells() {
            let elements = try elements(of: drawCell(cell))
            let bodies = elements.filter { $0.name == "rect" && $0["rx"] == "9" }
            #expect(bodies.count == cell.blocks.count)
            let lines = elements.filter { $0.name == "path" && $0["fill"] == "none" && $0["stroke-width"] == "1.8" }
            var lanes: [(x: Double, low: Double, high: Double, colour: String)] = []
            for line in lines {
                for (from, to) in line.segments where from.x == to.x && from.y != to.y {
                    lanes.append((from.x, min(from.y, to.y), max(from.y, to.y), line["stroke"]))
                }
            }
            for lane in lanes {
                for body in bodies where lane.x > body.value("x") && lane.x < body.value("x") + body.value("width") {
                    let (top, bottom) = (body.value("y"), body.value("y") + body.value("height"))
                    #expect(lane.high < top || lane.low > bottom)
                }
                for other in lanes where other.colour != lane.colour && abs(other.x - lane.x) < 6 {
                    #expect(lane.high < other.low || other.high < lane.low)
                }
            }
        }
    }

    /// The published cell, extremes, and random ones.
    private func cells() -> [Cell] {
        var state: UInt64 = 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let none = Branch(input: .previous, op: .none)
        let chain = (1...7).map { number in
            let branch = Branch(input: CellInput(index: number), op: .skip)
            return Block(first: branch, second: branch)
        }
        let randoms = (1...8).map { count in
            Cell(
                blocks: (1...count).map { number in
                    let branches = (0..<2).map { _ in
                        Branch(input: CellInput(index: random(number + 1)), op: Operator.allCases[random(8)])
                    }
                    return Block(first: branches[0], second: branches[1])
                })
        }
        return [.published, Cell(blocks: [Block(first: none, second: none)]), Cell(blocks: chain)] + randoms
    }
}

@Suite struct DecoderDrawingTests {
    @Test func decodersAreWellFormed() throws {
        for seed in 0..<50 as Range<UInt64> {
            var random = SplitMix(state: seed)
            let genotype = DecoderSpace.published.sample { random.next() }
            let found = try elements(of: drawDecoder(genotype))
            let boxes = found.filter { $0.name == "rect" && $0["rx"] == "11" }
            #expect(boxes.count == 6 + 7)
            #expect(found.count { $0.text == "+" } == 6 && found.count { $0.text == "cell" } == 6)
            // Three blocks and three nodes give a sum each; no two boxes lie on one another.
            let places = boxes.map { "\($0["x"]) \($0["y"])" }
            #expect(Set(places.prefix(6)).count == 6 && Set(places.suffix(7)).count == 7)
        }
    }

    @Test func everythingThatCountsIsConnected() throws {
        let genotype = KnownDecoder.arch0.genotype
        let found = try elements(of: drawDecoder(genotype, title: "a < b"))
        #expect(found[0]["aria-label"] == "a < b")
        // An arrow for each box, and one into the result for each loose end.
        let loose = genotype.looseMaps.count + genotype.cell.loosePositions.count
        #expect(found.count { $0.name == "path" && $0["d"].hasSuffix("Z") } == 13 + loose)
        #expect(found.contains { $0.text == "sep 5×5 r6" } && found.contains { $0.text == "global pool" })
    }
}
