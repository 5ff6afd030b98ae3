import Networks
import SearchSpace

/// The architecture search (paper 4, 5.1).
public struct SearchConfiguration: Encodable, Equatable, Sendable {
    /// How the network is found: by the paper's relaxation, or by training candidates of equal cost.
    public var method = SearchStrategy.paper
    /// What candidates are: networks from scratch, or decoders on `train.encoder`, which take any method but the paper's.
    public var space = SearchedSpace.networks
    /// How decoders are searched.
    public var decoder = DecoderSearchConfiguration()
    /// How many candidates are trained at first, where candidates are trained.
    public var candidates = 9
    /// One of so many candidates is trained on from a rung to the next (eta).
    public var reduction = 3
    /// Whether every candidate has as many steps an epoch as take the time that DeepLabv3's path takes for its own, in place of
    /// as many (on processors; networks of equal multiply-adds differ in time by a factor of two).
    public var equalTime = false
    /// Genotypes, runs, known networks or encoders (`efficientnet-lite0+light`) that take part in a race before the known
    /// designs; where there is an encoder, all others take its multiply-adds; `paper` is a search by the paper's method, done
    /// first, with what it finds and what of random networks does best in its supernet.
    public var pool: [String] = []
    /// Steps of an epoch of each network of the pool, for networks of unequal cost in equal time; none for those of
    /// `train`.
    public var poolSteps: [Int] = []

    /// Steps of an epoch of a network of the pool, by its place; nil for those of `train`.
    package func stepsPerEpoch(ofPool index: Int) -> Int? {
        poolSteps.indices.contains(index) ? poolSteps[index] : nil
    }

    /// What stands in `pool` for the networks of a search by the paper's method.
    package static let searched = "paper"

    /// Whether a search by the paper's method comes before the race.
    package var searchesFirst: Bool { method == .race && pool.contains(Self.searched) }

    /// The networks of `pool` that are known before anything is searched.
    package var namedPool: [String] { pool.filter { $0 != Self.searched } }

    /// A search's run folder: of so many random networks as `scored` says, a race takes those that do best inside its
    /// supernet; empty draws them without a look.
    public var supernet = ""
    /// How many random networks are scored inside the supernet.
    public var scored = 200
    /// The controller of a search by reinforcement.
    public var controller = ControllerConfiguration()
    /// What the network that is found may cost.
    public var limits = LimitConfiguration()
    /// Layers L of the network level (paper 5.1: 12).
    public var layers = 12
    /// Blocks B of a cell (paper 5.1: 5).
    public var blocks = 5
    /// Filter multiplier F: a node at stride s has B * F * s / 4 channels (paper 5.1: 8).
    public var filters = 8
    /// Whether a node's cell shares its operators between the arrows that enter it (ALGORITHM 2, a choice).
    public var cells = CellSharing.perNode
    /// Whether a cell reads H^{l-2} where the path was, resized, as the network that is found will; the paper's supernet reads
    /// it at the cell's own stride.
    public var resizePrevious = false
    /// Whether what comes from a cell's own stride is added to its output, as `train.residual` has it.
    public var residual = false
    /// What the trellis begins on: the paper's three convolutions, or the blocks of a trained encoder up to stride 4
    /// (ALGORITHM 17).
    public var stem = StemKind.paper
    /// Factor of the supernet's learning rate for the stem's encoder; 0 leaves the encoder as it comes.
    public var encoderLearningRate = 0.0
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
    /// Optimizer of the weights.
    public var weights = SearchWeightsConfiguration()
    /// What both turns learn by: the mean cross entropy (paper 4.2), or the loss that trains what is found, with
    /// `train.classWeights` and `train.loss`.
    public var loss = SearchLoss.crossEntropy
    /// Adam on alpha and beta.
    public var architecture = ArchitectureConfiguration()
    /// How the cell is read out of the supernet.
    public var selection = SelectionConfiguration()
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

/// What a network may cost at most, as it is trained and evaluated: a candidate that costs more is left out, and the paper's
/// search warns of its result.
public struct LimitConfiguration: Encodable, Equatable, Sendable {
    /// Milliseconds for an image on this machine, by the table of latencies; 0 is no limit.
    public var milliseconds = 0.0
    /// Multiply-adds for an image; 0 is no limit.
    public var multiplyAdds = 0.0
    /// Parameters; 0 is no limit.
    public var parameters = 0.0

