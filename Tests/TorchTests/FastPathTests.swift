import Foundation
import Testing
import Torch

/// Operations for which another road is taken than libtorch would take, against the plainest form.
@Suite struct FastPathTests {
    /// The class of each pixel as its definition says: the first of the largest; what is no number is larger than all.
    private func strongest(_ scores: [Float], _ shape: [Int]) -> [Int64] {
        let pixels = shape[2] * shape[3]
        return (0..<shape[0]).flatMap { image in
            (0..<pixels).map { pixel in
                let own = (0..<shape[1]).map { scores[(image * shape[1] + $0) * pixels + pixel] }
                if let nan = own.firstIndex(where: \.isNaN) { return Int64(nan) }
                return Int64(own.firstIndex { $0 == own.max() } ?? 0)
            }
        }
    }

    @Test(arguments: [
        [1, 1, 1, 1], [1, 11, 37, 41], [2, 3, 33, 33], [1, 19, 64, 16], [3, 150, 5, 7], [1, 5, 1, 1_025],
        [1, 2, 64, 32], [1, 4, 181, 181],
    ])
    func strongestClass(shape: [Int]) {
        let count = shape.reduce(1, *)
        // Few values, so that many are equal.
        var scores = gaussian(shape, seed: 5).doubles().map { Float(($0 * 2).rounded()) }
        for index in stride(from: 3, to: count, by: 17) { scores[index] = -.infinity }
        for index in stride(from: 5, to: count, by: 29) { scores[index] = .infinity }
        for index in stride(from: 7, to: count, by: 31) { scores[index] = .nan }
        let wanted = strongest(scores, shape)
        let map = Tensor(scores, shape: shape)
        #expect(map.argmax(1).int64s() == wanted)
        #expect(map.argmax(1).shape == [shape[0], shape[2], shape[3]])
        #expect(map.channelsLast().argmax(1).int64s() == wanted)
        // A part of a map, whose rows do not follow one another.
        guard shape[3] > 1 else { return }
        let part = map.narrow(3, start: 1, length: shape[3] - 1)
        let own = strongest(part.doubles().map(Float.init), part.shape)
        #expect(part.argmax(1).int64s() == own)
    }

    @Test("A convolution by one pixel is a product of matrices, on any number of threads", arguments: [1, 2], [1, 2])
    func pointwise(threads: Int, stride: Int) throws {
        let before = Engine.threads
        defer { Engine.threads = before }
        Engine.threads = threads
        for (images, inputs, outputs, side) in [(2, 3, 8, 9), (1, 40, 24, 17), (8, 33, 5, 6)] {
            let weight = gaussian([outputs, inputs, 1, 1], seed: 1).to(.float32)
            let bias = gaussian([outputs], seed: 4).to(.float32)
            weight.requiresGrad = true
            let x = gaussian([images, inputs, side, side], seed: 2).to(.float32).channelsLast()
            x.requiresGrad = true
            let y = conv2d(x, weight: weight, bias: bias, stride: stride)
            let seen = (side + stride - 1) / stride
            #expect(y.shape == [images, outputs, seen, seen])
            let upper = gaussian(y.shape, seed: 3).to(.float32)
            let found = gradients(of: (y * upper).sum(), withRespectTo: [x, weight])
            // In double precision, pixel by pixel.
            let (a, w, g) = (x.doubles(), weight.doubles(), upper.doubles())
            let shift = bias.doubles()
            var result = [Double](repeating: 0, count: images * outputs * seen * seen)
            var (dx, dw) = ([Double](repeating: 0, count: a.count), [Double](repeating: 0, count: w.count))
            for n in 0..<images {
                for o in 0..<outputs {
                    for place in 0..<(seen * seen) {
                        let pixel = place / seen * stride * side + place % seen * stride
                        let target = (n * outputs + o) * seen * seen + place
                        result[target] = shift[o]
                        for i in 0..<inputs {
                            let source = (n * inputs + i) * side * side + pixel
                            result[target] += w[o * inputs + i] * a[source]
                            dx[source] += g[target] * w[o * inputs + i]
                            dw[o * inputs + i] += g[target] * a[source]
                        }
                    }
                }
            }
            #expect(isClose(y.doubles(), result, 1e-4))
            #expect(isClose(found[0]?.doubles() ?? [], dx, 1e-4))
            #expect(isClose(found[1]?.doubles() ?? [], dw, 1e-3))
        }
    }

