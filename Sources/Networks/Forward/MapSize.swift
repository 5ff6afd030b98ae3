import SearchSpace
import Torch

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

    /// Bilinear resizing to this size.
    func resize(_ map: Tensor, alignCorners: Bool = true) -> Tensor {
        interpolateBilinear(map, height: height, width: width, alignCorners: alignCorners)
    }
}
