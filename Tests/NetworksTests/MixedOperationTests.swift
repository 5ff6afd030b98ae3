import Networks
import Testing
import Torch

/// The passes over rows of pixels against the engine's own operations.
@Suite struct MixedOperationTests {
    /// A case: groups, images of a group, edges, channels, height, width.
    struct Shape: CustomTestStringConvertible, Sendable {
        var groups = 1
        var images = 2
        var edges = 3
        var channels = 4
        var height = 5
        var width = 7
        var testDescription: String { "\(groups)x\(images) images, \(edges)x\(channels) channels, \(height)x\(width)" }
        var valuesPerChannel: Int { images * height * width }
    }

    static let shapes = [
        Shape(), Shape(groups: 3, edges: 1), Shape(groups: 2, images: 1, edges: 4, channels: 3),
        Shape(groups: 2, edges: 5, channels: 1, height: 9, width: 8), Shape(channels: 33, height: 3, width: 1),
        Shape(images: 1, edges: 2, channels: 2, height: 1, width: 2), Shape(images: 1, height: 1, width: 1),
        Shape(groups: 3, images: 1, height: 1, width: 1), Shape(images: 1, edges: 2, height: 65, width: 65),
    ]
    static let modes: [NormalizationMode] = [.training, .batchStatistics, .evaluation]

    private func random(_ shape: [Int], _ seed: UInt64, _ dtype: DType, mean: Double = 0) -> Tensor {
        let tensor = Tensor.normal(shape, mean: mean, generator: Generator(seed: seed), dtype: dtype)
        tensor.requiresGrad = true
        return tensor
    }

    private func buffer(_ shape: [Int], _ seed: UInt64, _ dtype: DType) -> Tensor {
        .uniform(shape, from: 0.5, to: 1.5, generator: Generator(seed: seed), dtype: dtype)
    }

    /// Each group by the engine's batch normalisation.
    private func plain(
        _ x: Tensor, _ mean: Tensor, _ variance: Tensor, _ shape: Shape, _ mode: NormalizationMode
    ) -> Tensor {
        let byBatch = mode != .evaluation && shape.valuesPerChannel > 1
        let uses = mode == .training || !byBatch
        return concatenate(
            (0..<shape.groups).map { group in
                batchNorm(
                    x.narrow(0, start: group * shape.images, length: shape.images),
                    runningMean: uses ? mean.select(0, group) : nil,
                    runningVariance: uses ? variance.select(0, group) : nil, training: byBatch, momentum: 0.1,
                    eps: 1e-5)
            }, dim: 0)
    }

    private func statistics(_ shape: Shape, _ mode: NormalizationMode) -> BatchNormOptions {
        BatchNormOptions(
            mode: mode, groups: shape.groups, valuesPerChannel: shape.valuesPerChannel, momentum: 0.1, eps: 1e-5)
    }

    private func expectClose(_ have: [Tensor?], _ want: [Tensor?], _ dtype: DType, _ what: String) {
        #expect(have.count == want.count)
        let tolerance = [DType.float64: 1e-10, .float32: 2e-4][dtype] ?? 0.05
        for (place, (have, want)) in zip(have, want).enumerated() {
            guard let have, let want else {
                #expect(have == nil && want == nil, "\(what) \(place)")
                continue
            }
            #expect(have.shape == want.shape)
            let (left, right) = (have.doubles(), want.doubles())
            let scale = right.map(\.magnitude).max() ?? 0
            let far = zip(left, right).contains { !(abs($0 - $1) <= tolerance * max(scale, 1)) }
            #expect(!far, "\(what) \(place)")
        }
    }

    private func loss(_ tensors: [Tensor?]) -> Tensor {
        let parts = tensors.compactMap { $0 }.enumerated().map { place, tensor in
            let generator = Generator(seed: UInt64(90 + place))
            return (tensor.to(.float64) * Tensor.normal(tensor.shape, generator: generator, dtype: .float64)).sum()
        }
        return parts.dropFirst().reduce(parts[0], +)
    }

    @Test(arguments: shapes, modes) func normalized(shape: Shape, mode: NormalizationMode) {
        for dtype in [DType.float64, .float32] {
            for activates in [false, true] {
                let channels = shape.edges * shape.channels
                let x = random([shape.groups * shape.images, channels, shape.height, shape.width], 1, dtype, mean: 3)
                let mean = buffer([shape.groups, channels], 2, dtype)
                let variance = buffer([shape.groups, channels], 3, dtype)
                let (mean2, variance2) = (mean.clone(), variance.clone())
                let have = groupedBatchNorm(
                    x, runningMean: mean, runningVariance: variance, options: statistics(shape, mode),
                    withReLU: activates)
                let raw = plain(x, mean2, variance2, shape, mode)
                let want = activates ? raw.relu() : raw
                expectClose([have, mean, variance], [want, mean2, variance2], dtype, "value")
                expectClose(
                    gradients(of: loss([have]), withRespectTo: [x]), gradients(of: loss([want]), withRespectTo: [x]),
                    dtype, "gradient")
            }
        }
    }

