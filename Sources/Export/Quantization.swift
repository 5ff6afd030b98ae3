import Torch

/// Between what values the results of a network's operations lie, by which integers of 8 bits can stand for them.
public struct Quantization: Hashable, Sendable {
    /// Of the images and then of each operation, in the order of the forward pass.
    let ranges: [ClosedRange<Float>]

    /// The ranges of one pass, as `RangeRecorder` notes them.
    package init(ranges: [ClosedRange<Float>]) { self.ranges = ranges }

    /// The ranges of this and of another pass of the same network together.
    package func union(_ other: Quantization) -> Quantization {
        precondition(ranges.count == other.ranges.count, "passes of different networks")
        return Quantization(
            ranges: zip(ranges, other.ranges).map {
                min($0.lowerBound, $1.lowerBound)...max($0.upperBound, $1.upperBound)
            })
    }
}

/// Real numbers x as bytes q: x = scale (q - zero).
package struct ByteScale: Hashable {
    /// What one step of the bytes stands for.
    package let scale: Float
    /// The byte that stands for 0.
    package let zero: UInt8

    /// The scale that covers a range, and 0 exactly, as padding wants it.
    package init(covering range: ClosedRange<Float>) {
        let (least, largest) = (min(0, range.lowerBound), max(0, range.upperBound))
        let width = largest - least
        scale = width > 0 && (width / 255).isNormal ? width / 255 : 1
        zero = UInt8(clamping: Int(clamping: (-least / scale).rounded()))
    }
}

/// A kernel `[O, I, K, K]` as signed bytes q of each output's own scale s: w = s q.
package struct ByteKernel {
    /// The bytes, in the kernel's order.
    package let values: [Int8]
    /// A scale for each output.
    package let scales: [Float]

    /// Rounds a kernel.
    package init(_ weight: Tensor) {
        let all = weight.doubles()
        let each = all.count / max(1, weight.size(0))
        let scales = (0..<weight.size(0)).map { output in
            let largest = all[output * each..<(output + 1) * each].reduce(0) { max($0, abs($1)) }
            return Float(largest) > 0 && (Float(largest) / 127).isNormal ? Float(largest) / 127 : 1
        }
        values = all.enumerated().map { index, value in
            Int8(clamping: max(-127, min(127, Int(clamping: (value / Double(scales[index / each])).rounded()))))
        }
        self.scales = scales
    }
}

/// Puts integers of 8 bits between a graph's operations: ONNX's form in which each result is rounded to a byte and made a
/// real number again (`QuantizeLinear`, `DequantizeLinear`), of which runtimes make operations on bytes.
///
/// The class layer's scores and what is made of them stay real numbers: classes are told apart by small differences.
final class Quantizer {
    private let ranges: [ClosedRange<Float>]
    private let builder: GraphBuilder
    private var next = 0

    init(_ quantization: Quantization, builder: GraphBuilder) {
        ranges = quantization.ranges
        self.builder = builder
    }

    /// The next operation's result as bytes; where it `stays`, as it is.
    func quantized(_ map: GraphBackend.Map, stays: Bool) -> GraphBackend.Map {
        precondition(next < ranges.count, "ranges of another network")
        let bytes = ByteScale(covering: ranges[next])
        next += 1
        if stays { return map }
        let parameters = [builder.weights(scalar: bytes.scale), builder.byte(bytes.zero)]
        let quantized = builder.node("QuantizeLinear", [map.name] + parameters, name: map.name + ".bytes")
        let restored = builder.node("DequantizeLinear", [quantized] + parameters, name: map.name + ".restored")
        var map = map
        (map.name, map.scale) = (restored, bytes.scale)
        return map
    }

    /// A kernel and a bias of a convolution on bytes of this scale; the bias in whole numbers of both scales' product.
    func parameters(_ weight: Tensor, _ bias: Tensor?, of scale: Float, name: String) -> [String] {
        let kernel = ByteKernel(weight)
        let count = kernel.scales.count
        let bytes = builder.integers(kernel.values, shape: weight.shape, name: name + ".weight.bytes")
        let scales = builder.weights(Tensor(kernel.scales, shape: [count]), name: name + ".weight.scales")
        let zeros = builder.integers([Int8](repeating: 0, count: count), shape: [count], name: name + ".weight.zeros")
        var result = [
            builder.node(
                "DequantizeLinear", [bytes, scales, zeros], ["axis": .integer(0)], name: name + ".weight")
        ]
        guard let bias else { return result }
        let products = kernel.scales.map { $0 * scale }
        let units = zip(bias.doubles(), products).map { Int32(clamping: Int(clamping: ($0 / Double($1)).rounded())) }
        let whole = builder.integers(units, shape: [count], name: name + ".bias.units")
        let unit = builder.weights(Tensor(products, shape: [count]), name: name + ".bias.scales")
        result.append(
            builder.node("DequantizeLinear", [whole, unit], ["axis": .integer(0)], name: name + ".bias"))
        return result
    }
}
