import Configurations
import Datasets
import Foundation
import Inference
import Networks
import Runs
import SearchSpace
import Segmentation
import Torch

/// Training of a segmentation network: of a genotype's from scratch (paper 5.2), or of an encoder with a decoder.
public final class Training {
    private let setup: StageSetup
    private let generator: Generator
    private let model: Model
    private let forward: TrainingForward
    private let optimizer: any Optimizer
    /// The encoder's, whose learning rate is another; nil without an encoder.
    private let encoderOptimizer: (any Optimizer)?
    private let average: ExponentialMovingAverage?
    private let preciseBatchNorm: PreciseBatchNorm?
    private let loss: SegmentationLoss
    private let teacher: Teacher?
    private let loader: BatchLoader
    /// The first epochs, where the encoder stays as it is and sees the same crops in each; nil without such, and after them.
    private let frozen: FrozenStage?
    /// Where the batches of the next step begin: some may have been fetched for a step that was not made.
    private var next: LoaderPosition
    private var watch: NonFiniteGuard
    private let loop: EpochLoop

    private var configuration: TrainConfiguration { setup.configuration.train }

    /// Opens the data, builds the network and, where the folder holds a checkpoint, goes on from it.
    ///
    /// - Parameters:
    ///   - genotype: The network to train; nil takes the one of the run that goes on, or of the model to start from.
    ///   - configuration: How to train.
    ///   - start: A trained model whose weights a new run begins with, and where it was read from; its classes may be
    ///     others (paper 5.2: from COCO to VOC). The configuration must have its widths: `Configuration.adopting(_:)`.
    ///   - folder: Where the run keeps its files.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks the run to stop.
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    public convenience init(
        _ genotype: Genotype?, _ configuration: Configuration, from start: (model: Model, path: String)? = nil,
        folder: RunFolder, reporter: any ProgressReporter, interruption: Interruption
    ) throws {
        try self.init(
            genotype, configuration, from: start, folder: folder, reporter: reporter, interruption: interruption,
            features: FrozenFeatures(megabytes: configuration.train.frozenMegabytes))
    }

