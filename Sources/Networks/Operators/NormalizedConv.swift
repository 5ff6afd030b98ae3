import Torch

/// A convolution with the batch normalisation behind it; once folded, a convolution with a bias.
package final class NormalizedConv {
    /// The convolution, without a bias.
    package let conv: Conv2d
    /// The normalisation behind it.
    package let norm: BatchNorm2d
    private var folded: (weight: Tensor, bias: Tensor)?

    init(_ conv: Conv2d, _ norm: BatchNorm2d) {
        self.conv = conv
        self.norm = norm
    }

    /// Keeps ``foldedParameters(_:)`` for the passes in evaluation that follow.
    func fold() { folded = foldedParameters() }

    /// Kernel and bias that do what both do in evaluation: w g / d and b - m g / d, d = sqrt(variance + eps).
    ///
    /// - Parameter dtype: What they are computed in; nil for the variables' own kind.
    /// - Returns: Both, of that kind.
    package func foldedParameters(_ dtype: DType? = nil) -> (weight: Tensor, bias: Tensor) {
        func own(_ tensor: Tensor) -> Tensor { dtype.map { tensor.to($0) } ?? tensor }
        return withoutGradients {
            let inverse = 1 / (own(norm.runningVariance) + norm.eps).sqrt()
            let scale = norm.weight.map { own($0) * inverse } ?? inverse
            let shift = own(norm.runningMean) * scale
            return (
                own(conv.weight) * scale.reshape([-1, 1, 1, 1]),
                norm.bias.map { own($0) - shift } ?? -shift
            )
        }
    }

    /// Convolves and normalises `[N, C, H, W]`, with an activation after it if wanted.
    func callAsFunction(_ x: Tensor, mode: NormalizationMode, activation: Activation? = nil) -> Tensor {
        apply(mode: mode, activation: activation) { weight, bias in conv(x, weight: weight, bias: bias) }
    }

    /// The same for a convolution that is computed in another form; `convolve` gets the kernel, and a bias if folded.
    func apply(
        mode: NormalizationMode, activation: Activation?, convolve: (_ weight: Tensor, _ bias: Tensor?) -> Tensor
    ) -> Tensor {
        guard let folded, mode == .evaluation else {
            return norm(convolve(conv.weight, nil), mode: mode, activation: activation)
        }
        let y = convolve(folded.weight, folded.bias)
        activation?.inPlace(y)
        return y
    }
}
