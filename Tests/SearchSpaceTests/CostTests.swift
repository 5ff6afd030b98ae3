import SearchSpace
import Testing

@Suite struct CostTests {
    @Test(arguments: [
        (20, 7_030_832, 1_815_552, 1_301_043, 10_147_427),
        (32, 17_612_096, 2_706_432, 1_303_923, 21_622_451),
        (48, 39_222_656, 3_894_272, 1_307_763, 44_424_691),
    ]) func publishedParameters(filters: Int, backbone: Int, aspp: Int, decoder: Int, total: Int) throws {
        let genotype = try KnownDesign.autoDeepLab.genotype()
        let cost = Cost.of(genotype, filters: filters, classes: 19, height: 1025, width: 2049)
        #expect(cost.backbone.parameters == backbone)
        #expect(cost.aspp.parameters == aspp)
        #expect(cost.decoder.parameters == decoder)
        #expect(cost.parameters == total)
        #expect(Cost.of(genotype, filters: filters, classes: 19, height: 33, width: 47).parameters == total)
    }

    /// Counted by a separate script that walks TensorFlow's own lists of operations, inputs and levels.
    @Test(arguments: [
        (20, 317_541_632_000, 320_450_382_392, 333.25e9),
        (32, 434_985_058_304, 439_922_432_384, 460.93e9),
        (48, 653_584_883_712, 662_424_364_896, 695.03e9),
    ]) func publishedMultiplyAdds(filters: Int, even: Int, odd: Int, paper: Double) throws {
        let genotype = try KnownDesign.autoDeepLab.genotype()
        #expect(Cost.of(genotype, filters: filters, classes: 19, height: 1024, width: 2048).multiplyAdds == even)
        #expect(Cost.of(genotype, filters: filters, classes: 19, height: 1025, width: 2049).multiplyAdds == odd)
        #expect((0.038...0.069).contains(1 - Double(odd) / paper))
    }