    @Test(
        "The gradients of a depthwise convolution of five rows are what its definition says, on any number of threads",
        arguments: [
            (2, 8, 7, 9, 1, 2, 1), (1, 67, 5, 6, 1, 2, 1), (3, 24, 9, 8, 2, 2, 1), (1, 144, 11, 11, 2, 0, 1),
            (2, 5, 6, 13, 1, 4, 2), (1, 16, 1, 1, 1, 2, 1), (2, 130, 2, 3, 1, 2, 1), (1, 3, 12, 10, 3, 1, 2),
        ], [1, 2])
    func depthwise(sizes: (Int, Int, Int, Int, Int, Int, Int), threads: Int) {
        let (images, channels, height, width, stride, padding, dilation) = sizes
        let before = Engine.threads
        defer { Engine.threads = before }
        Engine.threads = threads
        let places = DepthwisePlaces(kernel: 5, stride: stride, padding: padding, dilation: dilation)
        for dtype in [DType.float32, .float64] {
            depthwise([images, channels, height, width], places, dtype)
        }
    }

    @Test(
        "A depthwise convolution whose taps lie apart is what its definition says, in both directions",
        arguments: [
            (1, 8, 9, 11, 3), (2, 29, 7, 13, 6), (1, 40, 25, 31, 12), (3, 3, 1, 9, 2), (1, 5, 8, 1, 2),
            (1, 17, 2, 2, 70),
            (2, 24, 33, 65, 2),
        ], [1, 2])
    func dilatedDepthwise(sizes: (Int, Int, Int, Int, Int), threads: Int) {
        let (images, channels, height, width, dilation) = sizes
        let before = Engine.threads
        defer { Engine.threads = before }
        Engine.threads = threads
        for (kernel, dtype) in [(3, DType.float32), (3, .float64), (5, .float32), (5, .float64)] {
            let places = DepthwisePlaces(
                kernel: kernel, stride: 1, padding: kernel / 2 * dilation, dilation: dilation)
            depthwise([images, channels, height, width], places, dtype)
            // Without gradients, and with what is added to each channel.
            let x = gaussian([images, channels, height, width], seed: 1).to(dtype).channelsLast()
            let weight = gaussian([channels, 1, kernel, kernel], seed: 2).to(dtype)
            let bias = gaussian([channels], seed: 5).to(dtype)
            func convolved(_ bias: Tensor?) -> Tensor {
                conv2d(
                    x, weight: weight, bias: bias, stride: 1, padding: places.padding, dilation: dilation,
                    groups: channels)
            }
            let plain = convolved(nil)
            #expect(withoutGradients { convolved(nil) }.doubles() == plain.doubles())
            let shifted = plain + bias.reshape([1, channels, 1, 1])
            let tolerance = dtype == .float64 ? 1e-12 : 5e-5
            #expect(isClose(withoutGradients { convolved(bias) }.doubles(), shifted.doubles(), tolerance))
        }
    }

    /// Where the taps of a depthwise convolution lie.
    private struct DepthwisePlaces {
        let (kernel, stride, padding, dilation): (Int, Int, Int, Int)
        init(kernel: Int, stride: Int, padding: Int, dilation: Int) {
            (self.kernel, self.stride, self.padding, self.dilation) = (kernel, stride, padding, dilation)
        }
    }

