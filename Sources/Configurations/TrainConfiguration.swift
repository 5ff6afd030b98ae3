import SearchSpace

/// Training a decoded network from scratch (paper 5.2).
public struct TrainConfiguration: Encodable, Equatable, Sendable {
    /// Filter multiplier F: a block at stride s has F * s / 4 filters (paper 5.2: 20 is S, 32 M, 48 L).
    public var filters = 20
    /// Whether cells that stay at a stride add H^{l-1} to their output; the paper's do not.
    public var residual = false
    /// Channels of the stem's three convolutions (TF layout: 64, 64, 128).
    public var stemChannels = [64, 64, 128]
    /// Channels of each branch of the ASPP (paper 5.2: 256).
    public var asppChannels = 256
    /// Channels of the decoder's two convolutions (paper 5.2, as DeepLabv3+: 256).
    public var decoderChannels = 256
    /// Channels that the decoder's low-level feature is reduced to (as DeepLabv3+: 48).
    public var lowLevelChannels = 48
    /// Form of ASPP and decoder: `dense` as in the paper, `separable`, or `plain`, the class layer alone on the last cell.
    public var head = HeadKind.dense
    /// Stride of the decoder's scores: 4 (paper 5.2), 2 or 1; finer ones see thinner things.
    public var decoderStride = 4
    /// Channels of the decoder at stride 2, where it goes so far; half as many at stride 1.
    public var fineChannels = 32
    /// An encoder that is trained with a decoder in place of a genotype's network; `none` for a genotype.
    public var encoder = EncoderChoice.none
    /// What makes classes of the encoder's maps; a decoder's genotype is given by its numbers (`--decoder` takes its file
    /// too).
    public var decoder = DecoderKind.unet
    /// A safetensors file with the encoder's weights, or `none` to draw them; empty looks for the encoder's name in
    /// `AUTODEEPLAB_ENCODERS`, `.encoders` and `~/.cache/autodeeplab/encoders`.
    public var encoderWeights = ""
    /// Factor of the learning rate for the encoder.
    public var encoderLearningRate = 1.0
    /// Epochs at the beginning in which the encoder stays as it is.
    public var freezeEpochs = 0
    /// In these epochs, takes crops of so many images, the same in each epoch, so that the encoder sees each once; 0 draws
    /// crops anew.
    public var frozenImages = 0
    /// Images of a step on such crops; 0 takes `batch`.
    public var frozenBatch = 0
    /// Memory for what the encoder makes of such crops; what does not fit is computed anew in each step.
    public var frozenMegabytes = 1_024
    /// Whether the encoder normalises by the statistics that it comes with, in training too.
    public var freezeBatchNorm = false
    /// Channels of the decoder `unet` at strides 16, 8, 4 and 2.
    public var unetChannels = [128, 64, 32, 16]
    /// Channels of the decoders `light` and, half as many at stride 2, `fine`.
    public var lightChannels = 64
    /// Channels of all maps in a genotype's decoder (arXiv 1810.10804: 48 in the search, 64 afterwards).
    public var cellChannels = 64
    /// Pairs of convolutions in the separable operations of a genotype's decoder (arXiv 1810.10804: 1 in the search, 2
    /// afterwards).
    public var cellRepeats = 2
    /// Factor of each loss of the auxiliary cells, which a genotype's decoder has behind its blocks while it is trained; 0
    /// is none (arXiv 1810.10804: 0.15).
    public var auxiliaryCells = 0.15
    /// Depthwise separable 3x3 convolutions in the decoders `unet`, `light` and `fine`; `deeplabv3+` always has them.
    public var separableDecoder = false
    /// Passes over the training set, where `iterations` is 0.
    public var epochs = 100
    /// Steps that count as an epoch, whatever the number of images; 0 takes a pass over the training set.
    public var stepsPerEpoch = 0
    /// Steps in all; 0 counts by `epochs` (paper 5.2: 1.5 million).
    public var iterations = 0
    /// Images a step.
    public var batch = 8
    /// Factor applied to every image and mask before anything else.
    public var resize = 1.0
    /// Height and width of the random crops in pixels (paper 5.2: 769 on Cityscapes, 513 on VOC and ADE20K).
    public var crop = CropSize(height: 513, width: 513)
    /// Factors of the random scale before the crop (paper 5.2: 0.5 to 2.0 by 0.25).
    public var scales = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    /// Mirrors half of the images (paper 5.2).
    public var flip = true
    /// Further augmentation (the paper has none).
    public var augment = AugmentConfiguration()
    /// What turns gradients into steps (paper 5.2: SGD).
    public var optimizer = OptimizerKind.sgd
    /// How the learning rate falls (paper 5.2: poly).
    public var schedule = ScheduleKind.poly
    /// Learning rate at the first step (paper 5.2: 0.05).
    public var learningRate = 0.05
    /// Power of the poly schedule (paper 5.2: 0.9).
    public var power = 0.9
    /// Momentum of SGD (paper 5.2: 0.9).
    public var momentum = 0.9
    /// Weight decay of the convolutions: L2 penalty of SGD (paper 5.2: 0.00004), decoupled in AdamW.
    public var weightDecay = 4e-5
    /// Whether batch normalisation and biases decay too (a choice: the paper does not say).
    public var decayNormalization = false
    /// How much a pixel of each class counts in the loss; none for all alike (the paper names none).
    public var classWeights: [Double] = []
    /// Draws images by the classes in them, all classes alike, in place of each image once an epoch.
    public var balanced = false
    /// What is made small besides plain cross entropy (the paper has nothing else).
    public var loss = LossConfiguration()
    /// A trained model, a file or a run, whose scores are learnt from beside the labels; empty is none (the paper has
    /// none).
    public var teacher = ""
    /// How the scores of `teacher` count.
    public var distillation = DistillationConfiguration()
    /// Classifiers within the network while it is trained (the paper has none).
    public var auxiliary = AuxiliaryConfiguration()
    /// Batches whose gradients make one step: as a batch so many times larger, but for batch normalisation.
    public var accumulate = 1
    /// Share of the old value in a moving average of the weights, which is validated and kept; 0 is off.
    public var emaDecay = 0.0
    /// Largest norm of the gradient; 0 does not clip.
    public var clip = 0.0
    /// Steps over which the learning rate rises from 0; 0 starts at once.
    public var warmupSteps = 0
    /// Probability that the last cell keeps a branch at the end of the training; 1 turns drop path off (a choice).
    public var dropPathKeep = 0.8
    /// Share of the old value in the running statistics of batch normalisation (the official network: 0.9997); in an encoder
    /// at most so much, and not more than its own.
    public var batchNormDecay = 0.9997
    /// Training crops by which the statistics of batch normalisation are measured anew before each validation but the last
    /// step's (precise batch normalisation, arXiv 2105.07576); 0 keeps the running ones.
    public var preciseBatchNorm = 0
    /// Probability that dropout keeps a value after the ASPP (the official network: 0.9).
    public var dropoutKeep = 0.9
    /// Epochs from one validation to the next; the last epoch is always validated.
    public var validateEvery = 1
    /// Validates on the first so many images; 0 takes all.
    public var validationImages = 0

