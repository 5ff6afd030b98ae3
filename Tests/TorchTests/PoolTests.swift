import Foundation
import Testing
import Torch

/// Pools of 3 x 3 windows at stride 1, which have loops of their own, against what they mean.
@Suite struct PoolTests {
    /// A map's values, channels last, and the places in each pixel's window, row by row.
    private struct Map {
        let (images, channels, height, width): (Int, Int, Int, Int)

        init(_ shape: [Int]) { (images, channels, height, width) = (shape[0], shape[1], shape[2], shape[3]) }

        func index(_ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Int {
            ((image * channels + channel) * height + row) * width + column
        }

        /// Calls `body` with the index of each value and those of its window.
        func forEach(_ body: (_ index: Int, _ window: [Int]) -> Void) {
            for image in 0..<images {
                for channel in 0..<channels {
                    for row in 0..<height {
                        for column in 0..<width {
                            let rows = max(0, row - 1)..<min(height, row + 2)
                            let columns = max(0, column - 1)..<min(width, column + 2)
                            let window = rows.flatMap { row in columns.map { index(image, channel, row, $0) } }
                            body(index(image, channel, row, column), window)
                        }
                    }
                }
            }
        }
    }

    /// Vectors of sixteen, eight, four channels and single ones; maps of one pixel, row or column; parts for threads.
    static let shapes = [
        [2, 8, 9, 7], [1, 29, 4, 5], [3, 2, 1, 6], [1, 5, 6, 1], [2, 64, 1, 1], [1, 16, 2, 2], [2, 17, 40, 41],
    ]

    private func run(_ map: Tensor, _ pool: (Tensor) -> Tensor) -> (values: [Double], gradient: [Double]) {
        let x = map.detach().channelsLast()
        x.requiresGrad = true
        let y = pool(x)
        let slopes = gaussian(map.shape, seed: 9).to(map.dtype)
        let gradient = gradients(of: (y * slopes).sum(), withRespectTo: [x])[0]
        return (y.doubles(), gradient?.doubles() ?? [])
    }

    @Test(arguments: shapes, [DType.float32, .float64])
    func means(shape: [Int], dtype: DType) {
        let map = gaussian(shape, seed: 3).to(dtype)
        let (x, slopes) = (map.doubles(), gaussian(shape, seed: 9).to(dtype).doubles())
        var (values, gradient) = (x, [Double](repeating: 0, count: x.count))
        Map(shape).forEach { index, window in
            values[index] = window.reduce(0) { $0 + x[$1] } / Double(window.count)
            for place in window { gradient[place] += slopes[index] / Double(window.count) }
        }
        let found = run(map) { averagePool2d($0, kernelSize: 3) }
        let tolerance = dtype == .float32 ? 1e-5 : 1e-13
        #expect(isClose(found.values, values, tolerance) && isClose(found.gradient, gradient, tolerance))
        #expect(withoutGradients { averagePool2d(map.channelsLast(), kernelSize: 3) }.doubles() == found.values)
    }

    /// Few different values, so that many windows have several largest ones: the first of them has the gradient.
    @Test(arguments: shapes, [DType.float32, .float64])
    func largest(shape: [Int], dtype: DType) {
        var numbers = gaussian(shape, seed: 3).doubles().map { ($0 * 2).rounded() }
        for index in stride(from: 3, to: numbers.count, by: 17) { numbers[index] = -.infinity }
        let map = Tensor(numbers, shape: shape).to(dtype)
        let slopes = gaussian(shape, seed: 9).to(dtype).doubles()
        var (values, gradient) = (numbers, [Double](repeating: 0, count: numbers.count))
        Map(shape).forEach { index, window in
            let largest = window.map { numbers[$0] }.max() ?? 0
            values[index] = largest
            if let place = window.first(where: { numbers[$0] == largest }) { gradient[place] += slopes[index] }
        }
        let found = run(map) { maxPool2d($0, kernelSize: 3) }
        #expect(found.values == values)
        #expect(isClose(found.gradient, gradient, dtype == .float32 ? 1e-5 : 1e-13))
        #expect(withoutGradients { maxPool2d(map.channelsLast(), kernelSize: 3) }.doubles() == values)
    }

    @Test("What is no number is the largest of its window")
    func notANumber() {
        var numbers = gaussian([1, 9, 5, 5], seed: 3).doubles()
        for index in stride(from: 6, to: numbers.count, by: 25) { numbers[index] = .nan }
        let pooled = maxPool2d(Tensor(numbers, shape: [1, 9, 5, 5]).channelsLast(), kernelSize: 3).doubles()
        // Row 1, column 1 of each channel.
        for (index, value) in pooled.enumerated() {
            #expect(value.isNaN == (index % 25 / 5 <= 2 && index % 5 <= 2), "\(index)")
        }
    }

    @Test("Threads change nothing")
    func threads() {
        let before = Engine.threads
        defer { Engine.threads = before }
        let map = gaussian([3, 24, 65, 65], seed: 1).to(.float32)
        let results = [1, 2, 3].map { threads in
            Engine.threads = threads
            return [run(map) { averagePool2d($0, kernelSize: 3) }, run(map) { maxPool2d($0, kernelSize: 3) }]
                .map { $0.values + $0.gradient }
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }
}
