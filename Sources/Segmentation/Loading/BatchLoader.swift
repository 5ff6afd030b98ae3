import Datasets
import Images

/// Training crops with their labels.
public struct Batch: Sendable {
    /// How many crops there are.
    public let count: Int
    /// Rows of a crop.
    public let height: Int
    /// Columns of a crop.
    public let width: Int
    /// Channels of a pixel.
    public let channels: Int
    /// `[count, height, width, channels]` (NHWC, the channels_last order), `2 x / 255 - 1` unless the reader says
    /// otherwise; padding is 0.
    public let images: [Float]
    /// `[count, height, width]`: classes, and 255 for ignored pixels and padding.
    public let labels: [UInt8]
    /// The crops' samples, as indices of the loader's samples; in a loader's part of every batch those of the whole.
    public let indices: [Int]
    /// Where in the stream the batch stands.
    public let position: LoaderPosition
}

/// A place in a loader's endless stream of batches.
public struct LoaderPosition: Hashable, Codable, Sendable {
    /// The epoch, from 0.
    public var epoch: Int
    /// The batch within the epoch, from 0.
    public var batch: Int

    /// The epochs that a saved place can have, which no run reaches.
    static let epochs = 0...1_000_000_000

    /// The place of a batch; the first one by default.
    public init(epoch: Int = 0, batch: Int = 0) {
        self.epoch = epoch
        self.batch = batch
    }
}

/// An endless, seeded stream of augmented training batches, made ahead on threads of its own.
///
/// Each epoch visits the samples in a new order; what does not fill a batch is dropped, and where all samples together
/// do not fill one, they are repeated until they do. Order and augmentation follow from the seed, the epoch and the
/// sample alone: the stream is the same whatever the number of workers, and goes on exactly from any position.
public final class BatchLoader: Sendable {
    /// How batches are made and held ready.
    public struct Options: Hashable, Sendable {
        /// Crops in a batch.
        public var batchSize: Int
        /// What order and augmentation follow from.
        public var seed: UInt64
        /// Threads that decode and augment; 0 makes each batch when it is asked for.
        public var workers: Int
        /// Batches made ahead, at least one for each worker.
        public var prefetch: Int
        /// Bytes of decoded samples to keep, so that a small data set is decoded once.
        public var cacheBytes: Int
        /// The part of every batch that is made, of so many equal ones: each process of a group makes its own.
        public var part: (number: Int, of: Int) {
            get { (partNumber, partCount) }
            set { (partNumber, partCount) = (newValue.number, newValue.of) }
        }
        private var partNumber = 0
        private var partCount = 1
        /// Draws samples by the classes they hold, in place of visiting each once an epoch.
        public var balance: ClassBalance?

        /// Options with the package's defaults.
        public init(
            batchSize: Int, seed: UInt64, workers: Int = 1, prefetch: Int = 2, cacheBytes: Int = 256 << 20
        ) {
            self.batchSize = batchSize
            self.seed = seed
            self.workers = workers
            self.prefetch = prefetch
            self.cacheBytes = cacheBytes
        }
    }

    /// The samples that batches are drawn from.
    public let samples: [Sample]
    /// Batches in an epoch.
    public let batchesPerEpoch: Int
    private let prefetcher: OrderedPrefetcher<Batch>

    /// Starts making batches.
    ///
    /// - Parameters:
    ///   - samples: what batches are drawn from; a subset of a split for a half of it. All must have masks.
    ///   - reader: reads, checks and resizes a sample.
    ///   - augmentation: how crops are drawn.
    ///   - options: batch size, seed and resources.
    ///   - position: where the stream begins, as read from `position` of a loader before.
    /// - Throws: `DataError` for settings, a position or a number of samples that cannot be used.
    public init(
        samples: [Sample], reader: SampleReader, augmentation: Augmentation, options: Options,
        position: LoaderPosition = LoaderPosition()
    ) throws {
        try augmentation.validate()
        precondition(
            options.batchSize > 0 && options.workers >= 0 && options.batchSize % options.part.of == 0
                && (0..<options.part.of).contains(options.part.number), "\(options)")
        guard !samples.isEmpty else {
            throw DataError(.missing, file: "data set", problem: "no images for a loader (a search needs two at least)")
        }
        let perEpoch = max(1, samples.count / options.batchSize)
        guard LoaderPosition.epochs.contains(position.epoch), (0...perEpoch).contains(position.batch) else {
            throw DataError(
                file: "loader position",
                problem: "batch \(position.batch) of epoch \(position.epoch), where an epoch has \(perEpoch) batches:"
                    + " data or batch size have changed")
        }
        let source = BatchSource(
            samples: samples, reader: reader, augmentation: augmentation, options: options, batchesPerEpoch: perEpoch,
            cache: SampleCache(limit: options.cacheBytes))
        self.samples = samples
        batchesPerEpoch = perEpoch
        prefetcher = OrderedPrefetcher(
            first: position.epoch * perEpoch + position.batch, workers: options.workers, depth: options.prefetch,
            name: "batch loader", produce: { try source.batch($0) })
    }

