import Networks
import TestSupport
import Testing
import Torch

/// Maps that the mixed operation does not keep for its backward pass, since what made them can make them again.
@Suite(.serialized) struct MapsMadeAgainTests {
    private let edges = 3
    private let channels = 5
    private let groups = 2

    private func leaf(_ shape: [Int], _ seed: UInt64, _ dtype: DType) -> Tensor {
        let tensor = Tensor.normal(shape, generator: Generator(seed: seed), dtype: dtype)
        tensor.requiresGrad = true
        return tensor
    }

    private func statistics() -> BatchNormOptions {
        BatchNormOptions(mode: .training, groups: groups, valuesPerChannel: 2 * 9 * 7, momentum: 0.1, eps: 1e-5)
    }

    /// The gradients where maps come to the mixed operation as they are made, or by way of something that hides it.
    private func run(hiding: Bool, usesMap: Bool, alphaAlone: Bool, dtype: DType) -> [[Double]] {
        let columns = edges * channels
        let x = leaf([groups * 2, channels, 9, 7], 1, dtype)
        let depthwise = [leaf([columns, 1, 3, 3], 2, dtype), leaf([columns, 1, 5, 5], 3, dtype)]
        let pointwise = [leaf([columns, channels, 1, 1], 4, dtype), leaf([columns, channels, 1, 1], 5, dtype)]
        let dense = leaf([columns, channels, 3, 3], 6, dtype)
        let weights = leaf([edges, 8], 7, dtype)
        let state = x.channelsLast()
        let first = separableConv2d(state.relu(), depthwise: depthwise[0], pointwise: pointwise[0], edges: edges)
        let second = batchNormSeparableConv2d(
            first, runningMean: .zeros([groups, columns], dtype: dtype),
            runningVariance: .ones([groups, columns], dtype: dtype), options: statistics(), depthwise: depthwise[1],
            pointwise: pointwise[1], edges: edges)
        let made = [
            second, conv2d(state.relu(), weight: dense, padding: 1), averagePool2d(state, kernelSize: 3),
            maxPool2d(state, kernelSize: 3), first,
        ]
        let total = 3 * columns + 2 * channels
        let mixed = mixedOperation(
            (hiding ? made.map { $0 * 1 } : made) + [state], normalized: made.count, weights: weights, base: nil,
            runningMean: .zeros([groups, total], dtype: dtype), runningVariance: .ones([groups, total], dtype: dtype),
            options: statistics(), splits: true)
        var loss = [mixed.finished, mixed.rest].compactMap { $0 }.enumerated().reduce(Tensor.zeros([], dtype: dtype)) {
            $0 + ($1.element * leaf($1.element.shape, UInt64(20 + $1.offset), dtype).detach()).sum()
        }
        if usesMap { loss = loss + (second * second).sum() + made[3].sum() }
        let leaves = alphaAlone ? [weights] : [x, dense, weights] + depthwise + pointwise
        return gradients(of: loss, withRespectTo: leaves).map { $0?.doubles() ?? [] }
    }

    @Test("They are the same maps: all gradients are, to the last digit", arguments: [DType.float32, .float64])
    func gradientsAreThoseOfKeptMaps(dtype: DType) {
        for usesMap in [false, true] {
            for alphaAlone in [false, true] {
                let found = [false, true].map {
                    run(hiding: $0, usesMap: usesMap, alphaAlone: alphaAlone, dtype: dtype)
                }
                #expect(found[0].allSatisfy { !$0.isEmpty && $0.contains { $0 != 0 } })
                // A map's two gradients are added up in another order where the mixed operation's comes by way of a factor.
                let far = zip(found[0].joined(), found[1].joined()).contains {
                    !(abs($0 - $1) <= (usesMap ? (dtype == .float64 ? 1e-9 : 1e-2) : 0))
                }
                #expect(!far, "\(usesMap) \(alphaAlone)")
            }
        }
    }

    /// Sixty maps of 52 MB, of which each is a separable convolution's result: 3.1 GB if they stayed.
    @Test func memoryHoldsFewOfThem() {
        let x = Tensor.ones([1, 8, 640, 640]).channelsLast()
        let depthwise = leaf([32, 1, 3, 3], 2, .float32)
        let pointwise = leaf([32, 8, 1, 1], 3, .float32)
        let weights = leaf([4, 8], 4, .float32)
        let options = BatchNormOptions(
            mode: .batchStatistics, valuesPerChannel: 640 * 640, momentum: 0.1, eps: 1e-5)
        let memory = residentMegabytes()
        var sums: [Tensor] = []
        for _ in 0..<60 {
            let map = separableConv2d(x, depthwise: depthwise, pointwise: pointwise, edges: 4)
            let mixed = mixedOperation(
                [map], normalized: 1, weights: weights, base: nil, runningMean: .zeros([1, 32]),
                runningVariance: .ones([1, 32]), options: options, splits: false)
            sums += [mixed.rest?.mean()].compactMap { $0 }
        }
        #expect(sums.count == 60 && residentMegabytes() - memory < 1_500)
    }
}
