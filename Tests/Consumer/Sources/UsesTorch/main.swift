import Torch

// The gradient of a convolution with batch normalisation behind it against finite differences, in float64.
func loss(_ images: Tensor, _ weight: Tensor) -> Tensor {
    let maps = conv2d(images, weight: weight, bias: nil, stride: 2, padding: 1, dilation: 1, groups: 1)
    return batchNorm(
        maps, weight: nil, bias: nil, runningMean: nil, runningVariance: nil, training: true, momentum: 0.1, eps: 1e-3
    ).exp().sum()
}

let images = Tensor.normal([2, 3, 7, 6], generator: Generator(seed: 1), dtype: .float64)
let weight = Tensor.normal([4, 3, 3, 3], generator: Generator(seed: 2), dtype: .float64)
weight.requiresGrad = true
let values = weight.doubles()
let found = gradients(of: loss(images, weight), withRespectTo: [weight])[0]?.doubles() ?? []
precondition(found.count == values.count)
for element in values.indices {
    func value(_ step: Double) -> Double {
        var moved = values
        moved[element] += step
        return withoutGradients { loss(images, Tensor(moved, shape: weight.shape)).item() }
    }
    let slope = (value(1e-5) - value(-1e-5)) / 2e-5
    precondition(abs(slope - found[element]) < 1e-6 * max(1, abs(slope)), "\(found[element]) instead of \(slope)")
}
print("Torch: \(values.count) derivatives agree with finite differences")
