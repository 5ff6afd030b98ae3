import SearchSpace
import Testing

@Suite struct NetworkSpaceTests {
    let space = NetworkSpace()

    @Test func twelveLayersGivePublishedSizes() {
        #expect(space.nodes.count == 45)
        #expect(space.arrows.count == 105)
        #expect(space.groups.count == 42)
        let byLayer = (1...12).map { layer in space.arrows.filter { $0.target.layer == layer }.count }
        #expect(byLayer == [2, 5, 8] + Array(repeating: 10, count: 9))
        #expect(space.strides(inLayer: 0) == [.s4])
        #expect(space.strides(inLayer: 2) == [.s4, .s8, .s16])
    }

    @Test func arrowsAreNumberedByLayerTargetAndSource() {
        let keys = space.arrows.map { arrow in
            (arrow.target.layer * 100 + arrow.target.stride.rawValue) * 100 + arrow.source.stride.rawValue
        }
        #expect(keys == keys.sorted() && Set(keys).count == keys.count)
        #expect(space.arrows.map(\.index) == Array(0..<105))
        let second = space.arrows[2..<7].map { [$0.source.stride.rawValue, $0.target.stride.rawValue] }
        #expect(second == [[4, 4], [8, 4], [4, 8], [8, 8], [8, 16]])
        #expect(space.arrows[2..<7].map(\.move) == [.keep, .up, .down, .keep, .down])
    }

    @Test func groupsHoldEveryArrowOnceInOrder() {
        #expect(Set(space.groups.flatMap { $0.arrows.map(\.index) }) == Set(0..<105))
        #expect(space.groups.allSatisfy { group in group.arrows.allSatisfy { $0.source == group.source } })
        let sources = space.groups.map { $0.source.layer * 100 + $0.source.stride.rawValue }
        #expect(sources == sources.sorted() && sources.first == 4)
        for group in space.groups {
            let atBorder = group.source.stride == .s4 || group.source.stride == .s32
            #expect(group.arrows.count == (atBorder ? 2 : 3))
            #expect(group.arrows.map(\.target.stride) == group.arrows.map(\.target.stride).sorted())
            #expect(space.arrows(from: group.source) == group.arrows)
        }
        #expect(space.arrows(from: Node(layer: 12, stride: .s8)).isEmpty)
        #expect(space.arrows(into: Node(layer: 5, stride: .s8)).map(\.move) == [.down, .keep, .up])
    }

    @Test func sevenCornersTakeTheNearestResolution() {
        let corners = space.nodes.filter { space.secondInput(of: $0).factor != 1 }
        let found = corners.map { node -> [Int] in
            let input = space.secondInput(of: node)
            return [node.stride.rawValue, node.layer, input.layer, input.stride, input.factor]
        }
        #expect(
            found == [
                [4, 1, -1, 2, 2], [8, 1, -1, 2, 4], [8, 2, 0, 4, 2], [16, 2, 0, 4, 4], [16, 3, 1, 8, 2],
                [32, 3, 1, 8, 4], [32, 4, 2, 16, 2],
            ])
        #expect(space.secondInput(of: Node(layer: 7, stride: .s16)) == SecondInput(layer: 5, stride: 16, factor: 1))
        #expect(space.secondInput(of: Node(layer: 2, stride: .s4)) == SecondInput(layer: 0, stride: 4, factor: 1))
    }

    @Test func pathsHaveTheirArrows() throws {
        let path = try KnownDesign.autoDeepLab.genotype().path
        let arrows = space.arrows(along: path)
        #expect(arrows.map(\.target.stride) == path && arrows.map(\.target.layer) == Array(1...12))
        #expect(arrows[0].source == Node(layer: 0, stride: .s4))
    }

    @Test func cellEdgesAreNumberedBlockByBlock() {
        let cell = CellSpace()
        #expect(cell.edges.count == 20 && cell.edges.map(\.index) == Array(0..<20))
        #expect(cell.edges.map(\.input.index) == [0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5])
        #expect(cell.edges(into: 3).map(\.index) == [5, 6, 7, 8])
        #expect(cell.edges(from: .previous2).map(\.index) == [1, 3, 6, 10, 15])
        #expect(cell.edges(from: .block(4)).map(\.block) == [5])
    }

    @Test func operatorsKeepTheirOrder() {
        #expect(Operator.allCases.map(\.index) == Array(0..<8))
        #expect(
            Operator.allCases.map(\.rawValue) == [
                "separable3x3", "separable5x5", "atrous3x3", "atrous5x5", "averagePool3x3", "maxPool3x3", "skip",
                "none",
            ])
        #expect(Operator.allCases.map(\.kernelSize) == [3, 5, 3, 5, 3, 3, nil, nil])
    }
}

@Suite struct SpaceCountsTests {
    @Test func publishedCounts() {
        #expect(SpaceCounts.cells() == 556_627_761_561_600)
        #expect(SpaceCounts.paths() == 28_657)
        #expect(SpaceCounts.paths(reading: .firstLayerFree) == 75_025)
        #expect(abs(SpaceCounts.joint() / 1.6e19 - 1) < 0.01)
        #expect(abs(SpaceCounts.joint(reading: .firstLayerFree) / 4.2e19 - 1) < 0.01)
    }

    @Test(arguments: 1...8) func pathsEqualTheirEnumeration(layers: Int) {
        let all = allPaths(layers: layers)
        #expect(SpaceCounts.paths(layers: layers, reading: .firstLayerFree) == Double(all.count))
        #expect(SpaceCounts.paths(layers: layers) == Double(all.filter { $0[0] == .s4 }.count))
    }

    @Test func cellsOfOneBlockEqualTheirEnumeration() {
        // Two inputs and eight operators for each of two branches.
        #expect(SpaceCounts.cells(blocks: 1) == Double(2 * 2 * 8 * 8))
    }
}

/// Every path of a number of layers, by brute force and without the library's trellis.
func allPaths(layers: Int) -> [[Stride]] {
    var paths: [[Stride]] = [[]]
    for _ in 0..<layers {
        paths = paths.flatMap { path in
            Stride.allCases.filter { abs($0.level - (path.last ?? .s4).level) <= 1 }.map { path + [$0] }
        }
    }
    return paths
}
