import Foundation
import Testing
import Torch

/// Recomputed blocks against the same arithmetic kept.
@Suite struct RecomputeTests {
    /// Two convolutions with batch normalisation, an input that is used twice, and two outputs.
    private final class Block {
        let store: VariableStore
        let convs: [Conv2d]
        let norms: [BatchNorm2d]

        init() {
            store = VariableStore(generator: Generator(seed: 4), dtype: .float64)
            let root = store.root
            convs = (0..<2).map {
                Conv2d(root / "conv" / $0, inputChannels: 3, outputChannels: 3, kernelSize: 3, bias: true)
            }
            norms = (0..<2).map { BatchNorm2d(root / "norm" / $0, channels: 3, affine: true, eps: 1e-5, momentum: 0.1) }
        }

        func half(_ index: Int, _ x: Tensor, _ mode: NormalizationMode) -> Tensor {
            norms[index](convs[index](x.relu()), mode: mode)
        }

        func callAsFunction(_ inputs: [Tensor], isRecomputing: Bool) -> [Tensor] {
            let mode: NormalizationMode = isRecomputing ? .batchStatistics : .training
            let first = half(0, inputs[0], mode)
            return [half(1, first + inputs[1], mode) + inputs[0], first]
        }
    }

    private func run(_ compute: (Block, [Tensor]) -> [Tensor]) -> [[Double]] {
        let block = Block()
        let sources = [gaussian([2, 3, 5, 6]), gaussian([2, 3, 5, 6], seed: 2)]
        for source in sources { source.requiresGrad = true }
        // Inputs in the middle of a graph.
        let outputs = compute(block, [sources[0] * 2, sources[1].exp()])
        let loss = (outputs[0] * gaussian([2, 3, 5, 6], seed: 3) + outputs[1].pow(2)).sum()
        let found = gradients(of: loss, withRespectTo: sources + block.store.parameters.map(\.tensor))
        return (outputs + found.map { $0 ?? .zeros([0]) } + block.store.buffers.map(\.tensor)).map { $0.doubles() }
    }

