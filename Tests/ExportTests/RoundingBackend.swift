import Networks
import SearchSpace
import Torch

/// What a network of bytes computes, literally: every result is a real number in 64 bits, rounded to the values that its
/// bytes can have.
final class RoundingBackend: ForwardBackend {
    struct Map {
        var values: Tensor
        var scale: ByteScale
        var isOfBytes: Bool
    }

    private let scales: [ByteScale]
    private let height: Int
    private let width: Int
    private var next = 0

    init(_ ranges: [ClosedRange<Float>], height: Int, width: Int) {
        scales = ranges.map { ByteScale(covering: $0) }
        (self.height, self.width) = (height, width)
    }

    func images(_ images: Tensor) -> Map { real(images.to(.float64)) }

    private func nextScale() -> ByteScale {
        defer { next += 1 }
        return scales[next]
    }

    private func rounded(_ x: Tensor, _ scale: ByteScale) -> Tensor {
        let (step, zero) = (Double(scale.scale), Double(scale.zero))
        let values = x.doubles().map { value in
            step * (max(0, min(255, (value / step).rounded() + zero)) - zero)
        }
        return Tensor(values, shape: x.shape)
    }

    private func real(_ values: Tensor) -> Map { Map(values: values, scale: nextScale(), isOfBytes: false) }

    private func bytes(_ values: Tensor) -> Map {
        let scale = nextScale()
        return Map(values: rounded(values, scale), scale: scale, isOfBytes: true)
    }

    private func taken(_ x: Map) -> Tensor { x.isOfBytes ? x.values : rounded(x.values, x.scale) }

    /// Each output's weights in 127 steps of their largest.
    private func kernel(_ weight: Tensor) -> Tensor {
        let (values, outputs) = (weight.doubles(), weight.size(0))
        let each = values.count / outputs
        let rounded = (0..<outputs).flatMap { output -> [Double] in
            let own = values[output * each..<(output + 1) * each]
            let step = Double(Float(own.map(abs).max() ?? 0) / 127)
            return own.map { step > 0 ? ($0 / step).rounded() * step : 0 }
        }
        return Tensor(rounded, shape: weight.shape)
    }

    private func convolve(_ x: Tensor, _ convolution: Conv2d, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
        convolution(x, weight: kernel(weight), bias: bias?.to(.float64))
    }

    func convolve(_ x: Map, by convolution: Conv2d) -> Map {
        if convolution.name == "decoder.logits" {
            return real(
                convolution(
                    x.values, weight: convolution.weight.to(.float64), bias: convolution.bias?.to(.float64)))
        }
        return bytes(convolve(taken(x), convolution, convolution.weight, convolution.bias))
    }

    func convolve(_ x: Map, by convolution: NormalizedConv, activation: Activation?) -> Map {
        let (weight, bias) = convolution.foldedParameters()
        let y = convolve(taken(x), convolution.conv, weight, bias)
        return bytes(activation == nil ? y : y.relu())
    }

    func project(
        _ maps: () -> [Map], besides pixel: () -> Map, by projection: NormalizedConv, named name: String
    ) -> Map {
        let all = maps() + [pixel()]
        let (weight, bias) = projection.foldedParameters()
        var first = 0
        var sum = bias.to(.float64).reshape([1, -1, 1, 1])
        for map in all {
            let channels = map.values.size(1)
            let share = weight.narrow(1, start: first, length: channels)
            sum = sum + convolve(taken(map), projection.conv, share, nil)
            first += channels
        }
        return real(sum.relu())
    }

    func rectify(_ x: Map) -> Map {
        let scale = nextScale()
        return Map(values: x.values.relu(), scale: x.isOfBytes ? x.scale : scale, isOfBytes: x.isOfBytes)
    }

    func add(_ x: Map, _ y: Map, named name: String) -> Map {
        x.isOfBytes && y.isOfBytes ? bytes(x.values + y.values) : real(x.values + y.values)
    }

    func scale(_ x: Map, by factors: [Double], plus summands: [Double], named name: String) -> Map {
        func channels(_ values: [Double]) -> Tensor { Tensor(values, shape: [1, values.count, 1, 1]) }
        return real(x.values * channels(factors) + channels(summands))
    }

    func pool(_ x: Map, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String) -> Map {
        switch pool {
        case .average: real(averagePool2d(x.values, kernelSize: kernelSize, stride: stride))
        case .maximum: real(maxPool2d(x.values, kernelSize: kernelSize, stride: stride))
        }
    }

    func resize(_ x: Map, toStride stride: Int, alignCorners: Bool) -> Map {
        let size = [scaledSize(height, stride: stride), scaledSize(width, stride: stride)]
        if x.values.shape.suffix(2) == size[...] {
            _ = nextScale()
            return x
        }
        return real(interpolateBilinear(x.values, height: size[0], width: size[1], alignCorners: alignCorners))
    }

    func mean(_ x: Map, named name: String) -> Map { real(x.values.mean([2, 3], keep: true)) }

    func join(_ maps: [Map], named name: String) -> Map { real(concatenate(maps.map(\.values), dim: 1)) }

    func zeros(channels: Int, stride: Int, like x: Map, named name: String) -> Map {
        real(
            Tensor.zeros(
                [x.values.size(0), channels, scaledSize(height, stride: stride), scaledSize(width, stride: stride)],
                dtype: .float64))
    }
}
