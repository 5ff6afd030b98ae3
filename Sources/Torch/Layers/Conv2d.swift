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
    public let padding: Int
    /// Step between the kernel's taps: the atrous rate.
    public let dilation: Int
    /// Groups of channels that do not mix.
    public let groups: Int

    /// Makes the kernel under `path`; without `padding` the output is the input's size divided by the stride, rounded
    /// up.
    public init(
        _ path: Path, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int? = nil,
        dilation: Int = 1, groups: Int = 1, bias: Bool = false, initializer: Initializer = .uniformFanIn
    ) {
        precondition(inputChannels % groups == 0 && outputChannels % groups == 0, "\(path.name): groups do not divide")
        name = path.name
        self.stride = stride
        self.padding = padding ?? dilation * (kernelSize - 1) / 2
        self.dilation = dilation
        self.groups = groups
        weight = path.parameter(
            "weight", shape: [outputChannels, inputChannels / groups, kernelSize, kernelSize],
            initializer: initializer, kind: .convolution)
        self.bias = bias ? path.parameter("bias", shape: [outputChannels], initializer: .zeros, kind: .bias) : nil
    }

    /// Convolves `[N, C, H, W]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        conv2d(x, weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
}
