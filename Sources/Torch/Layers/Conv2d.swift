/// The zeros around an image that is convolved.
public enum Padding: Hashable, Sendable {
    /// So many on each side.
    case each(Int)
    /// TensorFlow's SAME: as many as give ceil(size / stride) pixels, the odd one behind the image.
    case same

    /// The zeros before and behind a side of an image.
    ///
    /// - Parameters:
    ///   - size: Pixels of the side.
    ///   - kernelSize: Taps of the kernel.
    ///   - stride: Step in pixels.
    ///   - dilation: Step between the taps.
    /// - Returns: Both counts.
    public func zeros(size: Int, kernelSize: Int, stride: Int, dilation: Int = 1) -> (before: Int, after: Int) {
        switch self {
        case .each(let count): return (count, count)
        case .same:
            let total = max((size + stride - 1) / stride * stride - stride + dilation * (kernelSize - 1) + 1 - size, 0)
            return (total / 2, total - total / 2)
        }
    }
}

/// A convolution with its kernel `weight` `[O, C / groups, K, K]` and, if wanted, `bias` `[O]`.
public final class Conv2d {
    /// Dotted name of its place, below which its variables are.
    public let name: String
    /// Kernel `[O, C / groups, K, K]`.
    public let weight: Tensor
    /// Bias `[O]`, where there is one.
    public let bias: Tensor?
    /// Step in pixels.
    public let stride: Int
    /// Zeros around the image.
    public let padding: Padding
    /// Step between the kernel's taps: the atrous rate.
    public let dilation: Int
    /// Groups of channels that do not mix.
    public let groups: Int

    /// Makes the kernel under `path`; without `padding` the output is the input's size divided by the stride, rounded
    /// up.
    public init(
        _ path: Path, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1,
        padding: Padding? = nil, dilation: Int = 1, groups: Int = 1, bias: Bool = false,
        initializer: Initializer = .uniformFanIn
    ) {
        precondition(inputChannels % groups == 0 && outputChannels % groups == 0, "\(path.name): groups do not divide")
        name = path.name
        self.stride = stride
        self.padding = padding ?? .each(dilation * (kernelSize - 1) / 2)
        self.dilation = dilation
        self.groups = groups
        weight = path.parameter(
            "weight", shape: [outputChannels, inputChannels / groups, kernelSize, kernelSize],
            initializer: initializer, kind: .convolution)
        self.bias = bias ? path.parameter("bias", shape: [outputChannels], initializer: .zeros, kind: .bias) : nil
    }

    /// Convolves `[N, C, H, W]`.
    public func callAsFunction(_ x: Tensor) -> Tensor { callAsFunction(x, weight: weight, bias: bias) }

    /// Convolves `[N, C, H, W]` by another kernel and bias in the place of its own.
    package func callAsFunction(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
        let (padded, padding) = padded(x)
        return conv2d(
            padded, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }

    /// A map as a convolution is to take it that pads all sides alike.
    ///
    /// - Parameters:
    ///   - x: The map `[N, C, H, W]`.
    ///   - zero: What stands for 0 in it.
    /// - Returns: The map, padded where its sides differ, and the zeros that are still to come on each side.
    func padded(_ x: Tensor, zero: Double = 0) -> (x: Tensor, padding: Int) {
        let (top, bottom) = zeros(ofSize: x.size(2))
        let (left, right) = zeros(ofSize: x.size(3))
        if top == bottom && left == right && top == left { return (x, top) }
        return (x.pad([left, right, top, bottom], value: zero), 0)
    }

    /// The zeros before and behind a side of so many pixels.
    package func zeros(ofSize size: Int) -> (before: Int, after: Int) {
        padding.zeros(size: size, kernelSize: weight.size(2), stride: stride, dilation: dilation)
    }
}