    /// The place of the batch that `next` returns next: what to save for going on exactly.
    public var position: LoaderPosition {
        let number = prefetcher.position
        return LoaderPosition(epoch: number / batchesPerEpoch, batch: number % batchesPerEpoch)
    }

    /// Seconds that `next` has waited for data in all.
    public var waitSeconds: Double { prefetcher.waitSeconds }

    /// The next batch; an error names the file that could not be used, and stays.
    public func next() throws -> Batch {
        guard let batch = try prefetcher.next() else {
            throw DataError(file: "loader", problem: "was stopped")
        }
        return batch
    }

    /// Ends the loader's threads and waits for them; so does dropping the loader.
    public func stop() { prefetcher.stop() }
}

/// Makes any batch of the stream from its number alone.
struct BatchSource: Sendable {
    let samples: [Sample]
    let reader: SampleReader
    let augmentation: Augmentation
    let options: BatchLoader.Options
    let batchesPerEpoch: Int
    let cache: SampleCache

    func batch(_ number: Int) throws -> Batch {
        let size = options.batchSize
        let position = LoaderPosition(epoch: number / batchesPerEpoch, batch: number % batchesPerEpoch)
        let first = position.batch * size
        let indices = Array(order(epoch: position.epoch)[first..<first + size])
        let area = augmentation.cropHeight * augmentation.cropWidth
        let own = size / options.part.of
        let begin = options.part.number * own
        var labels = [UInt8](repeating: Mask.ignored, count: own * area)
        let channels = reader.channels
        let images = try [Float](unsafeUninitializedCapacity: own * area * channels) { pixels, count in
            try labels.withUnsafeMutableBufferPointer { labels in
                for (slot, index) in indices[begin..<begin + own].enumerated() {
                    guard let pixels = pixels.baseAddress, let labels = labels.baseAddress else { continue }
                    let sample = try read(index)
                    // A sample that comes twice in an epoch must not come alike.
                    var random =
                        repeats
                        ? RandomStream(seed: options.seed, position.epoch, index, first + begin + slot)
                        : RandomStream(seed: options.seed, position.epoch, index)
                    let choice = augmentation.choose(for: sample.mask, random: &random)
                    augmentation.render(
                        choice, image: sample.image, mask: sample.mask, normalization: reader.normalization,
                        pixels: pixels + slot * area * channels, labels: labels + slot * area)
                }
            }
            count = own * area * channels
        }
        return Batch(
            count: own, height: augmentation.cropHeight, width: augmentation.cropWidth, channels: channels,
            images: images, labels: labels, indices: indices, position: position)
    }

    /// Whether an epoch may hold a sample more than once.
    private var repeats: Bool { options.balance != nil || samples.count < options.batchSize }

    /// The samples of an epoch in their order.
    func order(epoch: Int) -> [Int] {
        var random = RandomStream(seed: options.seed, epoch)
        let count = batchesPerEpoch * options.batchSize
        if let balance = options.balance { return balance.draw(count, &random) }
        var order = random.permutation(samples.count)
        while order.count < count { order += random.permutation(samples.count) }
        return order
    }

    private func read(_ index: Int) throws -> LabelledImage {
        if let kept = cache[index] { return kept }
        let sample = try reader.read(samples[index])
        cache.keep(sample, at: index)
        return sample
    }
}
