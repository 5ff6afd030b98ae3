import Foundation
import Testing
import Torch

/// Maps of bytes and their convolutions, against literal sums.
@Suite struct ByteTests {
    private static let scales = [
        ByteScale(covering: -1...1), ByteScale(covering: 0...6), ByteScale(covering: -0.3...9),
    ]

    private func byte(_ value: Double, _ scale: ByteScale) -> UInt8 {
        UInt8(max(0, min(255, (value / Double(scale.scale)).rounded() + Double(scale.zero))))
    }

    private func reals(_ bytes: [UInt8], _ scale: ByteScale) -> [Double] {
        bytes.map { Double(scale.scale) * (Double($0) - Double(scale.zero)) }
    }

    @Test func roundingThereAndBack() {
        for scale in Self.scales {
            // Also where libtorch's threads share the work.
            for shape in [[1, 3, 5, 7], [2, 32, 40, 41]] {
                let x = gaussian(shape).to(.float32) * 3
                let q = x.bytes(scale)
                #expect(q.dtype == .uint8 && q.isChannelsLast)
                let (values, bytes) = (x.floats(), q.doubles().map { UInt8($0) })
                for (value, byte) in zip(values, bytes) {
                    let wanted = self.byte(Double(value), scale)
                    let isTie = abs(abs(Double(value / scale.scale).truncatingRemainder(dividingBy: 1)) - 0.5) < 1e-3
                    #expect(byte == wanted || (isTie && abs(Int(byte) - Int(wanted)) == 1), "\(value)")
                }
                #expect(isClose(q.reals(scale).doubles(), reals(bytes, scale), 1e-5))
            }
        }
    }

    @Test func whatIsNoByteBecomesOne() {
        let x = Tensor([.nan, .infinity, -.infinity, 1e30, -1e30, 0] as [Float], shape: [1, 1, 2, 3])
        #expect(x.bytes(ByteScale(covering: 0...6)).doubles() == [0, 255, 0, 255, 0, 0])
    }

    @Test func sumsOfTwoScales() {
        let (first, second, sum) = (Self.scales[0], Self.scales[2], ByteScale(covering: -1.5...8))
        for shape in [[1, 3, 5, 7], [1, 32, 40, 41]] {
            let (a, b) = ((gaussian(shape).to(.float32)).bytes(first), (gaussian(shape).to(.float32) * 4).bytes(second))
            let found = addBytes(a, first, b, second, as: sum).doubles()
            let (x, y) = (reals(a.doubles().map { UInt8($0) }, first), reals(b.doubles().map { UInt8($0) }, second))
            let wanted = zip(x, y).map { Double(byte($0 + $1, sum)) }
            #expect(zip(found, wanted).allSatisfy { abs($0 - $1) <= 1 })
            let different = zip(found, wanted).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
            #expect(different * 100 < found.count, "\(different) of \(found.count)")
        }
    }

    private struct Form {
        var kernel = 3
        var stride = 1
        var dilation = 1
        var groups = 1
        var padding: Padding?
        var size = [9, 11]
        var channels = [6, 8]
    }

    private static let forms = [
        Form(), Form(kernel: 1), Form(stride: 2), Form(dilation: 2), Form(kernel: 5, groups: 6, channels: [6, 6]),
        Form(kernel: 3, stride: 2, groups: 12, channels: [12, 12]), Form(kernel: 5, stride: 2, padding: .same),
        // An even size, whose odd zero stands behind.
        Form(stride: 2, padding: .same, size: [10, 12]), Form(kernel: 1, size: [1, 1]),
        Form(kernel: 1, size: [40, 33], channels: [64, 96]), Form(channels: [64, 40]),
    ]

    private func convolution(_ form: Form) -> (convolution: Conv2d, bias: Tensor) {
        let store = VariableStore(generator: Generator(seed: 3))
        let convolution = Conv2d(
            store.root / "conv", inputChannels: form.channels[0], outputChannels: form.channels[1],
            kernelSize: form.kernel, stride: form.stride, padding: form.padding, dilation: form.dilation,
            groups: form.groups)
        return (convolution, gaussian([form.channels[1]]).to(.float32))
    }

    @Test(.enabled(if: ByteConvolution.isAvailable, "this libtorch has no convolutions of bytes"))
    func convolutionsAreTheirSums() {
        for form in Self.forms {
            let (convolution, bias) = convolution(form)
            let input = Self.scales[2]
            let kernel = ByteKernel(convolution.weight)
            let each = kernel.values.count / kernel.scales.count
            let weights = kernel.values.enumerated().map { Double($1) * Double(kernel.scales[$0 / each]) }
            let q = (gaussian([2, form.channels[0]] + form.size).to(.float32) * 4).bytes(input)
            let x = q.reals(input).to(.float64)
            let wanted = withoutGradients {
                convolution(
                    x, weight: Tensor(weights, shape: convolution.weight.shape), bias: bias.to(.float64))
            }
            let bytes = ByteConvolution(convolution, weight: convolution.weight, bias: bias, input: input)
            let found = bytes(q, output: nil)
            #expect(found.dtype == .float32 && found.shape == wanted.shape)
            #expect(difference(found.to(.float64), wanted) < 1e-4, "\(form)")
            // As bytes they are the nearest, and cut off at the ends of the scale: below 0 by one that begins there.
            for output in [ByteScale(covering: -20...20), ByteScale(covering: 0...3)] {
                let rounded = bytes(q, output: output)
                #expect(rounded.dtype == .uint8)
                let ends = reals([0, 255], output)
                for (value, exact) in zip(rounded.reals(output).doubles(), wanted.doubles()) {
                    let possible = max(ends[0], min(ends[1], exact))
                    #expect(abs(value - possible) <= 0.51 * Double(output.scale), "\(form)")
                }
            }
        }
    }

    @Test(.enabled(if: ByteConvolution.isAvailable, "this libtorch has no convolutions of bytes"))
    func sizesAreForgottenAndThreadsShare() async {
        let (convolution, bias) = convolution(Form(kernel: 1, channels: [96, 40]))
        let input = Self.scales[0]
        func made() -> ByteConvolution {
            ByteConvolution(convolution, weight: convolution.weight, bias: bias, input: input)
        }
        let bytes = Shared(made())
        let sizes = (1...12).map { $0 * 3 }
        func image(_ size: Int) -> Tensor { gaussian([1, 96, size, size]).to(.float32).bytes(input) }
        let wanted = sizes.map { made()(image($0), output: nil).doubles() }
        await withTaskGroup(of: [[Double]].self) { group in
            for _ in 0..<3 {
                group.addTask { (sizes + sizes.reversed()).map { bytes.value(image($0), output: nil).doubles() } }
            }
            for await found in group { #expect(found == wanted + wanted.reversed()) }
        }
    }
}

/// A reference that tasks share.
private struct Shared<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