    /// In halves it is the engine's operations that run, as on other devices.
    @Test(arguments: shapes, [DType.float64, .float32, .bfloat16]) func mixed(shape: Shape, dtype: DType) {
        for mode in MixedOperationTests.modes {
            for splits in [false, true] {
                for baseGroups in Set([0, 1, shape.groups]) {
                    compareMixedOperation(shape, mode, dtype, splits, baseGroups)
                }
            }
        }
    }

    private func compareMixedOperation(
        _ shape: Shape, _ mode: NormalizationMode, _ dtype: DType, _ splits: Bool, _ baseGroups: Int
    ) {
        let (channels, columns) = (shape.channels, shape.edges * shape.channels)
        func map(_ groups: Int, _ width: Int, _ seed: UInt64) -> Tensor {
            random([groups * shape.images, width, shape.height, shape.width], seed, dtype, mean: Double(seed % 3))
        }
        // Normalised: one of each edge, one that all share, one of each edge; then one of each kind as it is.
        let widths = [columns, channels, columns, channels, columns]
        let maps = widths.enumerated().map { map(shape.groups, $1, UInt64(10 + $0)) }
        let normalized = 3
        let total = widths[..<normalized].reduce(0, +)
        let kept: DType = dtype == .bfloat16 ? .float32 : dtype
        let weights = random([shape.edges, 8], 20, kept)
        let base = baseGroups == 0 ? nil : map(baseGroups, columns, 21)
        let mean = buffer([shape.groups, total], 22, kept)
        let variance = buffer([shape.groups, total], 23, kept)
        let (mean2, variance2) = (mean.clone().to(.float64), variance.clone().to(.float64))
        let have = mixedOperation(
            maps, normalized: normalized, weights: weights, base: base, runningMean: mean, runningVariance: variance,
            options: statistics(shape, mode), splits: splits)

        var sum = Tensor.zeros([1], dtype: .float64)
        if let base {
            sum = concatenate(Array(repeating: base.to(.float64), count: shape.groups / baseGroups), dim: 0)
        }
        var place = 0
        for (k, raw) in maps.enumerated() {
            var x = raw.to(.float64)
            if k < normalized {
                x = plain(
                    x, mean2.narrow(1, start: place, length: widths[k]),
                    variance2.narrow(1, start: place, length: widths[k]), shape, mode)
                place += widths[k]
            }
            let parts = (0..<shape.edges).map { edge in
                let own = widths[k] == columns ? x.narrow(1, start: edge * channels, length: channels) : x
                return own * weights.to(.float64).select(0, edge).select(0, k)
            }
            sum = sum + concatenate(parts, dim: 1)
        }
        let finished = splits ? sum.narrow(1, start: 0, length: channels) : nil
        let left = columns - (splits ? channels : 0)
        let rest = left > 0 ? sum.narrow(1, start: columns - left, length: left) : nil
        expectClose([have.finished, have.rest, mean, variance], [finished, rest, mean2, variance2], dtype, "value")
        let leaves = maps + [weights] + (base.map { [$0] } ?? [])
        expectClose(
            gradients(of: loss([have.finished, have.rest]), withRespectTo: leaves),
            gradients(of: loss([finished, rest]), withRespectTo: leaves), dtype, "gradient")
    }

    /// Where only one of the two results is used, the other's gradient counts as zero.
    @Test(arguments: [true, false]) func oneResultAlone(finishedAlone: Bool) {
        let maps = [random([2, 6, 3, 3], 1, .float64), random([2, 2, 3, 3], 2, .float64)]
        let weights = random([3, 8], 3, .float64)
        let statistics = BatchNormOptions(
            mode: .batchStatistics, valuesPerChannel: 18, momentum: 0.1, eps: 1e-5)
        let (finished, rest) = mixedOperation(
            maps, normalized: 2, weights: weights, base: nil, runningMean: buffer([1, 8], 4, .float64),
            runningVariance: buffer([1, 8], 5, .float64), options: statistics, splits: true)
        let found = gradients(of: loss([finishedAlone ? finished : rest]), withRespectTo: [weights])
        let rows = found[0]?.doubles() ?? []
        #expect(rows.count == 24)
        for (place, value) in rows.enumerated() {
            let isUsed = place % 8 < 2 && (place / 8 == 0) == finishedAlone
            #expect((value != 0) == isUsed, "\(place)")
        }
    }
}
