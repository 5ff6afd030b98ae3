import Torch

/// The convolutions of one operator on all E edges that leave a state, as one: kernels lie side by side on the output.
///
/// Between a depthwise and its pointwise convolution stands nothing, so at few channels the two are multiplied into one
/// dense kernel, which processors compute faster than the pair.
final class EdgeConvolutions {
    /// Whether every edge reads the same map of C channels, or its own C of E * C.
    enum Reading {
        case shared
        case own
    }

    private let dense: Tensor?
    private let depthwise: Tensor?
    private let pointwise: Tensor?
    private let edges: Int
    private let channels: Int
    private let kernelSize: Int
    private let dilation: Int
    private let reading: Reading

    /// Widest block at which depthwise and pointwise kernels are multiplied.
    static let widestComposed = 16

    /// Dense kernels: `weight` `[E * C, C, K, K]`.
    static func dense(
        _ path: Path, edges: Int, channels: Int, kernelSize: Int, dilation: Int
    ) -> EdgeConvolutions {
        let weight = path.parameter(
            "weight", shape: [edges * channels, channels, kernelSize, kernelSize], initializer: .uniformFanIn,
            kind: .convolution)
        return EdgeConvolutions(
            dense: weight, depthwise: nil, pointwise: nil, edges: edges, channels: channels, kernelSize: kernelSize,
            dilation: dilation, reading: .shared)
    }

    /// Depthwise kernels `depthwise` `[E * C, 1, K, K]` and pointwise ones `pointwise` `[E * C, C, 1, 1]`.
    static func separable(
        _ path: Path, edges: Int, channels: Int, kernelSize: Int, dilation: Int = 1, reading: Reading
    ) -> EdgeConvolutions {
        let depthwise = path.parameter(
            "depthwise", shape: [edges * channels, 1, kernelSize, kernelSize], initializer: .uniformFanIn,
            kind: .convolution)
        let pointwise = path.parameter(
            "pointwise", shape: [edges * channels, channels, 1, 1], initializer: .uniformFanIn, kind: .convolution)
        return EdgeConvolutions(
            dense: nil, depthwise: depthwise, pointwise: pointwise, edges: edges, channels: channels,
            kernelSize: kernelSize, dilation: dilation, reading: reading)
    }

    private init(
        dense: Tensor?, depthwise: Tensor?, pointwise: Tensor?, edges: Int, channels: Int, kernelSize: Int,
        dilation: Int, reading: Reading
    ) {
        self.dense = dense
        self.depthwise = depthwise
        self.pointwise = pointwise
        self.edges = edges
        self.channels = channels
        self.kernelSize = kernelSize
        self.dilation = dilation
        self.reading = reading
    }

    /// `[N, C, H, W]`, or `[N, E * C, H, W]` where every edge has its own, to `[N, E * C, H, W]`.
    func callAsFunction(_ x: Tensor) -> Tensor {
        let padding = dilation * (kernelSize - 1) / 2
        let groups = reading == .own ? edges : 1
        if let dense {
            return conv2d(x, weight: dense, padding: padding, dilation: dilation, groups: groups)
        }
        guard let depthwise, let pointwise else { preconditionFailure("an operator without kernels") }
        if channels <= EdgeConvolutions.widestComposed {
            let weight = composed(depthwise, pointwise)
            return conv2d(x, weight: weight, padding: padding, dilation: dilation, groups: groups)
        }
        let spread = reading == .own || edges == 1 ? x : concatenate(Array(repeating: x, count: edges), dim: 1)
        let between = conv2d(
            spread, weight: depthwise, padding: padding, dilation: dilation, groups: edges * channels)
        return conv2d(between, weight: pointwise, groups: edges)
    }

    /// The dense kernel `[E * C, C, K, K]` that does what both do: pointwise[o, c] * depthwise[c, k].
    private func composed(_ depthwise: Tensor, _ pointwise: Tensor) -> Tensor {
        let area = kernelSize * kernelSize
        let inner = depthwise.reshape([edges, 1, channels, area])
        let outer = pointwise.reshape([edges, channels, channels, 1])
        return (outer * inner).reshape([edges * channels, channels, kernelSize, kernelSize])
    }
}
