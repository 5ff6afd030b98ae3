import Images
import Torch

/// The mean cross entropy of labelled pixels over a set of images, whatever loss the training has.
package struct PixelLoss {
    private var sum = 0.0
    private var pixels = 0

    /// No image yet.
    package init() {}

    /// Adds an image, a strip of rows at a time.
    ///
    /// - Parameters:
    ///   - labels: The image's labels.
    ///   - areProbabilities: Whether the scores are already probabilities.
    ///   - scores: Scores `[1, C, rows, W]` of some of the labels' rows.
    package mutating func add(labels: Mask, areProbabilities: Bool, scores: (Range<Int>) -> Tensor) {
        let rows = max(1, (1 << 18) / labels.width)
        withoutGradients {
            for top in stride(from: 0, to: labels.height, by: rows) {
                let height = min(rows, labels.height - top)
                let part = scores(top..<top + height)
                let own = Array(labels.labels[top * labels.width..<(top + height) * labels.width])
                let wanted = Tensor(own, shape: [1, height, labels.width]).to(part.device).to(.int64)
                let losses = pixelCrossEntropy(areProbabilities ? (part + 1e-12).log() : part, labels: wanted)
                sum += losses.sum().item()
                pixels += own.count { $0 != Mask.ignored }
            }
        }
    }

    /// The mean over the images of all processes of a group; nil where no pixel is labelled, not a number where the
    /// network gives none.
    ///
    /// In a group all processes must ask.
    package func mean() -> Double? {
        guard let group = ProcessGroup.current else { return pixels == 0 ? nil : sum / Double(pixels) }
        // Integers add up to the same in any order: 2^-12 of a pixel's loss is little among thousands of pixels.
        let isUsable = sum.isFinite && abs(sum) < 1e14
        let all = group.allReduce([isUsable ? 0 : 1, isUsable ? Int(clamping: sum * 4_096) : 0, pixels])
        return all[2] == 0 ? nil : all[0] > 0 ? .nan : Double(all[1]) / 4_096 / Double(all[2])
    }
}
