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
    /// Where the batches of the next step begin: some may have been fetched for a step that was not made.
    private var next: LoaderPosition
    /// Batches that do not fill a step are left for the next epoch's first.
    private let stepsPerEpoch: Int
    private let loss: SegmentationLoss
    private let heads: AuxiliaryHeads
    private let average: AveragedWeights?
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
    ///   - genotype: The network to train; nil takes the one of the run that goes on, or of the model to start from.
    ///   - configuration: How to train.
    ///   - start: A trained model whose weights a new run begins with, and where it was read from; its classes may be
    ///     others (paper 5.2: from COCO to VOC). The configuration must have its widths: ``Configuration/adopting(_:)``.
    ///   - folder: Where the run keeps its files.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks the run to stop.
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    public init(
        _ genotype: Genotype?, _ configuration: Configuration, from start: (model: Model, path: String)? = nil,
        folder: RunFolder, reporter: any ProgressReporter, interruption: Interruption
    ) throws {
        try configuration.validate()
        let train = configuration.train
        let ownBatch = try configuration.ownBatch(train.batch, key: "train.batch")
        try train.crop.refuseImpossible(batch: ownBatch, stage: "train")
        keeper = LoopKeeper(folder, configuration.checkpoint, interruption: interruption)
        watch = NumberWatch(configuration.onNonFinite, stage: "train")
        let restored = try keeper.restore(reporter)
        var configuration = configuration
        let dataset = try configuration.settleData(from: restored?.checkpoint, reporter: reporter)
        try train.refuseOtherWeights(classes: dataset.classes.count)
        let device = try configuration.device.device()
        let own =
            try restored?.checkpoint.genotype(in: folder, given: genotype)
            ?? genotype ?? start?.model.genotype ?? loadGenotype(folder.paths.genotype)
        if let note = configuration.search.settleAtrous(by: own) { reporter.report(.note(note)) }
        self.configuration = configuration
        self.reporter = StatusReporter(reporter, folder: folder)
        let seed = UInt64(configuration.seed)
        generator = Generator(seed: seed)
        model = Model(
            genotype: own, configuration: train.network(classes: dataset.classes.count), classes: dataset.classes,
            scaling: configuration.data.scaling(resize: train.resize), masks: dataset.meaning, generator: generator,
            device: device)
        if let start, restored == nil {
            reporter.report(.note(try model.start(from: start.model, path: start.path)))
        }
        heads = try AuxiliaryHeads(train.auxiliary, of: model.network, generator: generator)
        average =
            train.averageDecay > 0
            ? AveragedWeights(of: model.network.store, decay: train.averageDecay) : nil
        let parameters = model.network.store.parameters + heads.store.parameters
        let rest = parameters.filter { $0.kind != .convolution }
        optimizer = SGD(
            groups: [
                SGD.Group(parameters: parameters.filter { $0.kind == .convolution }, weightDecay: train.weightDecay),
                SGD.Group(parameters: rest, weightDecay: train.decayNormalization ? train.weightDecay : 0),
            ], momentum: train.momentum)
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) {
            reporter.report(.note($0))
        }
        if restored == nil {
            try refuseOutput(folder.path, amongPicturesOf: samples, root: configuration.data.root)
            try configuration.warnOfLabels(samples, dataset, reporter: reporter)
        }
        model.range = try dataset.range(of: samples, from: restored?.checkpoint, path: folder.paths.lastCheckpoint) {
            reporter.report(.note($0))
        }
        let reader = configuration.data.trainingReader(dataset, resize: train.resize, range: model.range)
        self.samples = SampleList(samples, classes: dataset.classes.count)
        let total =
            train.iterations > 0
            ? train.iterations : train.epochs * max(1, samples.count / train.batch / train.accumulate)
        schedule = Schedule(
            base: train.learningRate, total: total, shape: .poly(power: train.power), warmUp: train.warmupSteps)
        let last = folder.paths.lastCheckpoint
        var loaderPosition = LoaderPosition()
        if let (checkpoint, position) = restored {
            try checkpoint.check(
                configuration, stage: "train", samples: self.samples, schedule: schedule, step: position.step,
                folder: folder, reporter: reporter)
            self.position = position
            loaderPosition = try checkpoint.value("loader", as: LoaderPosition.self, in: last)
            try model.network.store.load(checkpoint.section("network", in: last))
            if !heads.layers.isEmpty { try heads.store.load(checkpoint.section("auxiliary", in: last)) }
            if let average { try average.load(checkpoint.section("average", in: last)) }
            try optimizer.load(checkpoint.section("optimizer", in: last))
            guard let state = try checkpoint.section("random", in: last)["generator"] else {
                throw RunError(.damaged, path: last, "no random state in the checkpoint")
            }
            try generator.restore(state: state)
        }
        loss = try train.segmentationLoss(classes: dataset.classes.count, device: device)
        var options = BatchLoader.Options(
            batchSize: train.batch, seed: seed, workers: configuration.data.workers,
            cacheBytes: configuration.data.cacheMegabytes << 20)
        if let group = ProcessGroup.current { options.part = (group.rank, group.size) }
        if train.balanced {
            options.balance = try ClassBalance(samples: samples, reader: reader, configuration, reporter: reporter)
        }
        loader = try BatchLoader(
            samples: samples, reader: reader, augmentation: train.augmentation, options: options,
            position: loaderPosition)
        next = loaderPosition
        stepsPerEpoch = max(1, loader.batchesPerEpoch / train.accumulate)
        evaluator = try Evaluator(
            validating: dataset, reader: reader, limit: train.validationImages, configuration: configuration,
            device: device)
        try Hello(
            configuration, samples: ["train": samples, "val": evaluator.samples], classes: dataset.classes.names
        ).agree(on: device)
        if restored != nil { try folder.truncateLog(after: position.step, finishedEpochs: position.epoch) }
        // A last epoch that iterations cut short goes on where the run is made longer.
        if position.step < total { position.epoch = min(position.epoch, position.step / stepsPerEpoch) }
        log = try RunLog(folder)
        metrics = try MetricsTable(folder)
        board = try RunBoard(folder, configuration, classes: dataset.classes, after: position.step)
        try folder.write(configuration)
        try folder.write(Environment(threads: configuration.workerThreads, on: device))
        try AtomicFile.write(own.json(), to: folder.paths.genotype, below: folder.paths.folder)
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

    private var epochs: Int { (schedule.total + stepsPerEpoch - 1) / stepsPerEpoch }

    private func runEpoch(_ epoch: Int) throws {
        let end = min((epoch + 1) * stepsPerEpoch, schedule.total)
        while position.step < end {
            let outcome = try step()
            reporter.report(evaluator.reader.notes)
            position.advance(outcome)
            reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(epochs)",
                        values: [Advance.Measurement("loss", outcome.loss ?? .nan)] + mIOUs(latestMIOU))))
            // The last step is saved together with the end of its epoch.
            if position.step < end { try keeper.afterStep(of: self) }
        }
        try finish(epoch)
        try keeper.stopIfAsked(self)
    }

    /// One step.
    ///
    /// - Returns: The loss, or that the step was skipped.
    private func step() throws -> StepOutcome {
        let batches = try Agreement.all { try (0..<configuration.train.accumulate).map { _ in try loader.next() } }
        next = loader.position
        let before =
            configuration.onNonFinite == .skip
            ? StateBefore(of: model.network.store.buffers + heads.store.buffers) : nil
        let progress = Double(position.step) / Double(schedule.total)
        let (loss, found) = accumulatedGradients(
            of: batches.map { batch in
                ({ batch.imageTensor(on: self.model.device) }, batch.labelTensor(on: self.model.device))
            }, loss: loss, parameters: optimizer.parameters
        ) { scores(of: $0, progress: progress) }
        let numbers = StepNumbers(loss: loss, gradients: found)
        guard try watch.allows(numbers, step: position.step + 1, batches: batches, of: loader, keeper: keeper) else {
            try before?.restore()
            return .skipped(.weights)
        }
        if configuration.train.clip > 0 { clip(found, norm: numbers.gradientNorm, to: configuration.train.clip) }
        optimizer.step(found, rate: schedule.rate(at: position.step))
        average?.update(step: position.step)
        return .taken(loss: numbers.loss)
    }

    private func scores(of images: Tensor, progress: Double) -> SupervisedScores {
        withBFloat16(configuration.precision == .bfloat16, on: model.device) {
            var maps: [Int: Tensor] = [:]
            let scores = model.network.forward(
                images, mode: .training, regularization: Regularization(progress: progress, generator: generator)
            ) { layer, map in
                if heads.layers.contains(layer) { maps[layer] = map }
            }
            return SupervisedScores(
                main: scores,
                auxiliary: heads(maps, height: images.size(2), width: images.size(3), mode: .training),
                auxiliaryWeight: configuration.train.auxiliary.weight * (1 - progress))
        }
    }

    private func finish(_ epoch: Int) throws {
        let isLast = position.step == schedule.total
        var isBest = false
        var samples: Image?
        var validation: Validation?
        var values: [(String, LogValue)] = [
            ("loss", .number(position.meanLoss)), ("learningRate", .number(schedule.rate(at: position.step - 1))),
            ("skippedSteps", .integer(position.skipped)),
        ]
        if isLast || (epoch + 1) % configuration.train.validateEvery == 0 {
            guard let found = try validate() else {
                // Half a validation is none: it is made again when the run goes on.
                try keeper.save(self)
                return try keeper.stopIfAsked(self)
            }
            samples = found.samples
            isBest = found.isBest
            let measured = found.validation
            validation = measured
            latestMIOU = measured.matrix.mIOU
            values += measured.logged
            reporter.report(
                .note(String(format: "epoch \(epoch + 1)/\(epochs): val mIOU %.4f", measured.matrix.mIOU)))
        }
        try log.append(epoch: epoch, step: position.step, values)
        let columns = validation?.columns(model.classes.names) ?? []
        try metrics.append(epoch: epoch, step: position.step, numbers(values) + columns)
        try board.update(samples: samples, confusion: validation?.matrix)
        position.finishEpoch()
        try keeper.save(self, isBest: isBest)
    }

    /// Measures the network, with the averaged weights where there are such, and writes the model if it is the best.
    ///
    /// - Returns: What was measured, whether it is the best so far, and pictures; nil where the run was asked to stop.
    private func validate() throws -> (validation: Validation, isBest: Bool, samples: Image?)? {
        let measured = {
            let network = { (images: Tensor) in self.model.network.coarseScores(images) }
            let found = try self.evaluator.validate(
                worst: min(4, self.configuration.evaluate.worst), network: network,
                stop: { self.keeper.isStopping })
            guard let found else { return nil as (validation: Validation, isBest: Bool, samples: Image?)? }
            let isBest = found.matrix.mIOU > self.position.best
            guard ProcessGroup.isLeader else { return (found, isBest, nil) }
            let samples = try self.evaluator.sheet(palette: self.model.classes.palette, network: network)
            if isBest {
                let paths = self.keeper.folder.paths
                try self.model.write(to: paths.model, below: paths.folder)
                let split = self.configuration.data.splits.val
                try found.evaluation(self.model.classes, split: split, scaling: self.model.scaling)
                    .writeFiles(to: paths.validation, below: paths.folder)
            }
            return (found, isBest, samples)
        }
        let found = try average?.inPlace(measured) ?? measured()
        if let found, found.isBest { position.best = found.validation.matrix.mIOU }
        return found
    }
}

extension Training: KeptLoop {
    func checkpoint() throws -> Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.sections = [
            "network": model.network.store.state, "optimizer": optimizer.state,
            "random": ["generator": generator.state],
        ]
        if !heads.layers.isEmpty { checkpoint.sections["auxiliary"] = heads.store.state }
        if let average { checkpoint.sections["average"] = average.state }
        try checkpoint.set("position", position)
        try checkpoint.set("loader", next)
        if let range = model.range { try checkpoint.set("range", range) }
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
