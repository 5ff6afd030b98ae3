import Torch

/// The convolutions of one operator on all E edges that leave a state, as one: kernels lie side by side on the output.
enum EdgeConvolutions {
    /// Dense kernels, `weight` `[E * C, C, K, K]`, on one map that all edges read.
    case dense(weight: Tensor, kernelSize: Int, dilation: Int)
    /// Depthwise kernels `[E * C, 1, K, K]` and pointwise ones `[E * C, C, 1, 1]`.
    case separable(depthwise: Tensor, pointwise: Tensor, edges: Int, dilation: Int, reading: EdgeReading)

    /// Makes dense kernels named `weight`.
    static func dense(
        _ path: Path, edges: Int, channels: Int, kernelSize: Int, dilation: Int
    ) -> EdgeConvolutions {
        let weight = path.parameter(
            "weight", shape: [edges * channels, channels, kernelSize, kernelSize], initializer: .uniformFanIn,
            kind: .convolution)
        return .dense(weight: weight, kernelSize: kernelSize, dilation: dilation)
    }

    /// Makes kernels named `depthwise` and `pointwise`.
    static func separable(
        _ path: Path, edges: Int, channels: Int, kernelSize: Int, dilation: Int = 1, reading: EdgeReading
    ) -> EdgeConvolutions {
        let depthwise = path.parameter(
            "depthwise", shape: [edges * channels, 1, kernelSize, kernelSize], initializer: .uniformFanIn,
            kind: .convolution)
        let pointwise = path.parameter(
            "pointwise", shape: [edges * channels, channels, 1, 1], initializer: .uniformFanIn, kind: .convolution)
        return .separable(
            depthwise: depthwise, pointwise: pointwise, edges: edges, dilation: dilation, reading: reading)
    }

    /// `[N, C, H, W]`, or `[N, E * C, H, W]` where every edge has its own, to `[N, E * C, H, W]`.
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .dense(let weight, let kernelSize, let dilation):
            conv2d(x, weight: weight, padding: dilation * (kernelSize - 1) / 2, dilation: dilation)
        case .separable(let depthwise, let pointwise, let edges, let dilation, let reading):
            separableConv2d(
                x, depthwise: depthwise, pointwise: pointwise, edges: edges, dilation: dilation, reading: reading)
        }
    }

    /// The convolutions of the edge with this number alone.
    func edge(_ number: Int) -> EdgeConvolutions {
        func own(_ weight: Tensor, _ channels: Int) -> Tensor {
            weight.narrow(0, start: number * channels, length: channels)
        }
        switch self {
        case .dense(let weight, let kernelSize, let dilation):
            return .dense(weight: own(weight, weight.size(1)), kernelSize: kernelSize, dilation: dilation)
        case .separable(let depthwise, let pointwise, _, let dilation, _):
            let channels = pointwise.size(1)
            // Of a single edge there is no difference.
            return .separable(
                depthwise: own(depthwise, channels), pointwise: own(pointwise, channels), edges: 1, dilation: dilation,
                reading: .shared)
        }
    }

    /// Of what normalisation and ReLU make of `[G * N, E * C, H, W]`, of which every edge reads its own.
    func callAsFunction(_ x: Tensor, normalizedBy norm: RunningStatistics, mode: NormalizationMode) -> Tensor {
        guard case .separable(let depthwise, let pointwise, let edges, let dilation, .own) = self else {
            return self(norm(x, mode: mode, withReLU: true))
        }
        return batchNormSeparableConv2d(
            x, runningMean: norm.mean, runningVariance: norm.variance, options: norm.options(for: x, mode: mode),
            depthwise: depthwise, pointwise: pointwise, edges: edges, dilation: dilation)
    }
}
