import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// Training of a discrete network from scratch (paper 5.2).
public final class Training {
    private let configuration: Configuration
    private let folder: RunFolder
    private let reporter: any ProgressReporter
    private let interruption: Interruption
    private let generator: Generator
    private let model: Model
    private let optimizer: SGD
    private let schedule: Schedule
    private let loader: BatchLoader
    private let classWeights: Tensor?
    private let evaluator: Evaluator
    private let log: RunLog
    private var position = LoopPosition()
    private var clock: CheckpointClock
    private let metrics: MetricsTable
    private let board: RunBoard
    /// The last validation, for the live line.
    private var latestMIOU: Double?

    /// Opens the data, builds the network and, where the folder holds a checkpoint, goes on from it.
    ///
    /// - Parameters:
    ///   - genotype: The network to train; nil takes the one of the run that goes on.
    ///   - configuration: How to train.
    ///   - folder: Where the run keeps its files.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks the run to stop.
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    public init(
        _ genotype: Genotype?, _ configuration: Configuration, folder: RunFolder, reporter: any ProgressReporter,
        interruption: Interruption
    ) throws {
        try configuration.validate()
        let train = configuration.train
        clock = CheckpointClock(configuration.checkpoint.every)
        let dataset = try configuration.data.dataset()
        let device = try configuration.device.device()
        self.configuration = configuration
        self.folder = folder
        self.reporter = StatusReporter(reporter, folder: folder)
        self.interruption = interruption
        let seed = UInt64(configuration.seed)
        let own = try genotype ?? loadGenotype(folder.paths.genotype)
        generator = Generator(seed: seed)
        model = Model(
            genotype: own, configuration: train.network(classes: dataset.classes.count), classes: dataset.classes,
            resize: train.resize, generator: generator, device: device)
        let parameters = model.network.store.parameters
        optimizer = SGD(
            groups: [
                SGD.Group(parameters: parameters.filter { $0.kind == .convolution }, weightDecay: train.weightDecay),
                SGD.Group(parameters: parameters.filter { $0.kind != .convolution }, weightDecay: 0),
            ], momentum: train.momentum)
        let last = folder.paths.lastCheckpoint
        let checkpoint = folder.hasCheckpoint ? try Checkpoint(at: last) : nil
        var start = LoaderPosition()
        if let checkpoint {
            position = try checkpoint.value("position", as: LoopPosition.self, in: last)
            start = try checkpoint.value("loader", as: LoaderPosition.self, in: last)
            try model.network.store.load(checkpoint.section("network", in: last))
            try optimizer.load(checkpoint.section("optimizer", in: last))
            guard let state = try checkpoint.section("random", in: last)["generator"] else {
                throw RunError(.damaged, path: last, "\(last): no random state in the checkpoint")
            }
            try generator.restore(state: state)
        }
        guard train.classWeights.isEmpty || train.classWeights.count == dataset.classes.count else {
            throw ConfigurationError(
                .outOfRange,
                "train.classWeights: \(train.classWeights.count) weights, where the data has \(dataset.classes.count) classes"
            )
        }
        classWeights =
            train.classWeights.isEmpty
            ? nil : Tensor(train.classWeights.map { Float($0) }, shape: [train.classWeights.count], device: device)
        let reader = configuration.data.trainingReader(dataset, resize: train.resize)
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) {
            reporter.report(.note($0))
        }
        var options = BatchLoader.Options(
            batchSize: train.batch, seed: seed, workers: configuration.data.workers,
            cacheBytes: configuration.data.cacheMegabytes << 20)
        if train.balanced {
            options.balance = try ClassBalance(samples: samples, reader: reader, configuration, reporter: reporter)
        }
        loader = try BatchLoader(
            samples: samples, reader: reader, augmentation: train.augmentation, options: options, position: start)
        let total = train.iterations > 0 ? train.iterations : train.epochs * loader.batchesPerEpoch
        schedule = Schedule(
            base: train.learningRate, total: total, shape: .poly(power: train.power), warmUp: train.warmupSteps)
        evaluator = try Evaluator(
            validating: dataset, reader: reader, limit: train.validationImages, configuration: configuration,
            device: device)
        if checkpoint != nil { try folder.truncateLog(after: position.step) }
        log = try RunLog(folder)
        metrics = try MetricsTable(folder)
        board = try RunBoard(folder, configuration, classes: dataset.classes, after: position.step)
        try folder.write(configuration)
        try folder.write(Environment(threads: configuration.workerThreads, device: device.description))
        try AtomicFile.write(own.json(), to: folder.paths.genotype)
    }

    /// Runs to the last step and writes the model file.
    ///
    /// - Returns: The best validation mIOU.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    @discardableResult
    public func run() throws -> Double {
        Engine.threads = configuration.workerThreads
        let perEpoch = loader.batchesPerEpoch
        reporter.report(.began(stage: "train", unit: "step", total: schedule.total))
        while position.step < schedule.total {
            let loss = try step()
            position.advance(loss: loss)
            let epochs = (schedule.total + perEpoch - 1) / perEpoch
            let epoch = (position.step - 1) / perEpoch
            reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(epochs)",
                        values: [Advance.Measurement("loss", loss)] + mIOUs(latestMIOU))))
            if position.step % perEpoch == 0 || position.step == schedule.total {
                try finish(epoch: epoch, of: epochs)
            }
            if interruption.takeCheckpointRequest() || clock.isDue(after: position.step) { try writeCheckpoint() }
            if let signal = interruption.signal {
                try writeCheckpoint()
                throw Interrupted(signal: signal, step: position.step, run: folder.path)
            }
        }
        reporter.report(.ended(stage: "train"))
        return position.best
    }

    private func step() throws -> Double {
        let batch = try loader.next()
        let progress = Double(position.step) / Double(schedule.total)
        let scores = model.network(
            batch.imageTensor(on: model.device), mode: .training,
            regularization: Regularization(progress: progress, generator: generator))
        let loss = crossEntropy(
            scores, labels: batch.labelTensor(on: model.device), classWeights: classWeights)
        let value = loss.item()
        guard value.isFinite else {
            throw RunError(
                .damaged, path: folder.path,
                "train: the loss is \(value) at step \(position.step + 1); lower train.learningRate")
        }
        let found = gradients(of: loss, withRespectTo: optimizer.parameters)
        if configuration.train.clip > 0 { clipNorm(of: found, to: configuration.train.clip) }
        optimizer.step(found, rate: schedule.rate(at: position.step))
        return value
    }

    private func finish(epoch: Int, of epochs: Int) throws {
        let isLast = position.step == schedule.total
        let loss = position.takeMeanLoss()
        var isBest = false
        var samples: Image?
        var values: [(String, LogValue)] = [
            ("loss", .number(loss)), ("learningRate", .number(schedule.rate(at: position.step - 1))),
        ]
        if isLast || (epoch + 1) % configuration.train.validateEvery == 0 {
            let network = { (images: Tensor) in self.model.network(images, mode: .evaluation) }
            if let matrix = try evaluator(network: network) {
                latestMIOU = matrix.mIOU
                samples = try evaluator.sheet(palette: model.classes.palette, network: network)
                values.append(("mIOU", .number(matrix.mIOU)))
                reporter.report(.note(String(format: "epoch \(epoch + 1)/\(epochs): val mIOU %.4f", matrix.mIOU)))
                if matrix.mIOU > position.best {
                    position.best = matrix.mIOU
                    isBest = true
                    try model.write(to: folder.paths.model)
                }
            }
        }
        try log.append(epoch: epoch, step: position.step, values)
        try metrics.append(epoch: epoch, step: position.step, numbers(values))
        try board.update(samples: samples)
        let checkpoint = try writeCheckpoint()
        if isBest { try checkpoint.write(to: folder.paths.bestCheckpoint) }
    }

    @discardableResult
    private func writeCheckpoint() throws -> Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.sections = [
            "network": model.network.store.state, "optimizer": optimizer.state,
            "random": ["generator": generator.state],
        ]
        try checkpoint.set("position", position)
        try checkpoint.set("loader", loader.position)
        try log.synchronize()
        try checkpoint.write(to: folder.paths.lastCheckpoint, keep: configuration.checkpoint.keep)
        return checkpoint
    }
}

extension TrainConfiguration {
    /// The network's shape besides its genotype.
    func network(classes: Int) -> DiscreteConfiguration {
        var result = DiscreteConfiguration(filters: filters, classes: classes)
        result.stemChannels = stemChannels
        result.asppChannels = asppChannels
        result.decoderChannels = decoderChannels
        result.lowLevelChannels = lowLevelChannels
        result.batchNormDecay = batchNormDecay
        result.dropoutKeep = dropoutKeep
        result.dropPathKeep = dropPathKeep
        return result
    }
}
