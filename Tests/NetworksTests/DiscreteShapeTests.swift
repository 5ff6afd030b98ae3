import Networks
import SearchSpace
import Testing
import Torch

/// Sizes, layouts in memory, and images of every kind.
@Suite struct DiscreteShapeTests {
    private func maps(_ genotype: Genotype, height: Int, width: Int) -> [Int: Tensor] {
        var maps: [Int: Tensor] = [:]
        let scores = withoutGradients {
            network(genotype, dtype: .float32).forward(
                images([1, 3, height, width], dtype: .float32), mode: .evaluation
            ) { maps[$0] = $1 }
        }
        #expect(scores.shape == [1, 3, height, width])
        #expect(scores.isChannelsLast)
        return maps
    }

    @Test func sizesHalveRoundedUp() {
        let maps = maps(.everything, height: 321, width: 321)
        let sizes = [161, 81, 81, 41, 21, 11, 11, 21, 41]
        let channels = [6, 8, 48, 96, 192, 384, 384, 192, 96]
        for (layer, (size, channels)) in zip(-1...7, zip(sizes, channels)) {
            #expect(maps[layer]?.shape == [1, channels, size, size], "layer \(layer)")
            #expect(maps[layer]?.isChannelsLast == true, "layer \(layer)")
        }
    }

    @Test(arguments: [(33, 33), (33, 64), (34, 65), (47, 36), (64, 63), (97, 50)], KnownDesign.allCases)
    func anySize(size: (Int, Int), design: KnownDesign) throws {
        let genotype = try design.genotype()
        let maps = maps(genotype, height: size.0, width: size.1)
        for (index, stride) in genotype.path.enumerated() {
            let wanted = [size.0, size.1].map { Int((Double($0) / Double(stride.rawValue)).rounded(.up)) }
            #expect(maps[index + 1]?.shape.suffix(2) == wanted[...])
        }
    }

    @Test func lowLevelFeature() throws {
        let cell = Cell.published
        func layer(_ path: [Stride]) -> Int? {
            network(Genotype(path: path, cell: cell)).layout.decoder?.lowLevelLayer
        }
        #expect(layer([.s8, .s4, .s4]) == 0)
        #expect(layer([.s4, .s4, .s8, .s4]) == 2)
        #expect(layer([.s4, .s4]) == 2)
    }

    /// One image whose maps at s = 32 have a single pixel, blocks of a single channel, a single class.
    @Test(arguments: [1, 2]) func smallestOfAll(filters: Int) {
        let genotype = Genotype(path: [.s8, .s16, .s32, .s32], cell: Genotype.everything.cell)
        let built = network(genotype, .tiny(filters: filters, classes: 1), dtype: .float32)
        let x = images([1, 3, 32, 32], dtype: .float32)
        let scores = built(
            x, mode: .training, regularization: Regularization(progress: 1, generator: Generator(seed: 1)))
        #expect(scores.shape == [1, 1, 32, 32])
        let found = gradients(of: scores.sum(), withRespectTo: built.store.parameters.map(\.tensor))
        #expect(found.compactMap { $0 }.allSatisfy { $0.isFinite().to(.int64).sum().item() == Double($0.count) })
        for buffer in built.store.buffers {
            #expect(buffer.tensor.floats().allSatisfy { $0.isFinite }, "\(buffer.name)")
        }
    }
}
