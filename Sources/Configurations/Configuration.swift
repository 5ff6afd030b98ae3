/// Everything that a run can be told, with the paper's values as defaults.
///
/// A value comes from, in rising precedence: the defaults written here, a preset, a YAML file, and overrides as `key=value`.
/// ``Configuration/resolve(preset:file:overrides:)`` puts them together; ``Configuration/yaml()`` writes the result.
/// Keys of the file are the names of the properties; `Setting.all` holds what each may be.
public struct Configuration: Encodable, Equatable, Sendable {
    /// Images and masks: where they are and how they are laid out.
    public var data = DataConfiguration()
    /// The architecture search (paper 4, 5.1).
    public var search = SearchConfiguration()
    /// Training a decoded network from scratch (paper 5.2).
    public var train = TrainConfiguration()
    /// How a trained network is measured (paper 5.2).
    public var evaluate = EvaluateConfiguration()
    /// What the model card says that nobody can measure.
    public var card = CardConfiguration()
    /// When checkpoints are written and how many are kept.
    public var checkpoint = CheckpointConfiguration()
    /// What happens when a loss or a gradient is not finite.
    public var onNonFinite = NonFinitePolicy.stop
    /// Seed of everything random: initial weights, halves of the training set, order, augmentation, drop path.
    public var seed = 0
    /// Processor threads; 0 takes one for each core.
    public var threads = 0
    /// Where tensors live.
    public var device = DeviceChoice.auto
    /// Number format of convolutions and matrix products in training steps.
    public var precision = Precision.float32

    /// The defaults.
    public init() {}
}

/// When checkpoints are written and how many are kept.
public struct CheckpointConfiguration: Encodable, Equatable, Sendable {
    /// How often: `epoch`, `N steps` or `N min`.
    public var every = CheckpointInterval.epoch
    /// How many of the newest checkpoints stay on the disk, besides the best one.
    public var keep = 2

    /// The defaults.
    public init() {}
}

/// What the model card (README.md beside a trained model) says that nobody can measure.
public struct CardConfiguration: Encodable, Equatable, Sendable {
    /// The licence of the weights; empty is shown as "not stated".
    public var license = ""

    /// The defaults.
    public init() {}
}

/// What happens when a loss or a gradient is not finite.
public enum NonFinitePolicy: String, Encodable, CaseIterable, Sendable {
    /// The run stops and names step and images.
    case stop
    /// The step changes nothing and is counted.
    case skip
}

/// How a trained network is measured (paper 5.2).
public struct EvaluateConfiguration: Encodable, Equatable, Sendable {
    /// Factors of the image's size, whose probabilities are averaged (paper: 1.0 alone, or 0.5 to 1.75 by 0.25).
    public var scales = [1.0]
    /// Averages with the mirrored image too.
    public var flip = false
    /// Side of a sliding window in pixels, for images larger than that; 0 takes whole images (as the paper).
    public var window = 0
    /// Share of a window that the next one covers again; there the two are blended.
    public var overlap = 0.25
    /// How far a boundary may be off, as a share of the image's diagonal, for the boundary F-score; 0 leaves it out.
    public var boundary = 0.0075
    /// How many of the worst images are listed and drawn.
    public var worst = 8

    /// The defaults.
    public init() {}
}

/// Where tensors live.
public enum DeviceChoice: String, Encodable, CaseIterable, Sendable {
    /// The first that is there: cuda, mps, cpu.
    case auto
    /// The processor.
    case cpu
    /// An NVIDIA GPU.
    case cuda
    /// Apple's GPU.
    case mps
}

/// Number format of convolutions and matrix products in training steps; weights are always kept in 32 bits.
public enum Precision: String, Encodable, CaseIterable, Sendable {
    /// 32-bit floating point.
    case float32
    /// 16 bits with the range of 32: faster where the device multiplies them faster.
    case bfloat16
}
