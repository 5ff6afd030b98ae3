import SearchSpace

/// The controller that proposes candidates where they are found by reinforcement (arXiv 1810.10804; ALGORITHM 15).
public struct ControllerConfiguration: Encodable, Equatable, Sendable {
    /// What the controller is fed after a choice: its own output, or an embedding of what was chosen (the paper's code has
    /// the former).
    public var feedback = ControllerFeedback.published
    /// How it learns: proximal policy optimisation over the latest 100 candidates, or one step by the newest.
    public var rule = PolicyRule.ppo
    /// Adam's learning rate (the paper's code has 0.0001).
    public var learningRate = 1e-4
    /// Weight of the policy's entropy, by which its loss is lowered (the paper's code has 0).
    public var entropy = 0.0
    /// What a candidate is rewarded by: the geometric mean of mIOU, frequency-weighted IoU and mean accuracy, without the
    /// background where the classes have one or over all classes, or mIOU alone.
    public var reward = ControllerReward.foreground
    /// Judges candidates after half of the first rung by the scores so far, and trains on only those that it lets pass.
    public var stopping = false

    /// The defaults.
    public init() {}
}

/// What a controller is told of a candidate.
public enum ControllerReward: String, CaseIterable, Sendable, Encodable {
    /// The geometric mean of three measures, without the background.
    case foreground
    /// The geometric mean of three measures over all classes.
    case allClasses
    /// Mean intersection over union, by which candidates are ranked.
    case mIOU
}
