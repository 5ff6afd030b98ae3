import SearchSpace
import Torch

/// A map `[N, C, H, W]` and what several branches derive from it, each computed when first asked for and only once.
final class SharedMap {
    /// The map as it is.
    let value: Tensor
    private var derived: [Derivation: Tensor] = [:]

    private enum Derivation: Hashable {
        case rectified
        case rectifiedAndResized([Int])
        case pooled(Operator, stride: Int)
    }

    init(_ value: Tensor) {
        self.value = value
    }

    /// After ReLU.
    var rectified: Tensor { derive(.rectified) { value.relu() } }

    /// After ReLU and bilinear resizing, in this order: what a strided atrous convolution reads.
    func rectified(at size: MapSize) -> Tensor {
        derive(.rectifiedAndResized([size.height, size.width])) { size.resize(rectified) }
    }

    /// After a pool.
    func pooled(by op: Operator, stride: Int) -> Tensor {
        derive(.pooled(op, stride: stride)) {
            let kernelSize = op.kernelSize ?? 1
            return op == .maxPool3x3
                ? maxPool2d(value, kernelSize: kernelSize, stride: stride)
                : averagePool2d(value, kernelSize: kernelSize, stride: stride)
        }
    }

    /// The map at a size: this one where it has that size, so that its ReLU stays shared.
    func resized(to size: MapSize) -> SharedMap {
        size == MapSize(of: value) ? self : SharedMap(size.resize(value))
    }

    private func derive(_ derivation: Derivation, _ compute: () -> Tensor) -> Tensor {
        if let known = derived[derivation] { return known }
        let result = compute()
        derived[derivation] = result
        return result
    }
}

/// Height and width of a map.
struct MapSize: Hashable {
    var height: Int
    var width: Int

    init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// The size of `[N, C, H, W]`.
    init(of map: Tensor) {
        self.init(height: map.size(2), width: map.size(3))
    }

    /// The size of this image's maps at a stride.
    func at(stride: Int) -> MapSize {
        MapSize(height: scaledSize(height, stride: stride), width: scaledSize(width, stride: stride))
    }

    /// Bilinear resizing to this size, corners aligned.
    func resize(_ map: Tensor) -> Tensor {
        interpolateBilinear(map, height: height, width: width, alignCorners: true)
    }
}
