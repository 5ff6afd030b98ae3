import Networks
import Torch

/// What a network gives for a batch: its scores, and those of auxiliary heads with the factor of their losses.
package struct AuxiliaryLogits {
    package var main: Tensor
    package var auxiliary: [Tensor] = []
    /// Factor of the mean of the auxiliary losses.
    package var auxiliaryWeight = 0.0

    package init(main: Tensor, auxiliary: [Tensor] = [], auxiliaryWeight: Double = 0) {
        self.main = main
        self.auxiliary = auxiliary
        self.auxiliaryWeight = auxiliaryWeight
    }
}

/// Loss and gradients of a step whose images come in several batches.
///
/// Pixels count alike whichever batch they are in, so that without batch normalisation the result is that of one batch
/// with all images. One batch after another is in memory.
///
/// - Parameters:
///   - batches: What the network sees of each batch, images `[N, 3, H, W]` or maps of them, and labels `[N, H, W]`.
///   - loss: The loss.
///   - distillation: What is learnt from a teacher beside the labels, and the teacher's scores of images; the auxiliary
///     heads learn from them as well.
///   - parameters: What is trained.
///   - scores: The network.
/// - Returns: This process's part of the loss, and the gradients of the group's.
package func accumulatedGradients<Input>(
    of batches: [(images: () -> Input, labels: Tensor)], loss: SegmentationLoss,
    distillation: (loss: DistillationLoss, teacher: (Input) -> Tensor)? = nil, parameters: [Tensor],
    scores: (Input) -> AuxiliaryLogits
) -> (loss: Tensor, gradients: [Tensor?]) {
    let dtype = parameters.first?.dtype ?? .float32
    let total = loss.weight(of: batches.map(\.labels), dtype: dtype)
    let pixels = distillation?.loss.pixels(of: batches.map(\.labels), dtype: dtype)
    var sum: Tensor?
    var gradients: [Tensor?] = []
    for (images, labels) in batches {
        let images = images()
        let wanted = distillation.map { taught in withoutGradients { taught.teacher(images) } }
        let found = scores(images)
        func part(_ scores: Tensor) -> Tensor {
            let own = loss(scores, labels: labels, total: total, batches: batches.count)
            guard let distillation = distillation?.loss, let wanted, let pixels else { return own }
            let soft = distillation(scores, teacher: wanted, labels: labels, pixels: pixels)
            return own * (1 - distillation.weight) + soft * distillation.weight
        }
        var value = part(found.main)
        if found.auxiliaryWeight > 0, !found.auxiliary.isEmpty {
            let factor = found.auxiliaryWeight / Double(found.auxiliary.count)
            for scores in found.auxiliary { value = value + part(scores) * factor }
        }
        let own = allReducedGradients(of: value, withRespectTo: parameters)
        sum = sum.map { $0 + value.detach() } ?? value.detach()
        gradients = gradients.isEmpty ? own : zip(gradients, own).map { added($0, $1) }
    }
    return (sum ?? total, gradients)
}

private func added(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
    guard let a, let b else { return a ?? b }
    return withoutGradients { a + b }
}