    /// Everything worked out by hand for path 8, 4 with one block: skip of H^{l-1} plus average pool of H^{l-2}.
    @Test func tinyNetworkByHand() {
        let block = Block(
            first: Branch(input: .previous, op: .skip), second: Branch(input: .previous2, op: .averagePool3x3))
        let genotype = Genotype(path: [.s8, .s4], cell: Cell(blocks: [block]))
        let cost = Cost.of(genotype, filters: 1, classes: 2, height: 33, width: 65)
        // Maps: 17x33 at 2, 9x17 at 4, 5x9 at 8. Stem 1,728 + 36,864 + 73,728 weights and 512 for its batch norms.
        // Layer 1: 1x1 128->2 and 64->2 at 9x17, then the strided skip 2->2 at 5x9. Layer 2: 1x1 2->1 and 128->1 at 9x17.
        #expect(cost.backbone.parameters == 112_832 + (256 + 4) + (128 + 4) + (4 + 4) + (2 + 2) + (128 + 2))
        #expect(
            cost.backbone.multiplyAdds == (1_728 + 36_864) * 561 + 73_728 * 153 + (256 + 128) * 153 + 4 * 45
                + (2 + 128) * 153)
        // ASPP reads one channel at 9x17: 1x1, three 3x3, pooling on one value, 1x1 1,280->256.
        #expect(cost.aspp.parameters == 2 * (256 + 512) + 3 * (2_304 + 512) + (327_680 + 512))
        #expect(cost.aspp.multiplyAdds == (256 + 3 * 2_304 + 327_680) * 153 + 256)
        // The path leaves 4 at once: the low-level feature is the stem's 128 channels.
        #expect(cost.decoder.parameters == (6_144 + 96) + (700_416 + 512) + (589_824 + 512) + (512 + 2))
        #expect(cost.decoder.multiplyAdds == (6_144 + 700_416 + 589_824 + 512) * 153)
        #expect(cost.parameters == cost.backbone.parameters + cost.aspp.parameters + cost.decoder.parameters)
        #expect(
            cost.multiplyAdds == cost.backbone.multiplyAdds + cost.aspp.multiplyAdds + cost.decoder.multiplyAdds)
    }

    /// The heads of the network above, whose last cell has one channel at 9x17, by hand: ASPP 4, decoder 3, low level 2
    /// of 128, and 6 channels at stride 2 (17x33), 3 at stride 1 (33x65).
    @Test func otherHeadsByHand() {
        let block = Block(
            first: Branch(input: .previous, op: .skip), second: Branch(input: .previous2, op: .averagePool3x3))
        let genotype = Genotype(path: [.s8, .s4], cell: Cell(blocks: [block]))
        func cost(_ head: HeadKind, stride: Int = 4) -> Cost {
            Cost.of(
                genotype, filters: 1, classes: 2, height: 33, width: 65,
                widths: NetworkWidths(
                    aspp: 4, decoder: 3, lowLevel: 2, head: head, decoderStride: stride, fine: 6))
        }
        #expect(cost(.plain).aspp == Cost.Part())
        #expect(cost(.plain).decoder == Cost.Part(parameters: 4, multiplyAdds: 2 * 153))
        // Branches: 9 weights of the depthwise part, 4 of the pointwise one.
        let separable = cost(.separable)
        #expect(separable.aspp.parameters == 2 * (4 + 8) + 3 * (9 + 2 + 4 + 8) + (80 + 8))
        #expect(separable.aspp.multiplyAdds == (4 + 3 * 13 + 80) * 153 + 4)
        let refined = (256 + 4) + (6 * 9 + 12 + 18 + 6) + (3 * 9 + 6 + 9 + 6)
        #expect(separable.decoder.parameters == refined + (6 + 2))
        #expect(separable.decoder.multiplyAdds == (256 + 54 + 18 + 27 + 9 + 6) * 153)
        // 1x1 3->6 at 9x17, 1x1 64->6 and 3x3 12->6 at 17x33.
        let half = cost(.dense, stride: 2)
        let dense = (256 + 4) + (6 * 27 + 6) + (3 * 27 + 6)
        #expect(half.decoder.parameters == dense + (18 + 12) + (384 + 12) + (648 + 12) + (12 + 2))
        #expect(half.decoder.multiplyAdds == (256 + 162 + 81 + 18) * 153 + (384 + 648 + 12) * 561)
        // 1x1 6->3 at 17x33, 3x3 3->3 of the image and 3x3 6->3 at 33x65.
        let full = cost(.dense, stride: 1)
        #expect(
            full.decoder.parameters == half.decoder.parameters - 14 + (18 + 6) + (81 + 6) + (162 + 6) + (6 + 2))
        #expect(
            full.decoder.multiplyAdds == half.decoder.multiplyAdds - 12 * 561 + 18 * 561 + (81 + 162 + 6) * 2_145)
    }

    /// One cell at stride 4 whose only convolution is a separable atrous 5x5: F = 4 gives blocks of 4 channels.
    @Test func separableAtrousByHand() {
        let block = Block(
            first: Branch(input: .previous, op: .atrous5x5), second: Branch(input: .previous, op: .skip))
        func backbone(_ atrous: AtrousKind) -> Cost.Part {
            let genotype = Genotype(path: [.s4], cell: Cell(blocks: [block]), atrous: atrous)
            return Cost.of(genotype, filters: 4, classes: 2, height: 33, width: 65).backbone
        }
        // Depthwise 25 * 4 and pointwise 4 * 4 in place of 25 * 4 * 4; both have one batch norm. The map is 9x17.
        #expect(backbone(.dense).parameters - backbone(.separable).parameters == 400 - 116)
        #expect(backbone(.dense).multiplyAdds - backbone(.separable).multiplyAdds == (400 - 116) * 153)
    }

    @Test func countsWithinTheBoundsDoNotOverflow() throws {
        let branch = Branch(input: .previous, op: .atrous5x5)
        let block = Block(first: branch, second: branch)
        let cell = Cell(blocks: Array(repeating: block, count: Genotype.maximumBlocks))
        let zigzag = (0..<Genotype.maximumLayers).map { $0.isMultiple(of: 2) ? Stride.s8 : .s4 }
        try Cost.validate(filters: 1024, classes: 255, height: 16384, width: 16384)
        let cost = Cost.of(
            Genotype(path: zigzag, cell: cell), filters: 1024, classes: 255, height: 16384, width: 16384)
        #expect(cost.multiplyAdds > 1_000_000_000_000_000_000)
        let error = #expect(throws: SearchSpaceError.self) {
            try Cost.validate(filters: 0, classes: 19, height: 33, width: 33)
        }
        #expect(error?.description == "filters: 0 is not between 1 and 1024")
    }

    @Test func operatorsByHand() {
        func parameters(_ stride: Int, _ atrous: AtrousKind) -> [Int] {
            Operator.allCases.map { op in
                op.convolutions(channels: 4, stride: stride, atrous: atrous).reduce(0) { $0 + $1.parameters }
            }
        }
        // Separable: 2 (K*K*4 + 16 + 8); dense atrous: K*K*16 + 8; separable atrous: K*K*4 + 16 + 8.
        #expect(parameters(1, .dense) == [120, 248, 152, 408, 0, 0, 0, 0])
        #expect(parameters(2, .dense) == [120, 248, 152, 408, 0, 0, 24, 0])
        #expect(parameters(1, .separable) == [120, 248, 60, 124, 0, 0, 0, 0])
    }

    @Test func stridesAndRatesOfOperators() {
        let separable = Operator.separable5x5.convolutions(channels: 4, stride: 2)
        #expect(separable.map(\.stride) == [2, 1, 1, 1] && separable.map(\.groups) == [4, 1, 4, 1])
        #expect(separable.map(\.normalized) == [false, true, false, true])
        let keep = Operator.atrous3x3.convolutions(channels: 4, stride: 1)
        #expect(keep.map(\.dilation) == [2] && keep.map(\.stride) == [1] && keep.map(\.groups) == [1])
        // A strided atrous operator resizes first: dense, rate 1, stride 1.
        let down = Operator.atrous3x3.convolutions(channels: 4, stride: 2)
        #expect(down.map(\.dilation) == [1] && down.map(\.stride) == [1])
        #expect(Operator.skip.convolutions(channels: 4, stride: 2).map(\.stride) == [2])
    }
}

