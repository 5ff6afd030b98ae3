import ArchitectureSearch
import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// The architecture search (paper 4.2): weights and architecture by turns, on two halves of the training images.
public final class Search {
    private let configuration: Configuration
    private let keeper: LoopKeeper
    private let reporter: any ProgressReporter
    private let device: Device
    private let store: VariableStore
    private let supernet: Supernet
    private let relaxation: any Relaxation
    private let penalty: (any ArchitecturePenalty)?
    private let decoder: any GenotypeDecoder
    private let weights: SGD
    private let architecture: Adam
    private let schedule: Schedule
    private let loaderA: BatchLoader
    private let loaderB: BatchLoader
    /// Where the batches of the next step begin: of a step that was not made, one half's may have been fetched.
    private var next: (a: LoaderPosition, b: LoaderPosition)
    private let evaluator: Evaluator
    private let log: RunLog
    private let stepsPerEpoch: Int
    /// Images of a step in this process.
    private let ownBatch: Int
    private(set) var position = LoopPosition()
    private let samples: SampleList
    private var watch: NumberWatch
    private var architectureWatch: NumberWatch
    private let metrics: MetricsTable
    private let board: RunBoard
    private let classes: ClassTable
    private let range: ValueRange?
    /// What the last epoch measured, for the live line.
    private var latest = (path: [Stride](), mIOU: Double?.none)

