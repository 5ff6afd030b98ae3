import Networks
import Testing
import Torch

/// The depthwise and pointwise pair as one operation, against the two convolutions one after the other.
@Suite struct SeparableConv2dTests {
    /// A case of E edges on C channels.
    struct Shape: CustomTestStringConvertible, Sendable {
        var images = 2
        var edges = 1
        var channels = 8
        var height = 9
        var width = 9
        var kernelSize = 3
        var dilation = 1
        var reading = EdgeReading.shared
        var testDescription: String {
            "\(images) images \(height)x\(width), \(edges)x\(channels) \(reading), \(kernelSize) by \(dilation)"
        }
    }

    /// Channels in sixteens, eights, fours and ones; rows narrower than a block of pixels; images taller than a band of rows.
    static let shapes = [
        Shape(), Shape(edges: 3, channels: 13, height: 5, width: 6, kernelSize: 5),
        Shape(edges: 3, channels: 13, height: 5, width: 6, kernelSize: 5, reading: .own),
        Shape(edges: 3, channels: 29, height: 6, width: 11, kernelSize: 5),
        Shape(edges: 2, channels: 24, height: 7, width: 13), Shape(edges: 5, channels: 8, width: 5, reading: .own),
        Shape(edges: 2, channels: 3, height: 7, width: 12, dilation: 2),
        Shape(edges: 2, channels: 3, kernelSize: 5, dilation: 2, reading: .own),
        Shape(images: 1, edges: 2, channels: 4, height: 131, width: 3, kernelSize: 5, reading: .own),
        Shape(images: 1, channels: 2, height: 64, width: 1, kernelSize: 5),
        Shape(images: 3, edges: 5, channels: 1, height: 1, width: 1, kernelSize: 7),
    ]

    private func leaf(_ shape: [Int], _ seed: UInt64, _ dtype: DType) -> Tensor {
        let tensor = Tensor.normal(shape, generator: Generator(seed: seed), dtype: dtype)
        tensor.requiresGrad = true
        return tensor
    }

    private func leaves(_ shape: Shape, _ dtype: DType) -> [Tensor] {
        let columns = shape.edges * shape.channels
        let read = shape.reading == .shared ? shape.channels : columns
        return [
            leaf([shape.images, read, shape.height, shape.width], 1, dtype),
            leaf([columns, 1, shape.kernelSize, shape.kernelSize], 2, dtype),
            leaf([columns, shape.channels, 1, 1], 3, dtype),
        ]
    }

    private func fused(_ leaves: [Tensor], _ shape: Shape) -> Tensor {
        separableConv2d(
            leaves[0], depthwise: leaves[1], pointwise: leaves[2], edges: shape.edges, dilation: shape.dilation,
            reading: shape.reading)
    }

    /// Edge by edge.
    private func plain(_ leaves: [Tensor], _ shape: Shape) -> Tensor {
        let channels = shape.channels
        return concatenate(
            (0..<shape.edges).map { edge in
                let start = edge * channels
                let x = shape.reading == .shared ? leaves[0] : leaves[0].narrow(1, start: start, length: channels)
                let between = conv2d(
                    x, weight: leaves[1].narrow(0, start: start, length: channels),
                    padding: shape.kernelSize / 2 * shape.dilation, dilation: shape.dilation, groups: channels)
                return conv2d(between, weight: leaves[2].narrow(0, start: start, length: channels))
            }, dim: 1)
    }

    private func far(_ have: Tensor, _ want: Tensor, _ tolerance: Double) -> Bool {
        let (left, right) = (have.doubles(), want.doubles())
        let scale = max(right.map(\.magnitude).max() ?? 0, 1)
        return have.shape != want.shape || zip(left, right).contains { !(abs($0 - $1) <= tolerance * scale) }
    }

