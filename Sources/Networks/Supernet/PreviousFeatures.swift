import SearchSpace
import Torch

/// The maps that the next layers read: those of the last two layers, or of all where there are long skips.
struct PreviousFeatures {
    /// By layer and stride; the stem's are those of layers -1 and 0.
    private var maps: [Int: [Int: Tensor]]
    private var layer = 0
    private let keepsAll: Bool

    /// The stem's maps at strides 2 and 4, which serve as layers -1 and 0.
    init(half: Tensor, quarter: Tensor, keepsAll: Bool) {
        maps = [-1: [2: half], 0: [4: quarter]]
        self.keepsAll = keepsAll
    }

    /// The maps of the layers up to `layer`, in the order of ``list``.
    init(_ list: some Collection<Tensor>, after layer: Int, in space: NetworkSpace, keepsAll: Bool) {
        maps = [:]
        self.layer = layer
        self.keepsAll = keepsAll
        var rest = list[...]
        for kept in held {
            let strides = kept < 1 ? [kept == 0 ? 4 : 2] : space.strides(inLayer: kept).map(\.rawValue)
            maps[kept] = Dictionary(uniqueKeysWithValues: zip(strides, rest))
            rest = rest.dropFirst(strides.count)
        }
    }

    /// The layers whose maps are kept.
    private var held: ClosedRange<Int> { (keepsAll ? min(layer - 1, 0) : layer - 1)...layer }

    /// A map of the last layer.
    func last(at stride: Int) -> Tensor { map(layer, stride) }

    /// A map of the layer before the last.
    func second(at stride: Int) -> Tensor { map(layer - 1, stride) }

    /// The maps of some layers at a stride.
    func maps(of layers: Range<Int>, at stride: Int) -> [Tensor] { layers.map { map($0, stride) } }

    /// Moves on by a layer.
    mutating func append(_ maps: [Int: Tensor]) {
        layer += 1
        self.maps[layer] = maps
        self.maps = self.maps.filter { held.contains($0.key) }
    }

    /// All maps, layer by layer, finer first in each.
    var list: [Tensor] { list(from: held.lowerBound) }

    /// The maps of the layers from one on that are kept.
    func list(from first: Int) -> [Tensor] {
        held.filter { $0 >= first }.flatMap { layer in
            (maps[layer] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func map(_ layer: Int, _ stride: Int) -> Tensor {
        guard let map = maps[layer]?[stride] else {
            preconditionFailure("no map of layer \(layer) at stride \(stride)")
        }
        return map
    }
}