    /// The defaults.
    public init() {}

    /// The steps of an epoch, at least one.
    package func stepsOfEpoch(images: Int) -> Int {
        stepsPerEpoch > 0 ? stepsPerEpoch : max(1, images / batch / accumulate)
    }
}

/// What turns gradients into steps.
public enum OptimizerKind: String, CaseIterable, Encodable, Sendable {
    /// Stochastic gradient descent with momentum (paper 5.2).
    case sgd
    /// Adam with decoupled weight decay (arXiv 1711.05101).
    case adamw
}

/// How the learning rate falls once it has risen over the warm-up.
public enum ScheduleKind: String, CaseIterable, Encodable, Sendable {
    /// As a power of what is left (paper 5.2).
    case poly
    /// Along half a cosine to 0; with a warm-up, the learning rate of the one-cycle policy (arXiv 1708.07120).
    case cosine
}

/// What a training makes small besides plain cross entropy.
public struct LossConfiguration: Encodable, Equatable, Sendable {
    /// Share of the labelled pixels that count, those with the largest loss; 1 takes all.
    public var ohemFraction = 1.0
    /// Share of the wanted distribution that is spread over all classes alike; 0 is off.
    public var labelSmoothing = 0.0
    /// Factor of the Dice loss, which is added; 0 is off.
    public var dice = 0.0

    /// Cross entropy alone.
    public init() {}
}

/// How a training learns from the scores of a teacher.
public struct DistillationConfiguration: Encodable, Equatable, Sendable {
    /// Share of the teacher's part of the loss; the labels have the rest.
    public var weight = 0.5
    /// What both networks' scores are divided by before their softmax.
    public var temperature = 1.0
    /// Whether `train.classWeights` hold for the teacher's part too, by the pixels' labels.
    public var classWeights = false

    /// As much from the teacher as from the labels.
    public init() {}
}

/// Classifiers on layers within a network while it is trained.
public struct AuxiliaryConfiguration: Encodable, Equatable, Sendable {
    /// The layers, counted from 1; none is off.
    public var layers: [Int] = []
    /// Factor of the mean of their losses at the first step; it falls to 0 at the last.
    public var weight = 0.4

    /// None.
    public init() {}
}
