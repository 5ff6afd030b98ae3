import Datasets
import Segmentation

/// What a network made of one image, class by class: enough for a mean IoU of any choice of images.
public struct ImageScore: Equatable, Sendable {
    /// The image.
    public let sample: Sample
    /// Pixels of each class that are right.
    public let hits: [Int]
    /// Pixels that are labelled or predicted as each class.
    public let union: [Int]

    /// The counts of an image's confusion matrix.
    package init(_ sample: Sample, _ matrix: ConfusionMatrix) {
        self.sample = sample
        hits = (0..<matrix.classes).map { matrix[$0, $0] }
        union = (0..<matrix.classes).map { matrix.labelled($0) + matrix.predicted($0) - matrix[$0, $0] }
    }

    /// Mean IoU of this image alone, over the classes that are in it; 1 where nothing is labelled.
    public var mIOU: Double { [self].mIOU }
}

extension [ImageScore] {
    /// Mean IoU over the classes that are in these images, all pixels counted together; 1 where nothing is labelled.
    public var mIOU: Double {
        guard let first else { return 1 }
        var (hits, union) = (first.hits, first.union)
        for score in dropFirst() {
            for label in hits.indices {
                hits[label] += score.hits[label]
                union[label] += score.union[label]
            }
        }
        let ious = zip(hits, union).compactMap { $1 > 0 ? Double($0) / Double($1) : nil }
        return ious.isEmpty ? 1 : ious.reduce(0, +) / Double(ious.count)
    }

    /// The interval that holds 95% of the mean IoUs of samples of as many images, drawn with repetition (bootstrap).
    ///
    /// It says how far the figure may be off because these images are few, not how other data would do.
    ///
    /// - Parameters:
    ///   - seed: Decides what is drawn.
    ///   - resamples: How often images are drawn.
    /// - Returns: The interval; nil for fewer than two images.
    public func bootstrapInterval(seed: UInt64, resamples: Int = 1_000) -> ClosedRange<Double>? {
        guard count > 1, resamples > 0 else { return nil }
        var stream = RandomStream(seed: seed, 0xB007)
        let means = (0..<resamples).map { _ in (0..<count).map { _ in self[stream.below(count)] }.mIOU }.sorted()
        func quantile(_ share: Double) -> Double { means[Int(clamping: (Double(resamples - 1) * share).rounded())] }
        return quantile(0.025)...quantile(0.975)
    }
}
