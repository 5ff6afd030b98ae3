import SearchSpace
import Torch

/// The forward pass on tensors, for one batch of images.
final class TensorBackend: ForwardBackend {
    /// What a training step does besides: drop path and dropout.
    struct Dropping {
        let regularization: Regularization
        let dropPath: DropPath
        /// Probability that dropout keeps a value.
        let dropoutKeep: Double
        let images: Tensor
    }

    private let image: MapSize
    private let mode: NormalizationMode
    private let dropping: Dropping?
    /// Factors `[N, 1, 1, 1]` of the current cell's branches; none where all are kept.
    private var masks: [Tensor] = []

    /// - Parameters:
    ///   - image: The images' size.
    ///   - mode: How batch normalisation behaves.
    ///   - dropping: Drop path and dropout; nil for none.
    init(image: MapSize, mode: NormalizationMode, dropping: Dropping? = nil) {
        self.image = image
        self.mode = mode
        self.dropping = dropping
    }

    /// The size of maps at a stride.
    func size(atStride stride: Int) -> MapSize { image.at(stride: stride) }

    func convolve(_ x: Tensor, by convolution: Conv2d) -> Tensor { convolution(x) }

    func convolve(_ x: Tensor, by convolution: NormalizedConv, activation: Activation?) -> Tensor {
        convolution(x, mode: mode, activation: activation)
    }

    func convolve(_ x: Tensor, by depthwise: Conv2d, then pointwise: NormalizedConv) -> Tensor {
        guard x.device.kind == .cpu, !isBFloat16(on: x.device),
            TensorBackend.isOneOperation(depthwise, pointwise.conv, values: x.shape.reduce(1, *))
        else {
            return convolve(convolve(x, by: depthwise), by: pointwise, activation: nil)
        }
        return pointwise.apply(mode: mode, activation: nil) { weight, bias in
            let y = separableConv2d(
                x, depthwise: depthwise.weight, pointwise: weight, dilation: depthwise.dilation)
            if let bias { y.add(bias.reshape([1, -1, 1, 1])) }
            return y
        }
    }

    /// Whether processors go through the rows of a map with both convolutions together, so that what lies between them is
    /// never stored: of more channels the two alone take as long, but on maps of few values, where libtorch takes longer to
    /// begin than to compute (docs/PERFORMANCE.md).
    static func isOneOperation(_ depthwise: Conv2d, _ pointwise: Conv2d, values: Int) -> Bool {
        let (channels, size) = (depthwise.weight.size(0), depthwise.weight.size(2))
        return depthwise.bias == nil && depthwise.stride == 1
            && depthwise.weight.shape == [channels, 1, size, size] && size % 2 == 1
            && depthwise.padding == .each(depthwise.dilation * (size - 1) / 2)
            && pointwise.weight.shape == [channels, channels, 1, 1] && pointwise.stride == 1
            && (channels <= 64 || channels <= 128 && values <= 20_480)
    }

    func project(
        _ maps: () -> [Tensor], besides pixel: () -> Tensor, by projection: NormalizedConv, named name: String
    ) -> Tensor {
        let pixel = pixel()
        let map = concatenate(maps(), dim: 1)
        return projection.apply(mode: mode, activation: .relu) { weight, bias in
            conv2d(map, weight: weight.narrow(1, start: 0, length: map.size(1)))
                + conv2d(
                    pixel, weight: weight.narrow(1, start: map.size(1), length: pixel.size(1)), bias: bias)
        }
    }

    func rectify(_ x: Tensor) -> Tensor { x.relu() }

    func scale(_ x: Tensor, by factors: [Double], plus summands: [Double], named name: String) -> Tensor {
        func tensor(_ values: [Double]) -> Tensor {
            Tensor(values, shape: [1, values.count, 1, 1]).to(x.dtype).to(x.device)
        }
        return x * tensor(factors) + tensor(summands)
    }

    func pool(
        _ x: Tensor, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String
    ) -> Tensor {
        pool2d(x, pool, kernelSize: kernelSize, stride: stride)
    }

    func resize(_ x: Tensor, toStride stride: Int, alignCorners: Bool) -> Tensor {
        size(atStride: stride).resize(x, alignCorners: alignCorners)
    }

    func mean(_ x: Tensor, named name: String) -> Tensor { x.mean([2, 3], keep: true) }

    func join(_ maps: [Tensor], named name: String) -> Tensor { concatenate(maps, dim: 1) }

    func add(_ x: Tensor, _ y: Tensor, named name: String) -> Tensor { x + y }

    func zeros(channels: Int, stride: Int, like x: Tensor, named name: String) -> Tensor {
        let size = size(atStride: stride)
        return Tensor.zeros([x.size(0), channels, size.height, size.width], dtype: x.dtype, device: x.device)
            .channelsLast()
    }

    func dropPath(_ x: Tensor, cell: Int, branch: Int, of count: Int) -> Tensor {
        guard let dropping else { return x }
        if branch == 0 {
            masks = dropping.dropPath.masks(
                inCell: cell, branches: count, samples: dropping.images.size(0),
                regularization: dropping.regularization, like: dropping.images)
        }
        return masks.isEmpty ? x : x * masks[branch]
    }

    func dropout(_ x: Tensor) -> Tensor {
        dropping.map { $0.regularization.dropout(x, keep: $0.dropoutKeep) } ?? x
    }
}
