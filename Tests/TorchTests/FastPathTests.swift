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
        [1, 2, 64, 32],
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
}