    /// As above, with a memory for an encoder's maps that several trainings may share, one after the other.
    ///
    /// - Parameters:
    ///   - genotype: As above.
    ///   - configuration: As above.
    ///   - start: As above.
    ///   - folder: As above.
    ///   - reporter: As above.
    ///   - interruption: As above.
    ///   - features: Where maps of an encoder that stays as it is are kept.
    /// - Throws: As above.
    package init(
        _ genotype: Genotype?, _ configuration: Configuration, from start: (model: Model, path: String)? = nil,
        folder: RunFolder, reporter: any ProgressReporter, interruption: Interruption, features: FrozenFeatures
    ) throws {
        let train = configuration.train
        let needs = StageSetup.Needs(stage: "train", crop: train.crop, batch: train.batch, resize: train.resize)
        // Which network is trained is known from the checkpoint; a model's own settings come with it.
        var setup = try StageSetup(
            needs, configuration, folder: folder, reporter: reporter, interruption: interruption)
        let classes = setup.dataset.classes.count
        let description: NetworkDescription
        if let encoder = train.encoder.kind {
            try train.refuseGenotype(genotype, beside: encoder)
            description = .encoded(
                train.network(encoder, classes: classes, channels: setup.dataset.channels))
        } else {
            let own =
                try setup.restored?.checkpoint.genotype(in: folder, given: genotype)
                ?? genotype ?? start?.model.genotype ?? loadGenotype(folder.paths.genotype)
            if let note = setup.configuration.search.settleAtrous(by: own) { reporter.report(.note(note)) }
            description = .discrete(own, train.network(classes: classes, channels: setup.dataset.channels))
        }
        if train.residual, description.residualLayers == 0 {
            reporter.report(.note("train.residual: no cell of this network keeps its stride, so that nothing is added"))
        }
        self.setup = setup
        watch = NonFiniteGuard(configuration.onNonFinite, stage: "train")
        let dataset = setup.dataset
        let device = setup.device
        let teacher = try Teacher(
            setup.configuration, classes: dataset.classes, range: setup.range, normalization: setup.normalization,
            device: device)
        self.teacher = teacher
        generator = Generator(seed: setup.seed)
        model = Model(
            description, classes: dataset.classes, scaling: setup.configuration.data.scaling(resize: train.resize),
            masks: dataset.meaning, generator: generator, device: device)
        model.range = setup.range
        model.normalization = setup.normalization
        model.shownChannels = setup.configuration.data.shown
        if let start, setup.restored == nil {
            reporter.report(.note(try model.start(from: start.model, path: start.path)))
        } else if setup.restored == nil, let encoder = model.network.encoder, let note = try train.load(into: encoder) {
            reporter.report(.note(note))
        }
        model.network.encoder?.movesStatistics(decay: train.batchNormDecay)
        let auxiliary = try AuxiliaryClassifiers(train, of: model.network, generator: generator)
        forward = TrainingForward(
            network: model.network, auxiliary: auxiliary, generator: generator, device: device,
            isBFloat16: setup.configuration.precision == .bfloat16)
        average =
            train.emaDecay > 0
            ? ExponentialMovingAverage(of: model.network.store, decay: train.emaDecay) : nil
        let parameters = forward.parameters
        optimizer = train.optimizer(of: parameters.withoutEncoder)
        encoderOptimizer =
            model.network.encoder.map { _ in
                train.optimizer(of: parameters.ofEncoder, rateFactor: train.encoderLearningRate)
            }
        let total =
            train.iterations > 0
            ? train.iterations : train.epochs * train.stepsOfEpoch(images: setup.samples.count)
        let schedule = train.schedule(steps: total)
        if train.warmupSteps > total {
            reporter.report(
                .warning(
                    "train.warmupSteps: \(train.warmupSteps) of \(total) steps: the learning rate never reaches"
                        + " train.learningRate"))
        }
        var position = LoaderPosition()
        try setup.restore(schedule: schedule) {
            [model, average, optimizer, encoderOptimizer, generator] checkpoint, path in
            try Teacher.check(teacher, against: checkpoint, folder)
            position = try checkpoint.value("loader", as: LoaderPosition.self, in: path)
            try model.network.store.load(checkpoint.section("network", in: path))
            if let auxiliary { try auxiliary.store.load(checkpoint.section("auxiliary", in: path)) }
            if let average { try average.load(checkpoint.section("average", in: path)) }
            try optimizer.load(checkpoint.section("optimizer", in: path))
            try encoderOptimizer?.load(checkpoint.section("encoderOptimizer", in: path))
            guard let state = try checkpoint.section("random", in: path)["generator"] else {
                throw RunError(.damaged, path: path, "no random state in the checkpoint")
            }
            try generator.restore(state: state)
        }
        loss = try train.segmentationLoss(classes: dataset.classes.count, device: device)
        let balance =
            train.balanced
            ? try ClassBalance(
                samples: setup.samples, reader: setup.reader, setup.configuration, reporter: reporter) : nil
        loader = try setup.loader(
            of: Array(setup.samples.indices), seed: setup.seed, augmentation: train.augmentation,
            cacheBytes: configuration.data.cacheMegabytes << 20, balance: balance, from: position)
        next = position
        let frozenSteps = train.freezeEpochs * train.stepsOfEpoch(images: setup.samples.count)
        if train.frozenImages > 0, setup.restored?.position.step ?? 0 < frozenSteps,
            case .encoded(let network) = model.network
        {
            frozen = try FrozenStage(setup, network, features: features, needsImages: teacher != nil)
        } else {
            frozen = nil
        }
        preciseBatchNorm = try PreciseBatchNorm(setup)
        // Batches that do not fill a step are left for the next epoch's first.
        loop = try EpochLoop(
            setup, schedule: schedule, stepsPerEpoch: train.stepsOfEpoch(images: setup.samples.count),
            validateEvery: train.validateEvery, validationImages: train.validationImages, teacher: teacher?.digest)
        if let genotype = description.genotype {
            try AtomicFile.write(genotype.json(), to: folder.paths.genotype, below: folder.paths.folder)
        }
    }

