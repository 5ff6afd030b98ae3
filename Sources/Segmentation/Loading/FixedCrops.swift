import Datasets
import Images

/// One crop of each of some images, drawn once, in place of new ones in each epoch.
///
/// They are those of the first epoch of a ``BatchLoader`` with the same seed whose batches have one image; which images
/// have one is random too.
public struct FixedCrops: Sendable {
    /// How many crops there are.
    public let count: Int
    private let seed: UInt64
    private let source: BatchSource
    private let places: [Int]

    /// Draws which samples have a crop; nothing is read yet.
    ///
    /// - Parameters:
    ///   - samples: What is drawn from; all must have masks.
    ///   - limit: How many crops there are to be, at least 1; no more than samples.
    ///   - reader: Reads, checks and resizes a sample.
    ///   - augmentation: How crops are drawn.
    ///   - seed: What samples, crops and their order follow from.
    ///   - cacheBytes: Bytes of decoded samples to keep.
    /// - Throws: `DataError` for settings or a number of samples that cannot be used.
    public init(
        of samples: [Sample], limit: Int, reader: SampleReader, augmentation: Augmentation, seed: UInt64,
        cacheBytes: Int = 0
    ) throws {
        try augmentation.validate()
        precondition(limit >= 1, "\(limit) crops")
        guard !samples.isEmpty else {
            throw DataError(.missing, file: "data set", problem: "no images for crops")
        }
        count = min(limit, samples.count)
        self.seed = seed
        source = BatchSource(
            samples: samples, reader: reader, augmentation: augmentation,
            options: BatchLoader.Options(batchSize: 1, seed: seed), batchesPerEpoch: samples.count,
            cache: SampleCache(limit: cacheBytes))
        places = Array(source.order(epoch: 0).prefix(count))
    }

    /// The sample of a crop, by the crop's number below ``count``.
    public func sample(_ number: Int) -> Sample { source.samples[places[number]] }

    /// A crop, the same each time.
    ///
    /// - Parameter number: Its number below ``count``.
    /// - Returns: A batch of one.
    /// - Throws: `DataError` with the file that cannot be used.
    public func callAsFunction(_ number: Int) throws -> Batch {
        precondition((0..<count).contains(number), "crop \(number) of \(count)")
        return try source.batch(number)
    }

    /// The crops of a batch of an endless stream, in which each epoch has all in a new order.
    ///
    /// What does not fill a batch is dropped, and where all crops together do not fill one, they are repeated until they do.
    ///
    /// - Parameters:
    ///   - number: Which batch of the stream, from 0.
    ///   - size: Crops in a batch, at least 1.
    /// - Returns: The crops' numbers.
    public func batch(_ number: Int, of size: Int) -> [Int] {
        let perEpoch = max(1, count / size)
        let (epoch, place) = number.quotientAndRemainder(dividingBy: perEpoch)
        // A stream of its own: those of two numbers are the loader's crops.
        var random = RandomStream(seed: seed, epoch, 0, 1)
        var order = random.permutation(count)
        while order.count < size { order += random.permutation(count) }
        return Array(order[place * size..<(place + 1) * size])
    }
}
