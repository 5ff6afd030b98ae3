import Configurations
import Datasets
import Foundation
import Images
import Runs
import Segmentation
import Torch

/// What search and training open before they build their network: the folder's newest checkpoint and the data.
struct StageSetup {
    /// What differs between the stages here.
    struct Needs {
        /// `search` or `train`, as in the settings' names.
        let stage: String
        let crop: CropSize
        /// Images of a step, in all processes together.
        let batch: Int
        let resize: Double
    }

    let needs: Needs
    /// As it was given, with what the data say of themselves.
    var configuration: Configuration
    let folder: RunFolder
    let reporter: any ProgressReporter
    let keeper: CheckpointManager
    /// The checkpoint from which the run goes on; nil for a new one.
    let restored: (checkpoint: Checkpoint, position: LoopPosition)?
    let device: Device
    let dataset: Dataset
    /// The training images.
    let samples: [Sample]
    /// The values of 16-bit images.
    let range: ValueRange?
    /// What becomes of images' bytes before a network sees them.
    let normalization: ChannelNormalization
    /// Reads samples as the stage sees them.
    let reader: SampleReader
    /// Images of a step in this process.
    let ownBatch: Int

    /// Opens all of it.
    ///
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    init(
        _ needs: Needs, _ configuration: Configuration, folder: RunFolder, reporter: any ProgressReporter,
        interruption: Interruption
    ) throws {
        try configuration.validate()
        ownBatch = try configuration.ownBatch(needs.batch, key: "\(needs.stage).batch")
        try needs.crop.refuseImpossible(
            batch: ownBatch, channels: configuration.data.channels, stage: needs.stage)
        self.needs = needs
        self.folder = folder
        self.reporter = StatusReporter(reporter, folder: folder)
        keeper = CheckpointManager(folder, configuration.checkpoint, interruption: interruption)
        restored = try keeper.restore(reporter)
        var configuration = configuration
        dataset = try configuration.settleData(from: restored?.checkpoint, reporter: reporter)
        // What is found is to be trained under the same configuration.
        try configuration.train.refuseOtherWeights(classes: dataset.classes.count)
        device = try configuration.device.device()
        samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) { reporter.report(.note($0)) }
        if restored == nil {
            try refuseOutput(folder.path, amongPicturesOf: samples, root: configuration.data.root)
            try configuration.warnOfLabels(samples, dataset, reporter: reporter)
        }
        range = try dataset.range(of: samples, from: restored?.checkpoint, path: folder.paths.lastCheckpoint) {
            reporter.report(.note($0))
        }
        normalization = try dataset.normalization(
            of: samples, range: range, from: restored?.checkpoint, path: folder.paths.lastCheckpoint,
            workers: configuration.workerThreads, reporter: reporter)
        reader = configuration.data.trainingReader(
            dataset, resize: needs.resize, range: range, normalization: normalization)
        self.configuration = configuration
    }

    /// Brings back what a checkpoint holds of a stage; nothing for a new run.
    ///
    /// - Parameters:
    ///   - schedule: The run's steps.
    ///   - load: Takes the stage's own state out of the checkpoint, read from a path.
    /// - Throws: `RunError` where the run cannot go on under this configuration, or the checkpoint is damaged.
    func restore(schedule: Schedule, _ load: (_ checkpoint: Checkpoint, _ path: String) throws -> Void) throws {
        guard let (checkpoint, position) = restored else { return }
        try checkpoint.check(
            configuration, stage: needs.stage, samples: sampleList, schedule: schedule, step: position.step,
            folder: folder, reporter: reporter)
        try load(checkpoint, folder.paths.lastCheckpoint)
    }

    /// The training images as a checkpoint knows them.
    var sampleList: SampleList { SampleList(samples, classes: dataset.classes.names) }

    /// The seed of all that is drawn.
    var seed: UInt64 { UInt64(configuration.seed) }

    /// Batches of some of the samples, in this process's part of the group.
    ///
    /// - Parameters:
    ///   - indices: Places in ``samples``.
    ///   - seed: Decides order and augmentation.
    ///   - augmentation: What is done to each image.
    ///   - cacheBytes: Memory for decoded images.
    ///   - balance: Which crops are taken, where classes are balanced.
    ///   - position: Where the batches begin.
    /// - Returns: A loader that reads ahead.
    /// - Throws: `DataError` for settings or a position that cannot be used.
    func loader(
        of indices: [Int], seed: UInt64, augmentation: Augmentation, cacheBytes: Int, balance: ClassBalance? = nil,
        from position: LoaderPosition
    ) throws -> BatchLoader {
        var options = BatchLoader.Options(
            batchSize: needs.batch, seed: seed, workers: configuration.data.workers, cacheBytes: cacheBytes)
        if let group = ProcessGroup.current { options.part = (group.rank, group.size) }
        options.balance = balance
        return try BatchLoader(
            samples: indices.map { samples[$0] }, reader: reader, augmentation: augmentation, options: options,
            position: position)
    }
}
