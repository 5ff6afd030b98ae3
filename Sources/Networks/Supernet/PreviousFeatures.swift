import SearchSpace
import Torch

/// The maps of the last two layers by stride: all that the next layer reads.
struct PreviousFeatures {
    private var before2: [Int: Tensor]
    private var before: [Int: Tensor]

    /// The stem's maps at strides 2 and 4, which serve as layers -1 and 0.
    init(half: Tensor, quarter: Tensor) {
        before2 = [2: half]
        before = [4: quarter]
    }

    /// The maps of layers `layer - 1` and `layer`, in the order of ``list``.
    init(_ list: some Collection<Tensor>, after layer: Int, in space: NetworkSpace) {
        func strides(_ layer: Int) -> [Int] {
            layer < 1 ? [layer == 0 ? 4 : 2] : space.strides(inLayer: layer).map(\.rawValue)
        }
        let first = strides(layer - 1)
        before2 = Dictionary(uniqueKeysWithValues: zip(first, list))
        before = Dictionary(uniqueKeysWithValues: zip(strides(layer), list.dropFirst(first.count)))
    }

    /// A map of the last layer.
    func last(at stride: Int) -> Tensor { PreviousFeatures.map(before, stride) }

    /// A map of the layer before the last.
    func second(at stride: Int) -> Tensor { PreviousFeatures.map(before2, stride) }

    /// Moves on by a layer.
    mutating func append(_ maps: [Int: Tensor]) { (before2, before) = (before, maps) }

    /// All maps, finer first in each layer.
    var list: [Tensor] { [before2, before].flatMap { $0.sorted { $0.key < $1.key }.map(\.value) } }

    private static func map(_ maps: [Int: Tensor], _ stride: Int) -> Tensor {
        guard let map = maps[stride] else { preconditionFailure("no map at stride \(stride)") }
        return map
    }
}