    /// No limits.
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
    /// A recurrent controller proposes networks and learns from their rewards, then successive halving of what it proposed
    /// (arXiv 1810.10804).
    case reinforcement
}

/// What a search minimises.
public enum SearchLoss: String, CaseIterable, Sendable, Encodable {
    /// The mean cross entropy of the labelled pixels (paper 4.2).
    case crossEntropy
    /// The loss that a training is configured with.
    case training
}

/// The supernet's weights: cosine from one learning rate to another over all steps (paper 5.1).
public struct SearchWeightsConfiguration: Encodable, Equatable, Sendable {
    /// SGD with momentum (paper 5.1), or AdamW, whose learning rates are smaller.
    public var optimizer = OptimizerKind.sgd
    /// Learning rate at the first step (paper 5.1: 0.025).
    public var learningRate = 0.025
    /// Learning rate at the last step (paper 5.1: 0.001).
    public var finalLearningRate = 0.001
    /// Momentum of SGD (paper 5.1: 0.9).
    public var momentum = 0.9
    /// L2 penalty on all weights (paper 5.1: 0.0003); AdamW decays them apart from the gradient.
    public var weightDecay = 3e-4
    /// Largest norm of the gradient; 0 does not clip (the paper names none).
    public var clip = 0.0

    /// The defaults.
    public init() {}
}

/// How the cell is read out of the supernet in the end.
public struct SelectionConfiguration: Encodable, Equatable, Sendable {
    /// By the largest probabilities of alpha (paper 4.3), or by what the supernet loses without each operator and input
    /// (DARTS-PT), which takes `search.selection.epochs` more for each decision.
    public var by = CellSelection.alpha
    /// Epochs of the supernet from one decision of a selection by perturbation to the next (DARTS-PT: 5; a choice).
    public var epochs = 1
    /// Images of the architecture's half that each decision of a selection by perturbation looks at; 0 takes all (a choice).
    public var images = 256

    /// The defaults.
    public init() {}
}

/// What a cell is read out of.
public enum CellSelection: String, CaseIterable, Sendable, Encodable {
    /// The largest probabilities (paper 4.3).
    case alpha
    /// The loss without an operator or an input (DARTS-PT, arXiv 2108.04392).
    case perturbation
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
    /// What alpha and beta are divided by before their softmaxes, at the first step of the architecture and at the last, in
    /// equal steps between (the paper has 1).
    public var temperature = [1.0, 1.0]
    /// Whether beta decides the first layer's stride: `carried` into the second layer it gets a gradient, which the paper's
    /// has not.
    public var firstLayer = FirstLayer.paper
    /// Weight of the expected cost of the network in the architecture's loss, as a share of that of alpha and beta which have
    /// learnt nothing (the paper has none).
    public var price = 0.0
    /// What that cost is; milliseconds are those of this machine.
    public var priceOf = PriceUnit.multiplyAdds

    /// The defaults.
    public init() {}
}

/// How beta weighs the first layer.
public enum FirstLayer: String, CaseIterable, Sendable, Encodable {
    /// As factors of the two maps, which the next layer's normalisations take out.
    case paper
    /// As factors of the second layer's arrows too, which meet there.
    case carried
}

/// What a network is priced by.
public enum PriceUnit: String, CaseIterable, Sendable, Encodable {
    /// Multiply-adds for an image.
    case multiplyAdds
    /// Parameters.
    case parameters
    /// Milliseconds for an image, by the table of latencies.
    case milliseconds
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
    /// Epochs of the search with those of a selection by perturbation, of which one is trained after the last decision.
    package var totalEpochs: Int {
        selection.by == .alpha ? epochs : epochs + selection.epochs * (CellSpace(blocks: blocks).decisions - 1) + 1
    }

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
