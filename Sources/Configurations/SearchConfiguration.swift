import Networks
import SearchSpace

/// The architecture search (paper 4, 5.1).
public struct SearchConfiguration: Encodable, Equatable, Sendable {
    /// How the network is found: by the paper's relaxation, or by training candidates of equal cost.
    public var method = SearchStrategy.paper
    /// How many candidates are trained at first, where candidates are trained.
    public var candidates = 9
    /// One of so many candidates is trained on from a rung to the next (eta).
    public var reduction = 3
    /// Genotypes, runs, known networks or encoders (`efficientnet-lite0+light`) that take part in a race before the known
    /// designs; where there is an encoder, all others take its multiply-adds.
    public var pool: [String] = []
    /// Steps of an epoch of each network of the pool, for networks of unequal cost in equal time; none for those of
    /// `train`.
    public var poolSteps: [Int] = []
    /// Layers L of the network level (paper 5.1: 12).
    public var layers = 12
    /// Blocks B of a cell (paper 5.1: 5).
    public var blocks = 5
    /// Filter multiplier F: a node at stride s has B * F * s / 4 channels (paper 5.1: 8).
    public var filters = 8
    /// Whether a node's cell shares its operators between the arrows that enter it (ALGORITHM 2, a choice).
    public var cells = CellSharing.perNode
    /// Form of the atrous operators (ALGORITHM 1; the paper's parameter counts hold with dense ones).
    public var atrous = AtrousKind.dense
    /// Long skips: layers that move to a finer stride may read the latest earlier map there in place of H^{l-2}, as in U-Net
    /// (the paper has none).
    public var longSkips = LongSkipChoice.off
    /// Depthwise separable 3x3 convolutions in the supernet's heads (the paper's are dense).
    public var separableHeads = false
    /// Batch normalisation in the head's image pooling; at the paper's batch of 2 it makes every value +-1 (a choice).
    public var poolingBatchNorm = false
    /// Passes over the weights' half of the training set (paper 5.1: 40).
    public var epochs = 40
    /// The epoch, counted from 0, from which alpha and beta are trained too (paper 5.1: 20).
    public var architectureFrom = 20
    /// Images a step (paper 5.1: 2).
    public var batch = 2
    /// Factor applied to every image and mask before anything else (paper 5.1: 0.5 on Cityscapes).
    public var resize = 1.0
    /// Height and width of the random crops in pixels (paper 5.1: 321 x 321).
    public var crop = CropSize(height: 321, width: 321)
    /// Factors of the random scale before the crop; 1 alone is off (the paper names none for the search).
    public var scales = [1.0]
    /// Mirrors half of the images (a choice).
    public var flip = true
    /// Further augmentation (the paper has none).
    public var augment = AugmentConfiguration()
    /// SGD on the weights.
    public var weights = SearchWeightsConfiguration()
    /// Adam on alpha and beta.
    public var architecture = ArchitectureConfiguration()
    /// Batch normalisation of the supernet.
    public var batchNorm = BatchNormConfiguration()
    /// What is computed anew in the backward pass, in exchange for memory.
    public var recompute = Recomputation.none
    /// Epochs from one validation of the supernet to the next; the last epoch is always validated.
    public var validateEvery = 1
    /// Validates on the first so many images; 0 takes all.
    public var validationImages = 0

    /// The defaults.
    public init() {}
}

/// How a network is found.
public enum SearchStrategy: String, CaseIterable, Sendable, Encodable {
    /// Gradient descent on the continuous relaxation (paper 4).
    case paper
    /// Successive halving over known designs, networks found before, and random ones; the winner is trained by then.
    case race
    /// Regularised evolution, then successive halving of what it tried (arXiv 1802.01548).
    case evolution
    /// Successive halving over uniformly random networks (arXiv 1902.07638).
    case random
}

/// SGD on the supernet's weights: cosine from one learning rate to another over all steps (paper 5.1).
public struct SearchWeightsConfiguration: Encodable, Equatable, Sendable {
    /// Learning rate at the first step (paper 5.1: 0.025).
    public var learningRate = 0.025
    /// Learning rate at the last step (paper 5.1: 0.001).
    public var finalLearningRate = 0.001
    /// Momentum (paper 5.1: 0.9).
    public var momentum = 0.9
    /// L2 penalty on all weights (paper 5.1: 0.0003).
    public var weightDecay = 3e-4
    /// Largest norm of the gradient; 0 does not clip (the paper names none).
    public var clip = 0.0

    /// The defaults.
    public init() {}
}

/// Adam on alpha and beta (paper 5.1).
public struct ArchitectureConfiguration: Encodable, Equatable, Sendable {
    /// Learning rate, constant (paper 5.1: 0.003).
    public var learningRate = 3e-3
    /// L2 penalty, added to the gradient (paper 5.1: 0.001).
    public var weightDecay = 1e-3
    /// Decay of the first and the second moment (a choice).
    public var betas = [0.9, 0.999]
    /// Weight of alpha's and beta's entropy in the architecture's loss at the last step, growing from 0 (DiNTS; the paper has
    /// none).
    public var entropy = 0.0
    /// What the arrows of a path are weighed by in decoding: `balanced` takes the preference of the finest and the coarsest
    /// stride out, which betas that have learnt nothing have (a choice).
    public var path = PathDecoding.probability

    /// The defaults.
    public init() {}
}

/// Batch normalisation of the supernet, which has no affine parameters.
public struct BatchNormConfiguration: Encodable, Equatable, Sendable {
    /// Added to the variance (a choice).
    public var eps = 1e-5
    /// Share of the newest batch in the running statistics.
    public var momentum = 0.1

    /// The defaults.
    public init() {}
}

extension SearchConfiguration {
    /// Takes the form of the atrous operators from the network that is trained, which decides it.
    ///
    /// - Returns: What its user should know; nil where nothing else was set.
    package mutating func settleAtrous(by genotype: Genotype) -> String? {
        let asked = atrous
        atrous = genotype.atrous
        guard asked != atrous, asked != SearchConfiguration().atrous else { return nil }
        return "search.atrous: the genotype's atrous operators are \(atrous), which holds, not \(asked)"
    }
}
