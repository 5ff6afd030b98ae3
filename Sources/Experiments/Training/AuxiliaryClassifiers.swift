import Configurations
import Networks
import Torch

/// What tells classes within a network while it is trained, and is thrown away then: heads on layers of a genotype's network,
/// or cells behind the blocks of a searched decoder.
struct AuxiliaryClassifiers {
    /// Where the maps are taken: layers, counted from 1, or blocks, counted from 0.
    let places: Set<Int>
    /// The variables.
    let store: VariableStore
    private let scores: (_ maps: [Int: Tensor], _ height: Int, _ width: Int) -> [Tensor]
    /// Factor of the mean of their losses at a part of the training.
    private let weight: (_ progress: Double) -> Double

    /// What the configuration wants of a network.
    ///
    /// - Returns: nil where that is nothing.
    /// - Throws: `ConfigurationError` where a layer is not in the network.
    init?(_ train: TrainConfiguration, of network: SegmentationNetwork, generator: Generator) throws {
        switch network {
        case .discrete(let network):
            let heads = try AuxiliaryHeads(train.auxiliary, of: network, generator: generator)
            guard !heads.layers.isEmpty else { return nil }
            places = Set(heads.layers)
            store = heads.store
            scores = { heads($0, height: $1, width: $2, mode: .training) }
            weight = { train.auxiliary.weight * (1 - $0) }
        case .encoded(let network):
            guard train.auxiliaryCells > 0, let cells = AuxiliaryCells(of: network, generator: generator) else {
                return nil
            }
            places = Set(0..<cells.count)
            store = cells.store
            scores = { cells($0, height: $1, width: $2, mode: .training) }
            // Each cell's loss has the factor, and it stays.
            weight = { _ in train.auxiliaryCells * Double(cells.count) }
        }
    }

    /// The network's scores with those that the classifiers give for its maps.
    func logits(
        main: Tensor, _ maps: [Int: Tensor], height: Int, width: Int, progress: Double
    ) -> AuxiliaryLogits {
        AuxiliaryLogits(main: main, auxiliary: scores(maps, height, width), auxiliaryWeight: weight(progress))
    }
}
