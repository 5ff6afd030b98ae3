import Networks
import Testing
import Torch

/// The fused kernels' gradients against finite differences.
@Suite struct KernelGradientTests {
    @Test(arguments: [NormalizationMode.batchStatistics, .evaluation], [1, 2])
    func groupedBatchNormalisation(mode: NormalizationMode, groups: Int) {
        let (mean, variance) = (gaussian([groups, 3], seed: 8), gaussian([groups, 3], seed: 9).pow(2) + 0.5)
        let statistics = BatchNormOptions(mode: mode, groups: groups, valuesPerChannel: 24, momentum: 0.1, eps: 1e-3)
        let error = gradientError([gaussian([2 * groups, 3, 4, 3])]) {
            groupedBatchNorm(
                $0[0], runningMean: mean, runningVariance: variance, options: statistics, withReLU: true)
        }
        #expect(error < 1e-6)
    }

    /// Two edges of two channels: a map of both edges and one that they share, both normalised, and one that is not.
    @Test(arguments: [NormalizationMode.batchStatistics, .evaluation], [1, 2])
    func mixing(mode: NormalizationMode, groups: Int) {
        let (mean, variance) = (gaussian([groups, 6], seed: 8), gaussian([groups, 6], seed: 9).pow(2) + 0.5)
        let statistics = BatchNormOptions(mode: mode, groups: groups, valuesPerChannel: 18, momentum: 0.1, eps: 1e-3)
        let maps = [4, 2, 2].map { gaussian([2 * groups, $0, 3, 3], seed: UInt64($0)) }
        let inputs = maps + [gaussian([2, 3], seed: 5), gaussian([2 * groups, 4, 3, 3], seed: 6)]
        for splits in [true, false] {
            let error = gradientError(inputs.map { $0.detach() }) { inputs in
                let (finished, rest) = mixedOperation(
                    Array(inputs.prefix(3)), normalized: 2, weights: inputs[3], base: inputs[4], runningMean: mean,
                    runningVariance: variance, options: statistics, splits: splits)
                return concatenate([finished, rest].compactMap { $0 }, dim: 1)
            }
            #expect(error < 1e-6)
        }
    }
}