    /// Opens the data, builds the supernet and, where the folder holds a checkpoint, goes on from it.
    ///
    /// - Parameters:
    ///   - configuration: Data, sizes and schedules.
    ///   - folder: The run's folder.
    ///   - reporter: Is told of the progress.
    ///   - interruption: Asks the search to stop, or to save.
    ///   - method: How the architecture is relaxed, priced and decoded.
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    public init(
        _ configuration: Configuration, folder: RunFolder, reporter: any ProgressReporter, interruption: Interruption,
        method: SearchMethod = SearchMethod()
    ) throws {
        try configuration.validate()
        let search = configuration.search
        ownBatch = try configuration.ownBatch(search.batch, key: "search.batch")
        try search.crop.refuseImpossible(batch: ownBatch, stage: "search")
        keeper = LoopKeeper(folder, configuration.checkpoint, interruption: interruption)
        watch = NumberWatch(configuration.onNonFinite, stage: "search")
        architectureWatch = NumberWatch(configuration.onNonFinite, stage: "search", of: .architecture)
        let restored = try keeper.restore(reporter)
        var configuration = configuration
        let dataset = try configuration.settleData(from: restored?.checkpoint, reporter: reporter)
        // What is found is to be trained under the same configuration.
        try configuration.train.refuseOtherWeights(classes: dataset.classes.count)
        device = try configuration.device.device()
        self.configuration = configuration
        self.reporter = StatusReporter(reporter, folder: folder)
        let seed = UInt64(configuration.seed)
        store = VariableStore(generator: Generator(seed: seed), device: device)
        let shape = search.supernet(classes: dataset.classes.count)
        let place = store.root / "architecture"
        relaxation = method.relaxation(place, shape)
        penalty = method.penalty?(place / "penalty", shape)
        decoder = method.decoder
        supernet = Supernet(shape, store: store)
        supernet.recompute = search.recompute
        supernet.workers = configuration.workerThreads
        weights = SGD(
            groups: [
                SGD.Group(parameters: store.weights, weightDecay: search.weights.weightDecay)
            ], momentum: search.weights.momentum)
        architecture = Adam(
            store.architecture, rate: search.architecture.learningRate,
            betas: (search.architecture.betas[0], search.architecture.betas[1]),
            weightDecay: search.architecture.weightDecay)

        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) {
            reporter.report(.note($0))
        }
        let (halfA, halfB) = halves(count: samples.count, seed: seed)
        var starts = (a: LoaderPosition(), b: LoaderPosition())
        let last = folder.paths.lastCheckpoint
        if restored == nil {
            try refuseOutput(folder.path, amongPicturesOf: samples, root: configuration.data.root)
            try configuration.warnOfLabels(samples, dataset, reporter: reporter)
        }
        range = try dataset.range(of: samples, from: restored?.checkpoint, path: last) { reporter.report(.note($0)) }
        let reader = configuration.data.trainingReader(dataset, resize: search.resize, range: range)
        self.samples = SampleList(samples, classes: dataset.classes.count)
        stepsPerEpoch = max(1, min(halfA.count, halfB.count) / search.batch)
        schedule = Schedule(
            base: search.weights.learningRate, total: stepsPerEpoch * search.epochs,
            shape: .cosine(final: search.weights.finalLearningRate))
        if let (checkpoint, position) = restored {
            try checkpoint.check(
                configuration, stage: "search", samples: self.samples, schedule: schedule, step: position.step,
                folder: folder, reporter: reporter)
            self.position = position
            starts.a = try checkpoint.value("loaderA", as: LoaderPosition.self, in: last)
            starts.b = try checkpoint.value("loaderB", as: LoaderPosition.self, in: last)
            try store.load(checkpoint.section("network", in: last))
            try weights.load(checkpoint.section("weightOptimizer", in: last))
            try architecture.load(checkpoint.section("architectureOptimizer", in: last))
        }
        func loader(_ half: [Int], seed: UInt64, from start: LoaderPosition) throws -> BatchLoader {
            var options = BatchLoader.Options(
                batchSize: search.batch, seed: seed, workers: configuration.data.workers,
                cacheBytes: configuration.data.cacheMegabytes << 19)
            if let group = ProcessGroup.current { options.part = (group.rank, group.size) }
            return try BatchLoader(
                samples: half.map { samples[$0] }, reader: reader, augmentation: search.augmentation,
                options: options, position: start)
        }
        loaderA = try loader(halfA, seed: 2 * seed, from: starts.a)
        loaderB = try loader(halfB, seed: 2 * seed + 1, from: starts.b)
        next = starts
        evaluator = try Evaluator(
            validating: dataset, reader: reader, limit: search.validationImages, configuration: configuration,
            device: device)
        try Hello(
            configuration, samples: ["train": samples, "val": evaluator.samples], classes: dataset.classes.names
        ).agree(on: device)
        if restored != nil { try folder.truncateLog(after: position.step, finishedEpochs: position.epoch) }
        log = try RunLog(folder)
        metrics = try MetricsTable(folder)
        board = try RunBoard(folder, configuration, classes: dataset.classes, after: position.step)
        classes = dataset.classes
        try folder.write(configuration)
        try folder.write(Environment(threads: configuration.workerThreads, on: device))
    }

    /// Runs to the last epoch.
    ///
    /// - Returns: The decoded genotype.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    public func run() throws -> Genotype {
        Engine.threads = device.kind == .cpu ? 1 : configuration.workerThreads
        if position.step == 0 { try tryArchitectureStep() }
        return try keeper.run(self) {
            reporter.report(.began(stage: "search", unit: "step", total: schedule.total))
            while position.epoch < configuration.search.epochs { try runEpoch(position.epoch) }
            reporter.report(.ended(stage: "search"))
            let genotype = decoder.decode(table, of: supernet.configuration)
            let paths = keeper.folder.paths
            try AtomicFile.write(genotype.json(), to: paths.genotype, below: paths.folder)
            return genotype
        }
    }

    /// Computes one architecture step's gradients and throws them away, so that memory that will not do is found now.
    private func tryArchitectureStep() throws {
        let search = configuration.search
        let images = Tensor.zeros([ownBatch, 3, search.crop.height, search.crop.width], device: device)
        let labels = Tensor.zeros(
            [ownBatch, search.crop.height, search.crop.width], dtype: .int64, device: device)
        let loss = loss(scores(images, turn: .architecture), labels: labels)
        _ = sharedGradients(of: loss, withRespectTo: architecture.parameters)
    }

    private func runEpoch(_ epoch: Int) throws {
        let start = Date()
        let waited = loaderA.waitSeconds + loaderB.waitSeconds
        let first = position.step
        let sent = ProcessGroup.bytes
        while position.step < (epoch + 1) * stepsPerEpoch {
            let outcome = try step(epoch)
            reporter.report(evaluator.reader.notes)
            position.advance(outcome)
            reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(configuration.search.epochs)",
                        values: [Advance.Measurement("loss", outcome.loss ?? .nan)] + mIOUs(latest.mIOU),
                        path: latest.path)))
            // The last step is saved together with the end of its epoch.
            if position.step < (epoch + 1) * stepsPerEpoch { try keeper.afterStep(of: self) }
        }
        let steps = max(position.step - first, 1)
        let seconds = Date().timeIntervalSince(start)
        let wait = loaderA.waitSeconds + loaderB.waitSeconds - waited
        try finishEpoch(
            epoch,
            [
                ("loss", .number(position.meanLoss)),
                ("learningRate", .number(schedule.rate(at: epoch * stepsPerEpoch))),
                ("secondsPerStep", .number(seconds / Double(steps))),
                ("waitShare", .number(wait / max(seconds, 1e-9))),
            ] + exchanged(since: sent, steps: steps))
        try keeper.stopIfAsked(self)
    }

    /// One step: w on half A, then alpha and beta on half B under the new w.
    ///
    /// - Returns: The loss on half A, or whose numbers the step was skipped for.
    private func step(_ epoch: Int) throws -> StepOutcome {
        // Both are fetched before anything changes, so that an image that cannot be read leaves no half step.
        let (batchA, batchB) = try Agreement.all {
            (try loaderA.next(), epoch >= configuration.search.architectureFrom ? try loaderB.next() : nil)
        }
        next = (loaderA.position, loaderB.position)
        // Whether the architecture's part can be used is known only when that of the weights is done.
        let before =
            configuration.onNonFinite == .skip
            ? StateBefore(
                of: store.buffers + (batchB == nil ? [] : store.parameters), optimizer: batchB == nil ? nil : weights)
            : nil
        let (found, numbers) = differentiate(batchA, turn: .weights, by: weights.parameters)
        guard try watch.allows(numbers, step: position.step + 1, batches: [batchA], of: loaderA, keeper: keeper) else {
            try before?.restore()
            return .skipped(.weights)
        }
        let limit = configuration.search.weights.clip
        if limit > 0 { clip(found, norm: numbers.gradientNorm, to: limit) }
        weights.step(found, rate: schedule.rate(at: position.step))
        if let batchB {
            let (found, numbers) = differentiate(batchB, turn: .architecture, by: architecture.parameters)
            guard
                try architectureWatch.allows(
                    numbers, step: position.step + 1, batches: [batchB], of: loaderB, keeper: keeper)
            else {
                try before?.restore()
                return .skipped(.architecture)
            }
            architecture.step(found)
        }
        return .taken(loss: numbers.loss)
    }

    private func differentiate(
        _ batch: Batch, turn: SearchStep.Turn, by parameters: [Tensor]
    ) -> ([Tensor?], StepNumbers) {
        let found = scores(batch.imageTensor(on: device), turn: turn)
        let loss = loss(found, labels: batch.labelTensor(on: device))
        let gradients = sharedGradients(of: loss, withRespectTo: parameters)
        return (gradients, StepNumbers(loss: loss, gradients: gradients))
    }

    /// The scores of this step, and, where it is the architecture's turn, its penalty.
    private func scores(_ images: Tensor, turn: SearchStep.Turn) -> (scores: Tensor, penalty: Tensor?) {
        let step = SearchStep(
            index: position.step, total: schedule.total, turn: turn, seed: UInt64(configuration.seed))
        let weights = relaxation.weights(at: step)
        let mode: NormalizationMode = turn == .weights ? .training : .trainingFrozen
        let scores = withBFloat16(configuration.precision == .bfloat16, on: device) {
            supernet(images, weights: weights, mode: mode)
        }
        return (scores, turn == .architecture ? penalty?(weights, at: step) : nil)
    }

    private func loss(_ found: (scores: Tensor, penalty: Tensor?), labels: Tensor) -> Tensor {
        let loss = crossEntropy(found.scores, labels: labels)
        return found.penalty.map { loss + $0 } ?? loss
    }

    /// How strongly operators and arrows count now.
    private var table: ArchitectureTable { withoutGradients { relaxation.weights.table } }

    private func finishEpoch(_ epoch: Int, _ measured: [(String, LogValue)]) throws {
        let search = configuration.search
        var values = measured
        let isLast = epoch + 1 == search.epochs
        var note = "epoch \(epoch + 1)/\(search.epochs)"
        var samples: Image?
        var validation: Validation?
        if isLast || (epoch + 1) % search.validateEvery == 0 {
            let weights = withoutGradients { relaxation.weights }
            let network = { (images: Tensor) in self.supernet(images, weights: weights, mode: .evaluation) }
            let found = try evaluator.validate(worst: 0, network: network, stop: { self.keeper.isStopping })
            guard let found else {
                // Half a validation is none: it is made again when the run goes on.
                try keeper.save(self)
                return try keeper.stopIfAsked(self)
            }
            validation = found
            let matrix = found.matrix
            values += found.logged
            if ProcessGroup.isLeader { samples = try evaluator.sheet(palette: classes.palette, network: network) }
            position.best = max(position.best, matrix.mIOU)
            latest.mIOU = matrix.mIOU
            note += String(format: ": val mIOU %.4f", matrix.mIOU)
        }
        let table = table
        let genotype = decoder.decode(table, of: supernet.configuration)
        let shares = supernet.cellSpace.operatorShares(table.operators)
        let alphaEntropy = supernet.cellSpace.normalizedEntropy(table.operators)
        let betaEntropy = supernet.networkSpace.normalizedEntropy(outgoing: table.arrows)
        let warnings = collapseWarnings(shares: shares, alphaEntropy: alphaEntropy, betaEntropy: betaEntropy)
        values += [
            ("alphaEntropy", .number(alphaEntropy)), ("betaEntropy", .number(betaEntropy)),
            ("path", .numbers(genotype.path.map { Double($0.rawValue) })),
            ("skippedSteps", .integer(position.skipped)),
            ("skippedArchitectureSteps", .integer(position.skippedArchitecture ?? 0)),
            ("peakMemory", .integer(ProcessMemory.peak)),
            ("alpha", .numbers(table.operators.joined().map(rounded))),
            ("beta", .numbers(table.arrows.map(rounded))),
        ]
        values += SearchSpace.Operator.allCases.map { ("share.\($0.rawValue)", .number(shares[$0.index])) }
        if !warnings.isEmpty { values.append(("warning", .text(warnings.joined(separator: "; ")))) }
        latest.path = genotype.path
        try log.append(epoch: epoch, step: position.step, values)
        let columns = validation?.columns(classes.names) ?? []
        try metrics.append(epoch: epoch, step: position.step, numbers(values) + columns)
        try board.update(samples: samples, confusion: validation?.matrix)
        let paths = keeper.folder.paths
        try AtomicFile.write(genotype.json(), to: paths.genotype(epoch: epoch + 1), below: paths.folder)
        position.finishEpoch()
        try keeper.save(self)
        note += String(format: ", entropy of alpha %.3f, of beta %.3f", alphaEntropy, betaEntropy)
        reporter.report(.note(note + ", path " + genotype.path.map { String($0.rawValue) }.joined(separator: " ")))
        for warning in warnings { reporter.report(.warning("epoch \(epoch + 1): \(warning)")) }
    }
}

