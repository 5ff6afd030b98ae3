import Configurations
import Datasets
import Runs
import Torch

/// A step's loss and the norm of its gradients, read from the device in one go.
struct StepNumbers: Equatable {
    let loss: Double
    let gradientNorm: Double

    var areFinite: Bool { loss.isFinite && gradientNorm.isFinite }

    /// - Parameters:
    ///   - loss: This process's part of the loss, which becomes the sum over the group.
    ///   - gradients: Those of the whole group.
    init(loss: Tensor, gradients: [Tensor?]) {
        let loss = loss.detach()
        if let group = ProcessGroup.current { group.allReduce(loss) }
        let numbers = withoutGradients { stack([loss, totalNorm(of: gradients)]).doubles() }
        self.loss = numbers[0]
        gradientNorm = numbers[1]
    }
}

/// Lets no step through whose loss or gradients are not finite: it stops the run, or has the step skipped.
///
/// Steps of the weights and of the architecture have a watch each: many bad ones of one kind are no accident, however
/// many good ones of the other lie between them.
struct NonFiniteGuard {
    /// What is trained by the steps.
    enum Target { case weights, architecture }

    /// What to do.
    let policy: NonFinitePolicy
    /// `search` or `train`, for the message.
    let stage: String
    /// What is trained.
    let target: Target
    private var skippedInARow = 0

    /// So many bad steps one after another are no accident, and skipping more would only take time.
    static let mostInARow = 20

    init(_ policy: NonFinitePolicy, stage: String, of target: Target = .weights) {
        self.policy = policy
        self.stage = stage
        self.target = target
    }

    /// Whether the step may be taken.
    ///
    /// - Parameters:
    ///   - numbers: The step's.
    ///   - step: Its number, from 1.
    ///   - samples: What it saw.
    ///   - keeper: Says what there is to go on from.
    /// - Returns: Whether the numbers are finite.
    /// - Throws: `RunError` with step, images and what to go on from.
    mutating func allows(
        _ numbers: StepNumbers, step: Int, samples: @autoclosure () -> [Sample], keeper: CheckpointManager
    ) throws(RunError) -> Bool {
        if numbers.areFinite {
            skippedInARow = 0
            return true
        }
        skippedInARow += 1
        if policy == .skip && skippedInARow < NonFiniteGuard.mostInARow { return false }
        let owner = target == .weights ? "the" : "the architecture's"
        // The sign of what is no number says nothing.
        let loss = numbers.loss.isNaN ? "nan" : "\(numbers.loss)"
        let what = numbers.loss.isFinite ? "\(owner) gradients are not finite" : "\(owner) loss is \(loss)"
        let row = policy == .skip ? ", the last of \(skippedInARow) in a row," : ""
        let images = samples().map(\.image).joined(separator: ", ")
        let other = target == .weights ? "" : "search.architecture.learningRate or "
        let rate = other + (stage == "search" ? "search.weights.learningRate" : "train.learningRate")
        let clip = (stage == "search" ? "search.weights.clip" : "train.clip") + "=5"
        throw RunError(
            .diverged, path: keeper.folder.path,
            "\(what) at step \(step)\(row) of \(stage) (images: \(images)); \(keeper.standing)",
            advice: .resumeWith(
                settings: policy == .skip ? [clip] : ["onNonFinite=skip", clip], run: keeper.folder.path, lowering: rate
            ))
    }
}
