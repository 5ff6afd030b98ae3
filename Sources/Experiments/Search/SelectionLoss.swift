import ArchitectureSearch
import Configurations
import Networks
import Segmentation
import Torch

/// What a selection by perturbation goes by: the supernet's loss under some weights, on the same crops of the
/// architecture's half for all, and the price of what they describe.
struct SelectionLoss {
    let setup: StageSetup
    /// Added to the loss; nil for none.
    let price: (any ArchitecturePenalty)?
    /// Places of the half's images.
    let half: [Int]

    /// The mean cross entropy under each of the weights, with its price; nil where the run is asked to stop.
    ///
    /// Maps are normalised by their own statistics, and the running ones stay as they are.
    ///
    /// - Parameters:
    ///   - candidates: The weights.
    ///   - step: Where the search is.
    ///   - loss: This rank's part of the supernet's loss on a batch under some weights.
    /// - Returns: A loss for each, the same in all ranks of a group.
    /// - Throws: An error that names an image which cannot be read.
    func callAsFunction(
        _ candidates: [ArchitectureWeights], at step: SearchStep,
        loss: (_ images: Tensor, _ labels: Tensor, ArchitectureWeights) -> Tensor
    ) throws -> [Double]? {
        let search = setup.configuration.search
        var random = RandomStream(seed: setup.seed, 2)
        let order = random.permutation(half.count)
        let chosen = order.prefix(search.selection.images == 0 ? half.count : search.selection.images).sorted()
        let loader = try RankSync.all {
            try setup.loader(
                of: chosen.map { half[$0] }, seed: 2 * setup.seed + 1, augmentation: search.augmentation,
                cacheBytes: 0, from: LoaderPosition())
        }
        defer { loader.stop() }
        var sums: [Tensor] = candidates.map { _ in Tensor.zeros([1], device: setup.device) }
        for _ in 0..<loader.batchesPerEpoch {
            if setup.keeper.isAnyStopping { return nil }
            let batch = try RankSync.all { try loader.next() }
            let (images, labels) = (batch.imageTensor(on: setup.device), batch.labelTensor(on: setup.device))
            for (place, weights) in candidates.enumerated() {
                sums[place] = sums[place] + loss(images, labels, weights)
            }
        }
        // Each rank has its part of every batch's mean.
        let all = concatenate(sums, dim: 0)
        if let group = ProcessGroup.current { group.allReduce(all) }
        return zip(all.doubles(), candidates).map { sum, weights in
            sum / Double(loader.batchesPerEpoch) + (price.map { $0(weights, at: step).item() } ?? 0)
        }
    }
}
