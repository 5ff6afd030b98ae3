import SearchSpace
import Torch

/// A map `[N, C, H, W]` and what several branches derive from it, each computed when first asked for and only once.
final class CachedFeatureMap {
    /// The map as it is.
    let value: Tensor
    private var derived: [Derivation: Tensor] = [:]

    private enum Derivation: Hashable {
        case rectified
        case rectifiedAndResized([Int])
        case pooled(SearchSpace.Operator.Pool, kernelSize: Int, stride: Int)
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
    func pooled(_ pool: SearchSpace.Operator.Pool, kernelSize: Int, stride: Int) -> Tensor {
        derive(.pooled(pool, kernelSize: kernelSize, stride: stride)) {
            pool2d(value, pool, kernelSize: kernelSize, stride: stride)
        }
    }

    /// The map at a size: this one where it has that size, so that its ReLU stays shared.
    func resized(to size: MapSize) -> CachedFeatureMap {
        size == MapSize(of: value) ? self : CachedFeatureMap(size.resize(value))
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
