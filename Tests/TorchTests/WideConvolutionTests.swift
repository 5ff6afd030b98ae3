import Testing
import Torch

/// Convolutions whose kernels reach beyond the map, which have a loop of their own for the kernels' gradient.
@Suite("Wide convolutions") struct WideConvolutionTests {
    struct Case: CustomTestStringConvertible {
        let (images, inputs, outputs, height, width, kernel, dilation): (Int, Int, Int, Int, Int, Int, Int)
        var testDescription: String { "\(images)x\(inputs)x\(height)x\(width) to \(outputs), \(kernel) by \(dilation)" }
        var padding: Int { dilation * (kernel - 1) / 2 }
    }

    /// As a supernet has them; taps that see nothing at all; maps that are wider than high; one pixel; more pixels than
    /// are read at a time; blocks of channels with rests.
    static let cases: [Case] = [
        .init(images: 4, inputs: 16, outputs: 50, height: 5, width: 5, kernel: 5, dilation: 2),
        .init(images: 2, inputs: 17, outputs: 7, height: 4, width: 6, kernel: 3, dilation: 5),
        .init(images: 3, inputs: 33, outputs: 1, height: 3, width: 9, kernel: 3, dilation: 2),
        .init(images: 2, inputs: 3, outputs: 6, height: 2, width: 1, kernel: 3, dilation: 1),
        .init(images: 3, inputs: 5, outputs: 97, height: 7, width: 9, kernel: 3, dilation: 4),
        .init(images: 2, inputs: 24, outputs: 13, height: 6, width: 5, kernel: 5, dilation: 12),
    ]

    /// The gradient of the kernels `[O, C, K, K]` as its definition says.
    private func kernels(_ own: Case, x: [Double], upper: [Double]) -> [Double] {
        func at(_ values: [Double], _ channels: Int, _ image: Int, _ channel: Int, _ row: Int, _ column: Int) -> Double
        {
            guard 0..<own.height ~= row, 0..<own.width ~= column else { return 0 }
            return values[((image * channels + channel) * own.height + row) * own.width + column]
        }
        var result: [Double] = []
        for output in 0..<own.outputs {
            for input in 0..<own.inputs {
                for tap in 0..<own.kernel * own.kernel {
                    let (down, across) = (
                        tap / own.kernel * own.dilation - own.padding, tap % own.kernel * own.dilation - own.padding
                    )
                    var sum = 0.0
                    for image in 0..<own.images {
                        for row in 0..<own.height {
                            for column in 0..<own.width {
                                sum +=
                                    at(upper, own.outputs, image, output, row, column)
                                    * at(x, own.inputs, image, input, row + down, column + across)
                            }
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }

    @Test(arguments: cases, [DType.float32, .float64])
    func gradient(own: Case, dtype: DType) {
        let x = gaussian([own.images, own.inputs, own.height, own.width], seed: 1).to(dtype).channelsLast()
        let weight = gaussian([own.outputs, own.inputs, own.kernel, own.kernel], seed: 2).to(dtype)
        x.requiresGrad = true
        func run(_ weight: Tensor, threads: Int) -> (values: [Double], gradients: [[Double]]) {
            let before = Engine.threads
            defer { Engine.threads = before }
            Engine.threads = threads
            let learnt = weight.detach()
            learnt.requiresGrad = true
            let y = conv2d(x, weight: learnt, padding: own.padding, dilation: own.dilation)
            let upper = gaussian(y.shape, seed: 3).to(dtype)
            let found = gradients(of: (y * upper).sum(), withRespectTo: [x, learnt])
            return (y.doubles(), found.map { $0?.doubles() ?? [] })
        }
        let upper = gaussian([own.images, own.outputs, own.height, own.width], seed: 3).to(dtype).doubles()
        let wanted = kernels(own, x: x.doubles(), upper: upper)
        let found = run(weight, threads: 1)
        let tolerance = dtype == .float32 ? 1e-4 : 1e-12
        #expect(isClose(found.gradients[1], wanted, tolerance))
        // The map's gradient is libtorch's, which gives it for kernels that are not learnt too.
        let y = conv2d(x, weight: weight, padding: own.padding, dilation: own.dilation)
        let slope = gradients(of: (y * gaussian(y.shape, seed: 3).to(dtype)).sum(), withRespectTo: [x])[0]?.doubles()
        #expect(isClose(found.gradients[0], slope ?? [], tolerance) && isClose(found.values, y.doubles(), tolerance))
        // On any number of threads, and however the kernels lie.
        #expect(run(weight, threads: 2).gradients[1] == found.gradients[1])
        #expect(run(weight.channelsLast(), threads: 1).gradients[1] == found.gradients[1])
    }
}
