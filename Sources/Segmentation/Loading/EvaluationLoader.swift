import Datasets
import Images

/// A whole image for evaluation with the labels that its prediction is compared with.
public struct EvaluationItem: Sendable {
    /// Its place among the loader's samples.
    public let index: Int
    /// The sample.
    public let sample: Sample
    /// The image, resized by the reader's factor.
    public let image: Image
    /// The labels in the mask's own resolution, which the prediction is to be brought to.
    public let mask: Mask
}

/// Whole images in order, once, decoded ahead on threads of its own.
public final class EvaluationLoader: Sendable {
    /// How many images there are.
    public let count: Int
    private let prefetcher: OrderedPrefetcher<EvaluationItem>

    /// Starts decoding.
    ///
    /// - Parameters:
    ///   - samples: what to read; all must have masks.
    ///   - reader: reads and checks a sample; resizes the image alone.
    ///   - workers: threads that decode; 0 decodes when asked.
    ///   - prefetch: images decoded ahead, at least one for each worker.
    ///   - resizesMask: whether labels are resized too: cheaper, for figures during a search.
    public init(
        samples: [Sample], reader: SampleReader, workers: Int = 1, prefetch: Int = 1, resizesMask: Bool = false
    ) {
        count = samples.count
        prefetcher = OrderedPrefetcher(
            first: 0, end: samples.count, workers: workers, depth: prefetch, name: "evaluation loader"
        ) { index in
            let (image, mask) = try reader.readImageAndOriginalMask(samples[index])
            return EvaluationItem(
                index: index, sample: samples[index], image: image,
                mask: resizesMask ? mask.resized(width: image.width, height: image.height) : mask)
        }
    }

    /// The next image; nil behind the last one.
    ///
    /// An error names the file that could not be used, and stays.
    public func next() throws -> EvaluationItem? { try prefetcher.next() }

    /// Seconds that `next` has waited for data in all.
    public var waitSeconds: Double { prefetcher.waitSeconds }

    /// Ends the loader's threads and waits for them; so does dropping the loader.
    public func stop() { prefetcher.stop() }
}