@Suite struct NetworkLayoutTests {
    @Test func publishedLayout() throws {
        let layout = NetworkLayout(try KnownDesign.autoDeepLab.genotype(), filters: 20, classes: 19)
        let cells = layout.cells
        #expect(cells.map(\.layer) == Array(1...12))
        #expect(
            cells.map(\.move) == [.keep, .keep, .keep, .down, .down, .up, .down, .keep, .down, .keep, .up, .up])
        #expect(cells.map(\.blockChannels) == [20, 20, 20, 40, 80, 40, 80, 80, 160, 160, 80, 40])
        #expect(cells.map(\.previousChannels) == [128, 100, 100, 100, 200, 400, 200, 400, 400, 800, 800, 400])
        #expect(cells.map(\.previous2Channels) == [64, 128, 100, 100, 100, 200, 400, 200, 400, 400, 800, 800])
        #expect(cells.map(\.previous2Stride) == [2, 4, 4, 4, 4, 8, 16, 8, 16, 16, 32, 32])
        #expect(cells.map(\.inputStride.rawValue) == [4, 4, 4, 4, 8, 8, 8, 16, 16, 32, 16, 8])
        let resizing = cells.filter(\.resizesPrevious).map(\.layer)
        #expect(resizing == [6, 11, 12])
        #expect(cells.filter(\.resizesPrevious2).map(\.layer) == [1, 5, 7, 8, 10, 11, 12])
        #expect(layout.decoder?.lowLevelLayer == 3 && layout.decoder?.lowLevelChannels == 100)
        #expect(layout.aspp?.rates == [12, 24, 36] && layout.aspp?.inputChannels == 200)
        #expect(cells[3].operatorStride(of: .previous) == 2 && cells[3].operatorStride(of: .previous2) == 2)
        #expect(cells[3].operatorStride(of: .block(1)) == 1 && cells[5].operatorStride(of: .previous) == 1)
    }

    @Test func secondInputIsProjectedOnlyWhereChannelsDiffer() {
        let branch = Branch(input: .previous, op: .skip)
        let cell = Cell(blocks: [Block(first: branch, second: branch)])
        func projected(_ path: [Stride], filters: Int) -> [Bool] {
            NetworkLayout(Genotype(path: path, cell: cell), filters: filters, classes: 2).cells
                .map { $0.previous2Projection != nil }
        }
        #expect(projected([.s4, .s4, .s4, .s4], filters: 8) == [true, true, false, false])
        #expect(projected([.s4, .s4, .s8, .s4], filters: 8) == [true, true, true, false])
        #expect(projected([.s4, .s4], filters: 64) == [false, true])
        #expect(projected([.s4, .s4], filters: 128) == [true, false])
    }

    @Test(arguments: [
        ([4, 4, 8, 4], 2), ([8, 4, 4, 4], 0), ([4, 4, 4, 4], 4), ([4, 8, 4, 4], 1),
    ]) func lowLevelFeatureIsTheLastLayerBeforeThePathLeavesFour(path: [Int], layer: Int) {
        let genotype = Genotype(path: path.compactMap { Stride(rawValue: $0) }, cell: .published)
        let layout = NetworkLayout(genotype, filters: 20, classes: 2)
        #expect(layout.decoder?.lowLevelLayer == layer)
        #expect(layout.decoder?.lowLevelChannels == (layer == 0 ? 128 : 100))
    }

    @Test func ratesFollowTheLastStride() {
        let rates = Stride.allCases.map { ASPPLayout(inputChannels: 1, stride: $0).rates }
        #expect(rates == [[24, 48, 72], [12, 24, 36], [6, 12, 18], [3, 6, 9]])
    }

    @Test func sizesAreRoundedUp() {
        #expect([1, 2, 4, 8, 16, 32].map { scaledSize(321, stride: $0) } == [321, 161, 81, 41, 21, 11])
        #expect(Stride.allCases.map { $0.size(of: 33) } == [9, 5, 3, 2])
    }
}
