import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// Training of a discrete network from scratch (paper 5.2).
public final class Training {
    private let configuration: Configuration
    private let keeper: LoopKeeper
    private let reporter: any ProgressReporter
    private let generator: Generator
    private let model: Model
    private let optimizer: SGD
    private let schedule: Schedule
    private let loader: BatchLoader
    private let classWeights: Tensor?
    private let evaluator: Evaluator
    private let log: RunLog
    private(set) var position = LoopPosition()
    private let samples: SampleList
    private var watch: NumberWatch
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
        let ownBatch = try configuration.ownBatch(train.batch, key: "train.batch")
        try train.crop.refuseImpossible(batch: ownBatch, stage: "train")
        keeper = LoopKeeper(folder, configuration.checkpoint, interruption: interruption)
        watch = NumberWatch(configuration.onNonFinite, stage: "train")
        let dataset = try configuration.data.dataset()
        let device = try configuration.device.device()
        self.configuration = configuration
        self.reporter = StatusReporter(reporter, folder: folder)
        let seed = UInt64(configuration.seed)
        let restored = try keeper.restore(reporter)
        let own =
            try restored?.checkpoint.genotype(in: folder, given: genotype)
            ?? genotype ?? loadGenotype(folder.paths.genotype)
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
        let reader = configuration.data.trainingReader(dataset, resize: train.resize)
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) {
            reporter.report(.note($0))
        }
        self.samples = SampleList(samples, classes: dataset.classes.count)
        let total = train.iterations > 0 ? train.iterations : train.epochs * max(1, samples.count / train.batch)
        schedule = Schedule(
            base: train.learningRate, total: total, shape: .poly(power: train.power), warmUp: train.warmupSteps)
        let last = folder.paths.lastCheckpoint
        var start = LoaderPosition()
        if let (checkpoint, position) = restored {
            try checkpoint.check(
                configuration, stage: "train", samples: self.samples, schedule: schedule, step: position.step,
                folder: folder, reporter: reporter)
            self.position = position
            start = try checkpoint.value("loader", as: LoaderPosition.self, in: last)
            try model.network.store.load(checkpoint.section("network", in: last))
            try optimizer.load(checkpoint.section("optimizer", in: last))
            guard let state = try checkpoint.section("random", in: last)["generator"] else {
                throw RunError(.damaged, path: last, "no random state in the checkpoint")
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
        var options = BatchLoader.Options(
            batchSize: train.batch, seed: seed, workers: configuration.data.workers,
            cacheBytes: configuration.data.cacheMegabytes << 20)
        if let group = ProcessGroup.current { options.part = (group.rank, group.size) }
        if train.balanced {
            options.balance = try ClassBalance(samples: samples, reader: reader, configuration, reporter: reporter)
        }
        loader = try BatchLoader(
            samples: samples, reader: reader, augmentation: train.augmentation, options: options, position: start)
        evaluator = try Evaluator(
            validating: dataset, reader: reader, limit: train.validationImages, configuration: configuration,
            device: device)
        try Hello(
            configuration, samples: ["train": samples, "val": evaluator.samples], classes: dataset.classes.names
        ).agree()
        if restored != nil { try folder.truncateLog(after: position.step, finishedEpochs: position.epoch) }
        // A last epoch that iterations cut short goes on where the run is made longer.
        if position.step < total { position.epoch = min(position.epoch, position.step / loader.batchesPerEpoch) }
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
        return try keeper.run(self) {
            reporter.report(.began(stage: "train", unit: "step", total: schedule.total))
            while position.epoch < epochs { try runEpoch(position.epoch) }
            let paths = keeper.folder.paths
            if FileManager.default.fileExists(atPath: paths.model) { try writeModelCard(ofRun: paths.folder) }
            reporter.report(.ended(stage: "train"))
            return position.best
        }
    }

    private var epochs: Int { (schedule.total + loader.batchesPerEpoch - 1) / loader.batchesPerEpoch }

    private func runEpoch(_ epoch: Int) throws {
        let end = min((epoch + 1) * loader.batchesPerEpoch, schedule.total)
        while position.step < end {
            let loss = try step()
            position.advance(loss: loss)
            reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(epochs)",
                        values: [Advance.Measurement("loss", loss ?? .nan)] + mIOUs(latestMIOU))))
            // The last step is saved together with the end of its epoch.
            if position.step < end { try keeper.afterStep(of: self) }
        }
        try finish(epoch)
        try keeper.stopIfAsked(self)
    }

    /// One step.
    ///
    /// - Returns: The loss; nil where the step was skipped.
    private func step() throws -> Double? {
        let batch = try Agreement.all { try loader.next() }
        let buffers = model.network.store.buffers
        let statistics = configuration.onNonFinite == .skip ? buffers.map { $0.tensor.clone() } : []
        let progress = Double(position.step) / Double(schedule.total)
        let scores = withBFloat16(configuration.precision == .bfloat16, on: model.device) {
            model.network(
                batch.imageTensor(on: model.device), mode: .training,
                regularization: Regularization(progress: progress, generator: generator))
        }
        let loss = crossEntropy(
            scores, labels: batch.labelTensor(on: model.device), classWeights: classWeights)
        let found = sharedGradients(of: loss, withRespectTo: optimizer.parameters)
        let numbers = StepNumbers(loss: loss, gradients: found)
        guard try watch.allows(numbers, step: position.step + 1, batch: batch, of: loader, keeper: keeper) else {
            withoutGradients { for (buffer, old) in zip(buffers, statistics) { buffer.tensor.copy(from: old) } }
            return nil
        }
        if configuration.train.clip > 0 { clip(found, norm: numbers.gradientNorm, to: configuration.train.clip) }
        optimizer.step(found, rate: schedule.rate(at: position.step))
        return numbers.loss
    }

    private func finish(_ epoch: Int) throws {
        let isLast = position.step == schedule.total
        var isBest = false
        var samples: Image?
        var values: [(String, LogValue)] = [
            ("loss", .number(position.meanLoss)), ("learningRate", .number(schedule.rate(at: position.step - 1))),
            ("skippedSteps", .integer(position.skipped)),
        ]
        if isLast || (epoch + 1) % configuration.train.validateEvery == 0 {
            let network = { (images: Tensor) in self.model.network(images, mode: .evaluation) }
            let matrix = try evaluator(network: network, stop: { self.keeper.isStopping })
            guard let matrix else {
                // Half a validation is none: it is made again when the run goes on.
                try keeper.save(self)
                return try keeper.stopIfAsked(self)
            }
            latestMIOU = matrix.mIOU
            if ProcessGroup.isLeader {
                samples = try evaluator.sheet(palette: model.classes.palette, network: network)
            }
            values.append(("mIOU", .number(matrix.mIOU)))
            reporter.report(.note(String(format: "epoch \(epoch + 1)/\(epochs): val mIOU %.4f", matrix.mIOU)))
            if matrix.mIOU > position.best {
                position.best = matrix.mIOU
                isBest = true
                if ProcessGroup.isLeader { try model.write(to: keeper.folder.paths.model) }
            }
        }
        try log.append(epoch: epoch, step: position.step, values)
        try metrics.append(epoch: epoch, step: position.step, numbers(values))
        try board.update(samples: samples)
        position.finishEpoch()
        let checkpoint = try keeper.save(self)
        if isBest && ProcessGroup.isLeader { try checkpoint.write(to: keeper.folder.paths.bestCheckpoint) }
    }
}

extension Training: KeptLoop {
    func checkpoint() throws -> Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.sections = [
            "network": model.network.store.state, "optimizer": optimizer.state,
            "random": ["generator": generator.state],
        ]
        try checkpoint.set("position", position)
        try checkpoint.set("loader", loader.position)
        checkpoint.metadata["genotype"] = String(decoding: model.genotype.json(), as: UTF8.self)
        try checkpoint.set(configuration, samples: samples, steps: schedule.total)
        try log.synchronize()
        return checkpoint
    }
}

extension Checkpoint {
    /// The network that a run trains, which a resumed run must not change.
    fileprivate func genotype(in folder: RunFolder, given: Genotype?) throws -> Genotype {
        let path = folder.paths.lastCheckpoint
        let own = try Genotype(json: Data((metadata["genotype"] ?? "").utf8), source: path)
        guard given == nil || given == own else {
            throw RunError(
                .changed, path: folder.path,
                "the run trains another network than the one given: leave --genotype out, or start a new run")
        }
        return own
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