    /// Compares a depthwise convolution of a map of some shape, and its gradients, with loops over pixels and taps.
    private func depthwise(_ shape: [Int], _ places: DepthwisePlaces, _ dtype: DType) {
        let (channels, height, width) = (shape[1], shape[2], shape[3])
        let (kernel, taps) = (places.kernel, places.kernel * places.kernel)
        let x = gaussian(shape, seed: 1).to(dtype).channelsLast()
        let weight = gaussian([channels, 1, kernel, kernel], seed: 2).to(dtype)
        x.requiresGrad = true
        weight.requiresGrad = true
        func convolved(_ x: Tensor) -> Tensor {
            conv2d(
                x, weight: weight, bias: nil, stride: places.stride, padding: places.padding,
                dilation: places.dilation, groups: channels)
        }
        let y = convolved(x)
        let upper = gaussian(y.shape, seed: 3).to(dtype)
        let found = gradients(of: (y * upper).sum(), withRespectTo: [x, weight])
        let (a, w, g, rows, columns) = (x.doubles(), weight.doubles(), upper.doubles(), y.size(2), y.size(3))
        var (result, dx) = ([Double](repeating: 0, count: g.count), [Double](repeating: 0, count: a.count))
        var dw = [Double](repeating: 0, count: w.count)
        for map in 0..<(shape[0] * channels) {
            for place in 0..<(rows * columns * taps) {
                let (pixel, tap) = (place / taps, place % taps)
                let row = pixel / columns * places.stride + tap / kernel * places.dilation - places.padding
                let column = pixel % columns * places.stride + tap % kernel * places.dilation - places.padding
                guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
                let (target, source) = (map * rows * columns + pixel, (map * height + row) * width + column)
                let index = map % channels * taps + tap
                result[target] += w[index] * a[source]
                dx[source] += g[target] * w[index]
                dw[index] += g[target] * a[source]
            }
        }
        let tolerance = dtype == .float64 ? 1e-12 : 1e-4
        #expect(isClose(y.doubles(), result, tolerance))
        #expect(isClose(found[0]?.doubles() ?? [], dx, tolerance))
        // A sum over all pixels.
        let sum = tolerance * max(1, Double(g.count / channels) / 100)
        #expect(isClose(found[1]?.doubles() ?? [], dw, sum))
        // The kernels alone, as behind an encoder's first block.
        let alone = gradients(of: (convolved(x.detach()) * upper).sum(), withRespectTo: [weight])
        #expect(alone[0]?.doubles() == found[1]?.doubles())
    }

