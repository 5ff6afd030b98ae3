import SearchSpace
import Torch

/// The pool of each window of `[N, C, H, W]`, to `[N, C, ceil(H / stride), ceil(W / stride)]`.
func pool2d(_ x: Tensor, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int = 1) -> Tensor {
    switch pool {
    case .average: averagePool2d(x, kernelSize: kernelSize, stride: stride)
    case .maximum: maxPool2d(x, kernelSize: kernelSize, stride: stride)
    }
}
