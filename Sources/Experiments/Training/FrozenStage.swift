import Configurations
import Datasets
import Networks
import Runs
import Segmentation
import Torch

/// The epochs of a training in which the encoder stays as it is and sees the same crops again and again (arXiv 1810.10804;
/// ALGORITHM 16): a step costs the decoder alone where the encoder's maps are kept.
struct FrozenStage {
    /// Crops of a step with what the encoder made of them.
    struct Batch {
        /// The encoder's maps, `[N, C, h, w]` each.
        let maps: [Tensor]
        /// `[N, H, W]` of 64-bit integers.
        let labels: Tensor
        /// `[N, 3, H, W]`, for a teacher; nil where there is none.
        let images: Tensor?
        let samples: [Sample]

        var height: Int { labels.size(1) }
        var width: Int { labels.size(2) }
    }

    private let crops: FixedCrops
    private let crop: CropSize
    private let size: Int
    private let features: FrozenFeatures
    private let owner: String
    private let network: EncodedNetwork
    private let precision: Precision
    private let device: Device
    private let reporter: any ProgressReporter
    /// Whether batches have their images too.
    private let needsImages: Bool

    /// The stage of a training.
    ///
    /// - Parameters:
    ///   - setup: What was opened.
    ///   - network: The network, with the encoder's weights in it.
    ///   - features: Where the encoder's maps are kept.
    ///   - needsImages: Whether there is a teacher.
    /// - Throws: `ConfigurationError` in a group of processes, `DataError` for settings that cannot be used.
    init(
        _ setup: StageSetup, _ network: EncodedNetwork, features: FrozenFeatures, needsImages: Bool
    ) throws {
        let (configuration, train) = (setup.configuration, setup.configuration.train)
        guard ProcessGroup.current == nil else {
            throw ConfigurationError(
                .contradiction, "train.frozenImages: the processes of a group draw crops anew: set it to 0")
        }
        self.network = network
        self.features = features
        self.needsImages = needsImages
        (precision, device, reporter) = (configuration.precision, setup.device, setup.reporter)
        crops = try FixedCrops(
            of: setup.samples, limit: train.frozenImages, reader: setup.reader, augmentation: train.augmentation,
            seed: setup.seed, cacheBytes: configuration.data.cacheMegabytes << 20)
        crop = train.crop
        size = train.frozenBatch > 0 ? train.frozenBatch : train.batch
        try train.crop.refuseImpossible(batch: size, channels: configuration.data.channels, stage: "train")
        owner = FrozenStage.owner(configuration, network)
    }

    /// All that the maps follow from: the encoder's weights, and the settings that say what it sees.
    private static func owner(_ configuration: Configuration, _ network: EncodedNetwork) -> String {
        var hash = XXHash64()
        for (name, tensor) in network.store.state.sorted(by: { $0.key < $1.key }) where name.hasPrefix("encoder.") {
            hash.update(Array(name.utf8))
            tensor.floats().withUnsafeBytes { hash.update($0) }
        }
        let seen =
            ["train.crop", "train.scales", "train.flip", "train.resize", "train.frozenImages", "seed"]
            + ["precision", "device"]
        let settings = configuration.texts.filter {
            $0.key.hasPrefix("data.") || $0.key.hasPrefix("train.augment.") || seen.contains($0.key)
        }
        let texts = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let strides = network.frozenStrides.map(String.init)
        return ([network.configuration.encoder.rawValue, hash.text] + strides + texts).joined(separator: "\n")
    }

    /// The batch of a number of the stage's endless stream.
    ///
    /// - Throws: `DataError` with the file that cannot be used.
    func batch(_ number: Int) throws -> Batch {
        let numbers = crops.batch(number, of: size)
        let entries = try numbers.map(entry)
        let labels = Tensor(entries.flatMap(\.labels), shape: [entries.count, crop.height, crop.width])
        return Batch(
            maps: entries[0].maps.indices.map { place in
                // Together as the encoder would give them: channels last.
                concatenate(entries.map { $0.maps[place] }, dim: 0).channelsLast()
            },
            labels: labels.to(device).to(.int64),
            images: needsImages
                ? concatenate(try numbers.map { try crops($0).imageTensor(on: device) }, dim: 0).channelsLast() : nil,
            samples: numbers.map(crops.sample))
    }

    private func entry(_ number: Int) throws -> FrozenFeatures.Entry {
        let (entry, isFirstLeftOut) = try features.entry(number, of: owner) {
            let crop = try crops(number)
            // One image at a time, so that maps which are computed anew have the bits of those that are kept.
            let maps = withBFloat16(precision == .bfloat16, on: device) {
                network.frozenFeatures(of: crop.imageTensor(on: device))
            }
            return FrozenFeatures.Entry(maps: maps, labels: crop.labels)
        }
        if isFirstLeftOut {
            reporter.report(
                .note(
                    "the encoder's maps of \(features.count) of \(crops.count) crops fit into train.frozenMegabytes: the "
                        + "others are computed anew in each step"))
        }
        return entry
    }
}
