import Networks
import SearchSpace
import Testing
import Torch

/// Scheduled drop path and dropout.
@Suite struct DropPathTests {
    @Test func scheduleByHand() {
        let dropPath = DropPath(keep: 0.8, cells: 4)
        // At the end the four cells keep 0.95, 0.9, 0.85, 0.8; half way half of that is lost.
        for (cell, (end, half)) in zip([0.95, 0.9, 0.85, 0.8], [0.975, 0.95, 0.925, 0.9]).enumerated() {
            #expect(dropPath.keep(inCell: cell, progress: 0) == 1)
            #expect(abs(dropPath.keep(inCell: cell, progress: 0.5) - half) < 1e-12)
            #expect(abs(dropPath.keep(inCell: cell, progress: 1) - end) < 1e-12)
            #expect(abs(dropPath.keep(inCell: cell, progress: 3) - end) < 1e-12)
        }
        #expect(DropPath(keep: 1, cells: 4).keep(inCell: 3, progress: 1) == 1)
    }

    @Test func expectation() {
        let dropPath = DropPath(keep: 0.6, cells: 2)
        let regularization = Regularization(progress: 1, generator: Generator(seed: 4))
        let like = Tensor.zeros([1, 1, 1, 1])
        let masks = dropPath.masks(
            inCell: 1, branches: 10, samples: 2000, regularization: regularization, like: like)
        #expect(masks.count == 10 && masks.allSatisfy { $0.shape == [2000, 1, 1, 1] })
        let values = masks.flatMap { $0.doubles() }
        #expect(values.allSatisfy { $0 == 0 || abs($0 - 1 / 0.6) < 1e-6 })
        // The mean of 20,000 has a deviation of sqrt(0.4 / 0.6 / 20000) = 0.0058.
        #expect(abs(values.reduce(0, +) / 20000 - 1) < 0.03)
        for mask in masks { #expect(abs(mask.mean().item() - 1) < 0.1) }
        #expect(masks[0].doubles() != masks[1].doubles())
    }

    @Test func dropoutKeepsTheExpectation() {
        let regularization = Regularization(progress: 0, generator: Generator(seed: 4))
        let x = Tensor.ones([2, 16, 40, 41]).channelsLast()
        let y = regularization.dropout(x, keep: 0.9)
        #expect(y.isChannelsLast)
        #expect(y.floats().allSatisfy { $0 == 0 || abs($0 - 1 / 0.9) < 1e-6 })
        #expect(abs(y.mean().item() - 1) < 0.01)
        #expect(regularization.dropout(x, keep: 1) === x)
    }

    @Test func skipsAreKeptAndStreamsRepeat() {
        func run(_ operators: [Operator], seed: UInt64, progress: Double = 1, keep: Double = 0.3) -> (Tensor, Tensor) {
            var configuration = DiscreteConfiguration.tiny()
            configuration.dropPathKeep = keep
            configuration.dropoutKeep = 1
            let genotype = Genotype.random(seed: 3, operators: operators)
            let built = network(genotype, configuration)
            let x = images([3, 3, 40, 40])
            let noise = Regularization(progress: progress, generator: Generator(seed: seed))
            return (built(x, mode: .batchStatistics, regularization: noise), built(x, mode: .batchStatistics))
        }
        let skips = run([.skip], seed: 1)
        #expect(skips.0.doubles() == skips.1.doubles())
        let pools = run([.maxPool3x3, .averagePool3x3], seed: 1)
        #expect(relativeDifference(pools.0, pools.1) > 1e-3)
        #expect(run([.separable3x3], seed: 1).0.doubles() == run([.separable3x3], seed: 1).0.doubles())
        #expect(run([.separable3x3], seed: 1).0.doubles() != run([.separable3x3], seed: 2).0.doubles())
        let start = run([.separable3x3], seed: 1, progress: 0)
        #expect(start.0.doubles() == start.1.doubles())
    }
}
