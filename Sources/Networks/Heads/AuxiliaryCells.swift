import SearchSpace
import Torch

/// Classifiers on the blocks of a searched decoder while it is trained: the cell once more, and a class layer, behind each
/// block (arXiv 1810.10804).
///
/// They have a store of their own, since a trained network is used without them. Variables: those of a `SearchedCell`
/// below `auxiliary.B.cell`, and `auxiliary.B.logits` for block B, counted from 1.
public final class AuxiliaryCells {
    /// The cells' variables.
    public let store: VariableStore
    /// The number of cells, one for each block.
    public var count: Int { heads.count }
    private let strides: [Int]
    private let heads: [(cell: SearchedCell, logits: Conv2d)]

    /// Cells behind all blocks of a network's decoder; nil where that is no genotype's.
    ///
    /// - Parameters:
    ///   - network: The network.
    ///   - generator: Draws the cells' first values.
    public init?(of network: EncodedNetwork, generator: Generator) {
        guard case .searched(let layout) = network.layout.decoder else { return nil }
        let store = VariableStore(generator: generator, dtype: network.store.dtype, device: network.store.device)
        self.store = store
        strides = Array(layout.genotype.strides.suffix(layout.genotype.blocks.count))
        heads = strides.indices.map { index in
            let path = store.root / "auxiliary" / (index + 1)
            return (
                SearchedCell(path / "cell", layout, normalization: network.configuration.normalization),
                Conv2d(path / "logits", layout.logits)
            )
        }
    }

    /// Class scores `[N, classes, H, W]` by each cell at the images' size.
    ///
    /// - Parameters:
    ///   - maps: Results `[N, A, h, w]` of the blocks, by their numbers from 0.
    ///   - height: Rows of the images.
    ///   - width: Columns of the images.
    ///   - mode: How batch normalisation behaves.
    /// - Returns: The scores, in the order of the blocks.
    public func callAsFunction(
        _ maps: [Int: Tensor], height: Int, width: Int, mode: NormalizationMode
    ) -> [Tensor] {
        let size = MapSize(height: height, width: width)
        let backend = TensorBackend(image: size, mode: mode)
        return heads.enumerated().compactMap { index, head in
            maps[index].map {
                let result = head.cell($0, stride: strides[index], on: backend)
                return size.resize(head.logits(result), alignCorners: false)
            }
        }
    }
}
