import SearchSpace
import Torch

/// The forward pass on tensors, which notes between what values the result of each operation lies.
///
/// Results are noted in the order in which the operations are asked for, the images first; maps side by side are asked
/// for before the pixel behind them.
package final class RangeRecorder: ForwardBackend {
    /// The least and the largest value of the images and then of each result.
    package private(set) var ranges: [ClosedRange<Float>] = []
    private let tensors: TensorBackend

    /// A recorder of one pass over images `[N, channels, H, W]`.
    package init(images: Tensor) {
        tensors = TensorBackend(image: MapSize(of: images), mode: .evaluation)
        _ = noted(images)
    }

    private func noted(_ x: Tensor) -> Tensor {
        let values = x.reshape([-1])
        let (least, largest) = (-Float((-values).max(0).item()), Float(values.max(0).item()))
        ranges.append(least...max(least, largest))
        return x
    }

    package func convolve(_ x: Tensor, by convolution: Conv2d) -> Tensor {
        noted(tensors.convolve(x, by: convolution))
    }

    package func convolve(_ x: Tensor, by convolution: NormalizedConv, activation: Activation?) -> Tensor {
        noted(tensors.convolve(x, by: convolution, activation: activation))
    }

    package func project(
        _ maps: () -> [Tensor], besides pixel: () -> Tensor, by projection: NormalizedConv, named name: String
    ) -> Tensor {
        let (maps, pixel) = (maps(), pixel())
        return noted(tensors.project({ maps }, besides: { pixel }, by: projection, named: name))
    }

    package func rectify(_ x: Tensor) -> Tensor { noted(tensors.rectify(x)) }

    package func scale(_ x: Tensor, by factors: [Double], plus summands: [Double], named name: String) -> Tensor {
        noted(tensors.scale(x, by: factors, plus: summands, named: name))
    }

    package func pool(
        _ x: Tensor, _ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int, named name: String
    ) -> Tensor {
        noted(tensors.pool(x, pool, kernelSize: kernelSize, stride: stride, named: name))
    }

    package func resize(_ x: Tensor, toStride stride: Int, alignCorners: Bool) -> Tensor {
        noted(tensors.resize(x, toStride: stride, alignCorners: alignCorners))
    }

    package func mean(_ x: Tensor, named name: String) -> Tensor { noted(tensors.mean(x, named: name)) }

    package func join(_ maps: [Tensor], named name: String) -> Tensor { noted(tensors.join(maps, named: name)) }

    package func add(_ x: Tensor, _ y: Tensor, named name: String) -> Tensor {
        noted(tensors.add(x, y, named: name))
    }

    package func zeros(channels: Int, stride: Int, like x: Tensor, named name: String) -> Tensor {
        noted(tensors.zeros(channels: channels, stride: stride, like: x, named: name))
    }
}