    /// Runs to the last step and writes the model file.
    ///
    /// - Returns: The best validation mIOU.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    @discardableResult
    public func run() throws -> Double {
        _ = try run(through: nil)
        return loop.position.best
    }

    /// Runs to the last step, or rests after an epoch from which it can go on as if it had never rested.
    ///
    /// - Parameters:
    ///   - epochs: Epochs after which it rests; nil runs to the last step.
    ///   - validated: Epochs after which it is validated besides, as where it rested before: a run that a kill threw back
    ///     behind such an epoch has the same log then.
    /// - Returns: The best validation mIOU; nil where steps are left.
    /// - Throws: As ``run()``.
    package func run(through epochs: Int?, validatedAfter validated: Set<Int> = []) throws -> Double? {
        Engine.threads = setup.configuration.workerThreads
        return try loop.run(self, through: epochs, validatedAfter: validated) { isDone in
            guard isDone else { return nil }
            let paths = setup.folder.paths
            if FileManager.default.fileExists(atPath: paths.model) {
                if let line = try teacher?.measure(in: setup.folder, setup.configuration) {
                    setup.reporter.report(.note(line))
                }
                try writeModelCard(ofRun: paths.folder)
            }
            return loop.position.best
        }
    }

    private func teacherScores(of images: Tensor) -> Tensor {
        withBFloat16(setup.configuration.precision == .bfloat16, on: model.device) {
            teacher?.scores(of: images) ?? images
        }
    }

    /// What the step that is due does with the encoder.
    private var encoderTraining: EncoderTraining { encoderTraining(in: loop.position.step) }

    private func encoderTraining(in step: Int) -> EncoderTraining {
        configuration.encoderTraining(inEpoch: step / loop.stepsPerEpoch)
    }
}

extension Training: LoopStage {
    var keepsBest: Bool { true }

    var path: [Stride] { [] }

    var waitSeconds: Double { loader.waitSeconds }

    func step() throws -> StepOutcome {
        let step = loop.position.step
        let progress = Double(step) / Double(loop.schedule.total)
        let count = configuration.accumulate
        if encoderTraining == .frozen, let frozen {
            let batches = try (0..<count).map { try frozen.batch(step * count + $0) }
            return try take(batches.flatMap(\.samples)) { parameters in
                accumulatedGradients(
                    of: batches.map { batch in ({ batch }, batch.labels) }, loss: loss,
                    distillation: teacher.map { teacher in
                        (teacher.loss, { self.teacherScores(of: $0.images ?? $0.maps[0]) })
                    }, parameters: parameters
                ) { forward.logits(of: $0, progress: progress) }
            }
        }
        let batches = try RankSync.all { try (0..<count).map { _ in try loader.next() } }
        next = loader.position
        return try take(batches.flatMap(\.indices).map { loader.samples[$0] }) { parameters in
            accumulatedGradients(
                of: batches.map { batch in
                    ({ batch.imageTensor(on: self.model.device) }, batch.labelTensor(on: self.model.device))
                }, loss: loss, distillation: teacher.map { ($0.loss, teacherScores) }, parameters: parameters
            ) { forward.logits(of: $0, progress: progress, encoder: encoderTraining) }
        }
    }

    /// Takes a step.
    ///
    /// - Parameters:
    ///   - samples: What it sees.
    ///   - differentiate: Loss and gradients of the parameters that it trains.
    /// - Returns: What became of it.
    /// - Throws: `RunError` where its numbers are not finite.
    private func take(
        _ samples: @autoclosure () -> [Sample], _ differentiate: ([Tensor]) -> (loss: Tensor, gradients: [Tensor?])
    ) throws -> StepOutcome {
        let before =
            setup.configuration.onNonFinite == .skip
            ? StateSnapshot(of: forward.buffers) : nil
        let step = loop.position.step
        let encoderOptimizer = encoderTraining == .frozen ? nil : encoderOptimizer
        let (loss, found) = differentiate(optimizer.parameters + (encoderOptimizer?.parameters ?? []))
        let numbers = StepNumbers(loss: loss, gradients: found)
        guard try watch.allows(numbers, step: step + 1, samples: samples(), keeper: setup.keeper) else {
            try before?.restore()
            return .skipped(.weights)
        }
        if configuration.clip > 0 { clipGradients(found, norm: numbers.gradientNorm, to: configuration.clip) }
        let rate = loop.schedule.rate(at: step)
        let count = optimizer.parameters.count
        optimizer.step(Array(found.prefix(count)), rate: rate)
        encoderOptimizer?.step(Array(found.dropFirst(count)), rate: rate)
        average?.update(step: step)
        return .taken(loss: numbers.loss)
    }

