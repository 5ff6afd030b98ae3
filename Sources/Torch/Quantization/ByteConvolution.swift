import CTorch
import Foundation

/// A convolution of bytes by a kernel that was rounded to signed bytes, with a real bias.
///
/// Several threads may use one; a lock guards what it remembers.
package final class ByteConvolution {
    /// Whether libtorch has them on this machine.
    package static var isAvailable: Bool { ct_has_byte_convolutions() }

    /// Sizes of maps that are remembered at a time.
    private static let rememberedSizes = 8

    private let kernel: Tensor
    private let scales: Tensor
    private let bias: Tensor
    private let input: ByteScale
    private let convolution: Conv2d
    private let lock = NSLock()
    /// The kernel in the order that is the fastest one for maps of a size, which oneDNN would else bring it into anew
    /// for each.
    private var packed: [[Int]: Tensor] = [:]

    /// Rounds a kernel.
    ///
    /// - Parameters:
    ///   - convolution: How it moves over its input.
    ///   - weight: `[O, C / groups, K, K]`, in the place of the convolution's own.
    ///   - bias: `[O]`; nil for none.
    ///   - input: The scale of the bytes that it takes.
    package init(_ convolution: Conv2d, weight: Tensor, bias: Tensor?, input: ByteScale) {
        let rounded = ByteKernel(weight)
        let outputs = rounded.scales.count
        kernel = Tensor(rounded.values.map(Float.init), shape: weight.shape)
        scales = Tensor(rounded.scales, shape: [outputs])
        self.bias = bias.map { $0.detach().to(.float32) } ?? Tensor.zeros([outputs])
        self.input = input
        self.convolution = convolution
    }

    /// Convolves bytes `[N, C, H, W]`.
    ///
    /// - Parameters:
    ///   - x: Bytes of the scale that was given.
    ///   - output: The scale of the result; nil for 32-bit floats.
    /// - Returns: `[N, O, H', W']`. Bytes do not go beyond their scale: one that begins at 0 is a ReLU.
    package func callAsFunction(_ x: Tensor, output: ByteScale?) -> Tensor {
        let (padded, padding) = convolution.padded(x, zero: Double(input.zero))
        let form = ct_byte_convolution(
            stride: Int64(convolution.stride), padding: Int64(padding), dilation: Int64(convolution.dilation),
            groups: Int64(convolution.groups))
        let packed = packed(for: padded.shape, form)
        return Tensor.make("byteConvolution", padded) { result in
            func run(_ scale: UnsafePointer<ct_byte_scale>?) -> Int32 {
                ct_byte_conv2d(
                    padded.handle, input.forEngine, packed.handle, scales.handle, bias.handle, form, scale, result)
            }
            return output.map { withUnsafePointer(to: $0.forEngine, run) } ?? run(nil)
        }
    }

    private func packed(for shape: [Int], _ form: ct_byte_convolution) -> Tensor {
        lock.withLock {
            if let known = packed[shape] { return known }
            let made = Tensor.make("packByteKernel", kernel) {
                ct_pack_byte_kernel(
                    kernel.handle, scales.handle, input.forEngine, shape.wide, Int64(shape.count), form, $0)
            }
            if packed.count >= Self.rememberedSizes { packed = [:] }
            packed[shape] = made
            return made
        }
    }
}