extension Search: KeptLoop {
    func checkpoint() throws -> Checkpoint {
        var checkpoint = Checkpoint()
        checkpoint.sections = [
            "network": store.state, "weightOptimizer": weights.state, "architectureOptimizer": architecture.state,
        ]
        try checkpoint.set("position", position)
        try checkpoint.set("loaderA", next.a)
        try checkpoint.set("loaderB", next.b)
        if let range { try checkpoint.set("range", range) }
        let table = table
        if table.isFinite {
            try checkpoint.set("architecture", table)
            let genotype = decoder.decode(table, of: supernet.configuration)
            checkpoint.metadata["genotype"] = String(decoding: genotype.json(), as: UTF8.self)
        }
        try checkpoint.set(configuration, samples: samples, steps: schedule.total)
        try log.synchronize()
        return checkpoint
    }
}

/// A validation for the live line; nothing before the first one.
func mIOUs(_ last: Double?) -> [Advance.Measurement] { last.map { [Advance.Measurement("mIOU", $0)] } ?? [] }

/// A probability with the four decimals that a log needs.
private func rounded(_ probability: Double) -> Double { (probability * 1e4).rounded() / 1e4 }

extension Configuration {
    /// Threads to compute with: as set, else as OMP_NUM_THREADS says to all that libtorch uses, else one for each core.
    var workerThreads: Int {
        if threads > 0 { return threads }
        let wanted = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"].flatMap { Int($0) } ?? 0
        return (1...4_096).contains(wanted) ? wanted : ProcessInfo.processInfo.activeProcessorCount
    }
}

extension SearchConfiguration {
    /// The supernet that is searched.
    func supernet(classes: Int) -> SupernetConfiguration {
        var result = SupernetConfiguration(classes: classes)
        result.layers = layers
        result.blocks = blocks
        result.filters = filters
        result.cells = cells
        result.atrous = atrous
        result.normalizesImagePooling = poolingBatchNorm
        result.normalization = Normalization(affine: false, eps: batchNorm.eps, momentum: batchNorm.momentum)
        return result
    }
}