    @Test(
        "Batch normalisation with an activation, and its gradients, are what they are one after the other",
        arguments: [([2, 8, 5, 7], 0.0), ([3, 67, 9, 4], 100.0), ([8, 3, 33, 40], -5.0), ([1, 130, 1, 2], 0.0)]
            as [([Int], Double)],
        [1, 2])
    func normalization(sizes: ([Int], Double), threads: Int) {
        let (shape, offset) = sizes
        let before = Engine.threads
        defer { Engine.threads = before }
        Engine.threads = threads
        let channels = shape[1]
        let activations: [(Activation?, (Tensor) -> Tensor)] = [
            (nil, { $0 }), (.relu, { $0.relu() }), (.relu6, { $0.relu6() }),
        ]
        for (activation, alone) in activations {
            func passed(_ dtype: DType, fused: Bool) -> [[Double]] {
                // Rows of pixels on the one road, planes on the other, which is the engine's own.
                let own = (gaussian(shape, seed: 1) * 2 + offset).to(dtype)
                let x = fused ? own.channelsLast() : own
                let weight = (gaussian([channels], seed: 2) * 3).to(dtype)
                let bias = (gaussian([channels], seed: 3) * 2).to(dtype)
                let mean = gaussian([channels], seed: 4).to(dtype)
                let variance = (gaussian([channels], seed: 5).pow(2) + 0.5).to(dtype)
                for tensor in [x, weight, bias] { tensor.requiresGrad = true }
                let normalized = batchNorm(
                    x, weight: weight, bias: bias, runningMean: mean, runningVariance: variance, training: true,
                    momentum: 0.25, eps: 1e-3, activation: fused ? activation : nil)
                let y = fused ? normalized : alone(normalized)
                let upper = gaussian(shape, seed: 6).to(dtype)
                let found = gradients(of: (y * upper).sum(), withRespectTo: [x, weight, bias])
                return [y.doubles(), mean.doubles(), variance.doubles()] + found.map { $0?.doubles() ?? [] }
            }
            let wanted = passed(.float64, fused: false)
            for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 2e-3)] {
                for (own, value) in zip(passed(dtype, fused: true), wanted) {
                    let size = value.map(abs).max() ?? 0
                    // Where an activation begins single precision may fall on its other side.
                    let far = zip(own, value).count { abs($0 - $1) > tolerance * max(1, size) }
                    #expect(own.count == value.count && far <= (dtype == .float64 ? 0 : value.count / 200))
                }
            }
        }
    }

    @Test(
        "Resizing and its gradient are what the engine has for double precision, in every layout, on any number of threads",
        arguments: [
            ([2, 11, 9, 7], [33, 40]), ([2, 3, 17, 30], [5, 12]), ([3, 1, 1, 1], [4, 5]),
            ([1, 40, 90, 90], [179, 181]),
            ([1, 2, 6, 1], [1, 9]), ([2, 8, 5, 5], [5, 9]),
        ], [true, false])
    func resizing(sizes: ([Int], [Int]), alignCorners: Bool) {
        let (shape, size) = sizes
        let before = Engine.threads
        defer { Engine.threads = before }
        let x = gaussian(shape, seed: 7).to(.float32)
        func resized(_ x: Tensor) -> Tensor {
            interpolateBilinear(x, height: size[0], width: size[1], alignCorners: alignCorners)
        }
        // The engine's own, which this is for double precision.
        let double = x.to(.float64)
        double.requiresGrad = true
        let wanted = resized(double)
        let upper = gaussian(wanted.shape, seed: 8)
        let gradient = gradients(of: (wanted * upper).sum(), withRespectTo: [double])[0]?.doubles() ?? []
        let isRight = isClose(wanted.doubles(), literallyResized(x, size[0], size[1], alignCorners), 1e-9)
        #expect(isRight)
        for map in [x, x.channelsLast()] {
            var results: [[Double]] = []
            for threads in [1, 2, 3] {
                Engine.threads = threads
                let found = withoutGradients { resized(map) }
                #expect(found.shape == wanted.shape)
                if shape.allSatisfy({ $0 > 1 }) { #expect(found.isChannelsLast == map.isChannelsLast) }
                let differentiable = map.clone()
                differentiable.requiresGrad = true
                let again = resized(differentiable)
                let laid = map.isChannelsLast ? upper.to(.float32).channelsLast() : upper.to(.float32)
                let own = gradients(of: (again * laid).sum(), withRespectTo: [differentiable])[0]?.doubles() ?? []
                let isSame = again.doubles() == found.doubles()
                #expect(isSame)
                results.append(found.doubles() + own)
            }
            // A place on 90 values in 32-bit floats is off by up to 1e-5.
            let isClose = isClose(results[0], wanted.doubles() + gradient, 3e-4)
            #expect(isClose)
            let isSameByThreads = results[1] == results[0] && results[2] == results[0]
            #expect(isSameByThreads)
        }
        // By operations of every device.
        let places = { (new: Int, old: Int) in
            LinearPlaces(0..<new, of: new, inPlaceOf: old, alignCorners: alignCorners)
        }
        let general = interpolate(double, rows: places(size[0], shape[2]), columns: places(size[1], shape[3]))
        let own = gradients(of: (general * upper).sum(), withRespectTo: [double])[0]?.doubles() ?? []
        let isGeneral = isClose(general.doubles() + own, wanted.doubles() + gradient, 3e-4)
        #expect(isGeneral)
    }

    /// Four neighbours of each pixel, in double precision.
    private func literallyResized(_ x: Tensor, _ height: Int, _ width: Int, _ alignCorners: Bool) -> [Double] {
        let (values, old) = (x.doubles(), x.shape)
        func place(_ index: Int, _ new: Int, _ old: Int) -> (Int, Int, Double) {
            let position =
                alignCorners
                ? (new > 1 ? Double(index) * Double(old - 1) / Double(new - 1) : 0)
                : max(0, (Double(index) + 0.5) * Double(old) / Double(new) - 0.5)
            let first = min(Int(position.rounded(.down)), old - 1)
            return (first, min(first + 1, old - 1), position - Double(first))
        }
        var result: [Double] = []
        for plane in 0..<old[0] * old[1] {
            for y in 0..<height {
                let (upper, lower, down) = place(y, height, old[2])
                for column in 0..<width {
                    let (left, right, along) = place(column, width, old[3])
                    func value(_ row: Int) -> Double {
                        let start = (plane * old[2] + row) * old[3]
                        return values[start + left] * (1 - along) + values[start + right] * along
                    }
                    result.append(value(upper) * (1 - down) + value(lower) * down)
                }
            }
        }
        return result
    }
}
