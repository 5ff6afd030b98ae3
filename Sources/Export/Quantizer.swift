import Networks
import Torch

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
