import ArchitectureSearch
import Networks
import SearchSpace
import TestSupport
import Testing
import Torch

/// A network's share of the supernet, computed alone.
@Suite("Supernet under weights of 0 and 1")
struct OneHotPassTests {
    @Test(
        "Without what weighs 0 its scores are the same",
        arguments: CellSharing.allCases, [NormalizationMode.batchStatistics, .evaluation])
    func skipped(cells: CellSharing, mode: NormalizationMode) throws {
        for (resizes, residual, skips, atrous, stem) in [
            (false, true, false, AtrousKind.dense, StemKind.paper), (true, false, false, .separable, .paper),
            (false, false, true, .dense, .encoder(.mobileNetV2)),
            (true, true, true, .dense, .encoder(.efficientNetLite0)),
        ] {
            var configuration = SupernetConfiguration.tiny(layers: 5, blocks: 3, cells: cells, atrous: atrous)
            configuration.resizesPrevious = resizes
            configuration.residual = residual
            configuration.longSkips = skips
            configuration.stem = stem
            let built = supernet(configuration)
            let sampler = try GenotypeSampler(layers: 5, blocks: 3, atrous: atrous, longSkips: skips, stem: stem)
            var random = SplitMix(state: 3)
            for seed in 0..<4 {
                var genotype = sampler.genotype { random.next() }
                if skips, seed == 0 {
                    genotype.path = [.s4, .s8, .s16, .s8, .s4]
                    genotype = genotype.withAllSkips
                    #expect(genotype.hasSkips)
                }
                // At 33 pixels the coarsest maps have one value or few.
                for (batch, side) in [(2, 50), (1, 33), (1, 32)] {
                    let x = images([batch, 3, side, side + 9], seed: UInt64(seed))
                    let weights = ArchitectureWeights(of: genotype, dtype: .float64, device: .cpu)
                    let whole = withoutGradients { built.network(x, weights: weights, mode: mode) }
                    let alone = withoutGradients { built.network(x, only: genotype, mode: mode) }
                    #expect(relativeDifference(whole, alone) < 1e-10, "\(genotype)")
                }
            }
        }
    }
}