    @Test(arguments: shapes, [DType.float64, .float32]) func equalsTheTwoConvolutions(shape: Shape, dtype: DType) {
        let leaves = leaves(shape, dtype)
        let have = fused(leaves, shape)
        let want = plain(leaves, shape)
        let tolerance = dtype == .float64 ? 1e-12 : 1e-4
        #expect(!far(have, want, tolerance), "result")
        let weights = Tensor.normal(want.shape, generator: Generator(seed: 4), dtype: dtype)
        let haveGradients = gradients(of: (have * weights).sum(), withRespectTo: leaves)
        let wantGradients = gradients(of: (want * weights).sum(), withRespectTo: leaves)
        for (name, pair) in zip(["x", "depthwise", "pointwise"], zip(haveGradients, wantGradients)) {
            guard let have = pair.0, let want = pair.1 else {
                Issue.record("no gradient of \(name)")
                continue
            }
            #expect(!far(have, want, tolerance), "gradient of \(name)")
        }
    }

    /// Normalisation and ReLU on the way in, against both one after the other, for two batches behind one another.
    @Test(arguments: [NormalizationMode.training, .batchStatistics, .evaluation], [DType.float64, .float32])
    func normalizesOnTheWay(mode: NormalizationMode, dtype: DType) {
        let shape = Shape(images: 4, edges: 3, channels: 5, height: 70, width: 6, kernelSize: 5, reading: .own)
        let statistics = BatchNormOptions(mode: mode, groups: 2, valuesPerChannel: 840, momentum: 0.2, eps: 1e-3)
        let start = leaves(shape, dtype)
        let shifted = (start[0].detach() * 3 + 1)
        shifted.requiresGrad = true
        let leaves = [shifted, start[1], start[2]]
        func run(_ body: (_ mean: Tensor, _ variance: Tensor) -> Tensor) -> [Tensor] {
            let (mean, variance) = (Tensor.full(0.5, [2, 15], dtype: dtype), Tensor.full(2, [2, 15], dtype: dtype))
            let y = body(mean, variance)
            let probe = Tensor.normal(y.shape, generator: Generator(seed: 4), dtype: dtype)
            let found = gradients(of: (y * probe).sum(), withRespectTo: leaves)
            return [y, mean, variance] + found.compactMap { $0 }
        }
        let have = run {
            batchNormSeparableConv2d(
                leaves[0], runningMean: $0, runningVariance: $1, options: statistics, depthwise: leaves[1],
                pointwise: leaves[2], edges: 3)
        }
        let want = run {
            let active = groupedBatchNorm(
                leaves[0], runningMean: $0, runningVariance: $1, options: statistics, withReLU: true)
            return plain([active, leaves[1], leaves[2]], shape)
        }
        #expect(have.count == 6 && want.count == 6)
        let names = ["result", "mean", "variance", "gradient of x", "of depthwise", "of pointwise"]
        for (name, pair) in zip(names, zip(have, want)) {
            #expect(!far(pair.0, pair.1, dtype == .float64 ? 1e-11 : 1e-3), "\(name)")
        }
    }

    @Test func givesTheInputsGradientAlone() {
        let shape = Shape(edges: 2, kernelSize: 5)
        let leaves = leaves(shape, .float64)
        leaves[1].requiresGrad = false
        leaves[2].requiresGrad = false
        let have = gradients(of: fused(leaves, shape).sum(), withRespectTo: [leaves[0]])[0]
        let want = gradients(of: plain(leaves, shape).sum(), withRespectTo: [leaves[0]])[0]
        guard let have, let want else {
            Issue.record("no gradient")
            return
        }
        #expect(!far(have, want, 1e-12))
    }

    /// Bands of rows, not threads, decide in which order sums are taken.
    @Test func doesNotDependOnTheThreads() {
        let shape = Shape(images: 2, channels: 20, height: 100, width: 10, kernelSize: 5)
        let leaves = leaves(shape, .float32)
        let before = Engine.threads
        defer { Engine.threads = before }
        func results(threads: Int) -> [[Double]] {
            Engine.threads = threads
            let y = fused(leaves, shape)
            return [y.doubles()] + gradients(of: (y * y).sum(), withRespectTo: leaves).map { $0?.doubles() ?? [] }
        }
        #expect(results(threads: 1) == results(threads: 3))
    }
}
