import Networks
import SearchSpace
import Testing
import Torch

/// Batch normalisation folded into the convolutions before it.
@Suite struct FoldingTests {
    @Test(arguments: 0..<4) func changesNothingButRounding(seed: Int) {
        let genotype = seed == 0 ? Genotype.everything : .random(seed: UInt64(seed))
        let built = network(genotype)
        randomizeVectors(of: built.store, seed: UInt64(seed) + 7)
        let x = images([2, 3, 65, 50])
        let want = withoutGradients { built(x, mode: .evaluation) }
        let state = built.store.state.mapValues { $0.doubles() }
        built.fold()
        let have = withoutGradients { built(x, mode: .evaluation) }
        #expect(have.doubles() != want.doubles(), "nothing was folded")
        #expect(peak(have - want) < 1e-11 * peak(want))
        #expect(built.store.state.mapValues { $0.doubles() } == state)
    }

    @Test func trainingGoesOnUnfolded() {
        let x = images([2, 3, 65, 50])
        let plain = network(.everything)
        let folded = network(.everything)
        folded.fold()
        #expect(plain(x, mode: .training).doubles() == folded(x, mode: .training).doubles())
        // The statistics have moved: folding anew follows them.
        folded.fold()
        let want = withoutGradients { plain(x, mode: .evaluation) }
        let have = withoutGradients { folded(x, mode: .evaluation) }
        #expect(peak(have - want) < 1e-11 * peak(want))
    }
}