    private func expectEqual(_ a: [[Double]], _ b: [[Double]]) {
        #expect(a.count == b.count)
        for (left, right) in zip(a, b) { #expect(isClose(left, right, 1e-12) && !left.isEmpty) }
    }

    @Test func equalsDirectComputation() {
        let direct = run { $0($1, isRecomputing: false) }
        let recomputed = run { block, inputs in
            recompute(inputs, parameters: block.store.parameters.map(\.tensor), outputs: 2) {
                block($0, isRecomputing: $1)
            }
        }
        expectEqual(direct, recomputed)
    }

    /// Kept or recomputed, on one thread or several: always the same, to the last bit between thread counts.
    @Test func blocksSideBySide() {
        func run(recomputes: Bool, workers: Int) -> [[Double]] {
            let store = VariableStore(generator: Generator(seed: 4), dtype: .float64)
            let shared = Conv2d(store.root / "shared", inputChannels: 3, outputChannels: 3, kernelSize: 3)
            let norms = (0..<5).map {
                BatchNorm2d(store.root / "norm" / $0, channels: 3, affine: true, eps: 1e-5, momentum: 0.1)
            }
            let source = gaussian([2, 3, 5, 6])
            source.requiresGrad = true
            let input = source * 2
            let blocks = norms.map { norm in
                CheckpointedRegion(
                    inputs: [input], parameters: [shared.weight] + [norm.weight, norm.bias].compactMap { $0 }
                ) {
                    [norm(shared($0[0]), mode: $1 ? .batchStatistics : .training).relu()]
                }
            }
            let outputs = runRegions(blocks, recomputes: recomputes, workers: workers).map { $0[0] }
            let loss = outputs.enumerated().map { ($1 * gaussian($1.shape, seed: UInt64($0))).sum() }.reduce(
                0 * source.sum(), +)
            let found = gradients(of: loss, withRespectTo: [source] + store.parameters.map(\.tensor))
            return (outputs + found.compactMap { $0 } + store.buffers.map(\.tensor)).map { $0.doubles() }
        }
        let wanted = run(recomputes: false, workers: 1)
        #expect(wanted.count == 5 + 12 + 10)
        for recomputes in [false, true] {
            for workers in [1, 2, 7] { #expect(run(recomputes: recomputes, workers: workers) == wanted) }
        }
    }

    /// A block inside a block: the inner one runs a third time, and statistics still move once.
    @Test func nested() {
        let direct = run { $0($1, isRecomputing: false) }
        let recomputed = run { block, inputs in
            recompute(inputs, parameters: block.store.parameters.map(\.tensor), outputs: 2) { inputs, isRecomputing in
                func half(_ index: Int, _ x: Tensor) -> Tensor {
                    let own = [block.convs[index].weight, block.convs[index].bias].compactMap { $0 }
                    let scales = [block.norms[index].weight, block.norms[index].bias].compactMap { $0 }
                    return recompute([x], parameters: own + scales, outputs: 1) {
                        [block.half(index, $0[0], isRecomputing || $1 ? .batchStatistics : .training)]
                    }[0]
                }
                let first = half(0, inputs[0])
                return [half(1, first + inputs[1]) + inputs[0], first]
            }
        }
        expectEqual(direct, recomputed)
    }

    @Test func unusedInputsAndOutputs() {
        let (a, b) = (gaussian([3]), gaussian([3], seed: 2))
        let w = gaussian([3], seed: 3)
        for tensor in [a, b, w] { tensor.requiresGrad = true }
        let outputs = recompute([a, b], parameters: [w], outputs: 2) { inputs, _ in
            [inputs[0] * w, inputs[1] * 3]
        }
        let found = gradients(of: outputs[0].sum(), withRespectTo: [a, b, w])
        #expect(found[0]?.doubles() == w.doubles() && found[2]?.doubles() == a.doubles())
        #expect((found[1]?.doubles() ?? [0, 0, 0]) == [0, 0, 0])
    }

    @Test func insideWithoutGradients() {
        let a = gaussian([3])
        let outputs = withoutGradients { recompute([a], parameters: [], outputs: 1) { inputs, _ in [inputs[0] * 2] } }
        #expect(!outputs[0].requiresGrad && isClose(outputs[0].doubles(), a.doubles().map { 2 * $0 }))
    }

    /// Blocks of blocks share a parameter, and the same input stands twice in the list.
    @Test func sharedParameter() {
        let (a, w) = (gaussian([3]), gaussian([3], seed: 2))
        for tensor in [a, w] { tensor.requiresGrad = true }
        func twice(_ block: (Tensor) -> Tensor) -> [[Double]?] {
            gradients(of: (block(block(a)) * 0.5).sum(), withRespectTo: [a, w]).map { $0?.doubles() }
        }
        let direct = twice { $0 * w * $0 }
        let recomputed = twice { x in
            recompute([x, x], parameters: [w], outputs: 1) { inputs, _ in [inputs[0] * w * inputs[1]] }[0]
        }
        for (left, right) in zip(direct, recomputed) { #expect(isClose(left ?? [], right ?? [1])) }
    }

    @Test func nothingStaysBehind() {
        final class Witness {}
        weak var witness: Witness?
        do {
            let a = gaussian([3])
            a.requiresGrad = true
            let held = Witness()
            witness = held
            let outputs = recompute([a], parameters: [], outputs: 1) { inputs, _ in
                withExtendedLifetime(held) { [inputs[0] * 2] }
            }
            _ = gradients(of: outputs[0].sum(), withRespectTo: [a])
            let unused = recompute([a], parameters: [], outputs: 1) { inputs, _ in
                withExtendedLifetime(held) { [inputs[0] * 2] }
            }
            _ = unused
        }
        #expect(witness == nil)
    }

    /// The second run computes in the precision of the first, though the backward pass begins outside of it.
    @Test(arguments: [0, 1, 2]) func precision(workers: Int) {
        let weight = gaussian([3, 16, 1, 1]).to(.float32)
        weight.requiresGrad = true
        let x = gaussian([2, 16, 5, 6]).to(.float32) * 1
        let seen = Seen()
        func gradient(recomputes: Bool) -> [Double] {
            let block = CheckpointedRegion(inputs: [x], parameters: [weight]) { inputs, isRecomputing in
                let y = conv2d(inputs[0], weight: weight)
                seen.append(isRecomputing, y.dtype)
                return [y.to(.float32) * y.to(.float32)]
            }
            let result = withBFloat16(true, on: .cpu) {
                runRegions([block], recomputes: recomputes, workers: workers)[0][0]
            }
            return gradients(of: result.sum(), withRespectTo: [weight])[0]?.doubles() ?? []
        }
        let want = gradient(recomputes: false)
        #expect(gradient(recomputes: true) == want)
        #expect(seen.values.map(\.isRecomputing) == [false, false, true])
        #expect(seen.values.allSatisfy { $0.dtype == .bfloat16 })
    }

    /// Kernels of oneDNN's that read beyond a group's channels gave gradients that are not finite.
    @Test(arguments: [(40, 96, 2), (40, 96, 24), (24, 8, 1), (17, 20, 1), (64, 32, 2)])
    func convolutionInBFloat16(from: Int, to: Int, dilation: Int) {
        let weight = (gaussian([to, from, 3, 3]) * 0.05).to(.float32)
        weight.requiresGrad = true
        let x = gaussian([1, 57, 57, from]).to(.float32).permute([0, 3, 1, 2])
        func gradient(_ isBFloat16: Bool) -> [Double] {
            let y = withBFloat16(isBFloat16, on: .cpu) {
                conv2d(x, weight: weight, padding: dilation, dilation: dilation)
            }
            return gradients(of: y.to(.float32).sum(), withRespectTo: [weight])[0]?.doubles() ?? []
        }
        let (plain, coarse) = (gradient(false), gradient(true))
        let largest = plain.map(abs).max() ?? 0
        #expect(zip(plain, coarse).allSatisfy { abs($0 - $1) < 0.02 * largest })
    }

    /// Depthwise ones stay in 32 bits, whose gradients are faster by far.
    @Test(arguments: [(32, 3, 1), (48, 5, 2)])
    func depthwiseConvolutionsAreNotRounded(channels: Int, kernel: Int, stride: Int) {
        let weight = gaussian([channels, 1, kernel, kernel]).to(.float32)
        weight.requiresGrad = true
        let x = gaussian([2, channels, 17, 15]).to(.float32).channelsLast()
        func run(_ isBFloat16: Bool) -> (values: [Double], gradient: [Double]) {
            let y = withBFloat16(isBFloat16, on: .cpu) {
                conv2d(
                    isBFloat16 ? x.to(.bfloat16) : x.to(.bfloat16).to(.float32), weight: weight, stride: stride,
                    padding: kernel / 2, groups: channels)
            }
            return (y.doubles(), gradients(of: y.sum(), withRespectTo: [weight])[0]?.doubles() ?? [])
        }
        let (plain, coarse) = (run(false), run(true))
        #expect(plain.values == coarse.values && plain.gradient == coarse.gradient)
    }

    private final class Seen: @unchecked Sendable {
        private let lock = NSLock()
        private var list: [(isRecomputing: Bool, dtype: DType)] = []

        func append(_ isRecomputing: Bool, _ dtype: DType) { lock.withLock { list.append((isRecomputing, dtype)) } }
        var values: [(isRecomputing: Bool, dtype: DType)] { lock.withLock { list } }
    }
}