    /// Measures the network, with the averaged weights where there are such, and writes the model if it is the best.
    func validate(_ evaluator: Evaluator, stop: () -> Bool) throws -> EpochValidation? {
        func validate() throws -> EpochValidation? {
            let network = { (images: Tensor) in self.model.network.coarseScores(images) }
            let worst = min(4, setup.configuration.evaluate.worst)
            guard let measured = try evaluator.validate(worst: worst, network: network, stop: stop) else { return nil }
            guard ProcessGroup.isLeader else { return EpochValidation(measured: measured, samples: nil) }
            let samples = try evaluator.sheet(palette: model.classes.palette, network: network)
            if measured.matrix.mIOU > loop.position.best {
                let paths = setup.folder.paths
                try model.write(to: paths.model, below: paths.folder)
                try measured.evaluation(
                    model.classes, split: setup.configuration.data.splits.val, scaling: model.scaling
                ).writeFiles(to: paths.validation, below: paths.folder)
            }
            return EpochValidation(measured: measured, samples: samples)
        }
        func precisely() throws -> EpochValidation? {
            // Behind the last step the learning rate has fallen: running statistics fit, and are means over more images.
            guard let preciseBatchNorm, loop.position.step < loop.schedule.total else { return try validate() }
            // Of the step that was made last.
            let training = encoderTraining(in: max(0, loop.position.step - 1))
            return try preciseBatchNorm.inPlace(of: model.network, training: training, validate)
        }
        return try average?.inPlace(precisely) ?? precisely()
    }

    func measurements(of epoch: EpochSummary) -> (before: [(String, LogValue)], after: [(String, LogValue)]) {
        let position = loop.position
        return (
            [
                ("loss", .number(position.meanLoss)),
                ("learningRate", .number(loop.schedule.rate(at: position.step - 1))),
                ("skippedSteps", .integer(position.skipped)),
            ], [("secondsPerStep", .number(epoch.secondsPerStep)), ("waitShare", .number(epoch.waitShare))]
        )
    }

    func finish(_ epoch: EpochSummary) throws -> (note: String?, warnings: [String]) {
        (epoch.validation.map { String(format: ": val mIOU %.4f", $0.measured.matrix.mIOU) }, [])
    }

    func save(in checkpoint: inout Checkpoint) throws {
        checkpoint.sections = [
            "network": model.network.store.state, "optimizer": optimizer.state,
            "random": ["generator": generator.state],
        ]
        if let encoderOptimizer { checkpoint.sections["encoderOptimizer"] = encoderOptimizer.state }
        if let auxiliary = forward.auxiliary { checkpoint.sections["auxiliary"] = auxiliary.store.state }
        if let average { checkpoint.sections["average"] = average.state }
        try checkpoint.set("loader", next)
        if let teacher { checkpoint.metadata["teacher"] = teacher.digest }
        if let genotype = model.genotype {
            checkpoint.metadata["genotype"] = String(decoding: genotype.json(), as: UTF8.self)
        }
    }
}

extension Checkpoint {
    /// The network that a run trains, which a resumed run must not change.
    fileprivate func genotype(in folder: RunFolder, given: Genotype?) throws -> Genotype {
        let path = folder.paths.lastCheckpoint
        guard let text = metadata["genotype"] else {
            throw RunError(
                .changed, path: folder.path, "the run trains no genotype: leave train.encoder as it was")
        }
        let own = try Genotype(json: Data(text.utf8), source: path)
        guard given == nil || given == own else {
            throw RunError(
                .changed, path: folder.path,
                "the run trains another network than the one given", advice: .giveNoGenotypeOrBeginAnew)
        }
        return own
    }
}
