import ArchitectureSearch
import Configurations
import Foundation
import Networks
import Runs
import SearchSpace
import Segmentation
import Torch

/// The architecture search (paper 4.2): weights and architecture by turns, on two halves of the training images.
public final class Search {
    private let setup: StageSetup
    private let store: VariableStore
    private let supernet: Supernet
    private let relaxation: any Relaxation
    private let carried: CarriedFirstLayer?
    private let selection: PerturbationSelection?
    private let selectionLoss: SelectionLoss
    /// The weights' learning rate, until the selection and in it.
    private let rates: (search: Schedule, selection: Schedule)
    private let penalties: [any ArchitecturePenalty]
    private let decoder: any GenotypeDecoder
    private let weights: any Optimizer
    private let segmentationLoss: SegmentationLoss
    private let architecture: Adam
    private let loaderA: BatchLoader
    private let loaderB: BatchLoader
    /// Where the batches of the next step begin: of a step that was not made, one half's may have been fetched.
    private var next: (a: LoaderPosition, b: LoaderPosition)
    private var watch: NonFiniteGuard
    private var architectureWatch: NonFiniteGuard
    private let loop: EpochLoop
    /// The last epoch's, for the live line.
    var path: [Stride] { state?.genotype.path ?? [] }
    /// What was decoded at the end of the last epoch.
    private var state: SearchState?

    private var configuration: SearchConfiguration { setup.configuration.search }

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
        let search = configuration.search
        setup = try StageSetup(
            StageSetup.Needs(stage: "search", crop: search.crop, batch: search.batch, resize: search.resize),
            configuration, folder: folder, reporter: reporter, interruption: interruption)
        watch = NonFiniteGuard(configuration.onNonFinite, stage: "search")
        architectureWatch = NonFiniteGuard(configuration.onNonFinite, stage: "search", of: .architecture)
        store = VariableStore(generator: Generator(seed: setup.seed), device: setup.device)
        let shape = search.supernet(
            classes: setup.dataset.classes.count, channels: setup.dataset.channels)
        let place = store.root / "architecture"
        let (halfA, halfB) = halves(count: setup.samples.count, seed: setup.seed)
        let stepsPerEpoch = max(1, min(halfA.count, halfB.count) / search.batch)
        let temperature = SoftmaxRelaxation.Temperature(
            first: search.architecture.temperature[0], last: search.architecture.temperature[1],
            from: search.architectureFrom * stepsPerEpoch)
        let relaxation =
            method.relaxation?(place, shape) ?? SoftmaxRelaxation(place, shape, temperature: temperature)
        self.relaxation = relaxation
        carried =
            search.architecture.firstLayer == .carried ? CarriedFirstLayer(shape, device: setup.device) : nil
        var random = RandomStream(seed: setup.seed, 1)
        selection =
            search.selection.by == .perturbation
            ? PerturbationSelection(place / "selection", blocks: search.blocks) { random.permutation($0) } : nil
        decoder = method.decoder ?? ViterbiDecoder(path: search.architecture.path)
        if shape.gateShape != nil, withoutGradients({ relaxation.weights.gates }) == nil {
            throw ConfigurationError(
                .contradiction,
                "search.longSkips: the search's relaxation has no weights for gates of long skips; leave it off")
        }
        let own = method.penalty?(place / "penalty", shape)
        supernet = Supernet(shape, store: store)
        supernet.recompute = search.recompute
        supernet.workers = configuration.workerThreads
        supernet.encoderTraining = search.encoderLearningRate > 0 ? .fixedStatistics : .frozen
        if let encoder = supernet.encoder, setup.restored == nil,
            let note = try configuration.train.load(into: encoder)
        {
            reporter.report(.note(note))
        }
        weights = search.optimizer(of: store)
        segmentationLoss =
            search.loss == .training
            ? try configuration.train.segmentationLoss(classes: shape.classes, device: setup.device)
            : SegmentationLoss()
        architecture = Adam(
            store.architecture, rate: search.architecture.learningRate,
            betas: (search.architecture.betas[0], search.architecture.betas[1]),
            weightDecay: search.architecture.weightDecay)
        let entropy: (any ArchitecturePenalty)? =
            search.architecture.entropy > 0
            ? EntropyPenalty(
                shape, weight: search.architecture.entropy, from: search.architectureFrom * stepsPerEpoch) : nil
        let price: (any ArchitecturePenalty)? = try PricePenalty(setup, of: shape)
        penalties = [entropy, price, own].compactMap { $0 }
        selectionLoss = SelectionLoss(setup: setup, price: price, half: halfB)
        rates = search.weights.schedules(
            steps: stepsPerEpoch * search.epochs, more: stepsPerEpoch * (search.totalEpochs - search.epochs))
        var schedule = rates.search
        schedule.total += rates.selection.total
        var starts = (a: LoaderPosition(), b: LoaderPosition())
        try setup.restore(schedule: schedule) { [store, weights, architecture] checkpoint, path in
            starts.a = try checkpoint.value("loaderA", as: LoaderPosition.self, in: path)
            starts.b = try checkpoint.value("loaderB", as: LoaderPosition.self, in: path)
            try store.load(checkpoint.section("network", in: path))
            try weights.load(checkpoint.section("weightOptimizer", in: path))
            try architecture.load(checkpoint.section("architectureOptimizer", in: path))
        }
        let half = configuration.data.cacheMegabytes << 19
        loaderA = try setup.loader(
            of: halfA, seed: 2 * setup.seed, augmentation: search.augmentation, cacheBytes: half, from: starts.a)
        loaderB = try setup.loader(
            of: halfB, seed: 2 * setup.seed + 1, augmentation: search.augmentation, cacheBytes: half, from: starts.b)
        next = starts
        loop = try EpochLoop(
            setup, schedule: schedule, stepsPerEpoch: stepsPerEpoch, validateEvery: search.validateEvery,
            validationImages: search.validationImages)
        if let selection { try checkSelection(selection) }
    }

    /// How many decisions about the cell are to be taken before the first step of an epoch.
    private func decisionsDue(_ selection: PerturbationSelection, in epoch: Int) -> Int {
        let epoch = epoch - configuration.epochs
        return epoch < 0 ? 0 : min(selection.decisions.count, epoch / configuration.selection.epochs + 1)
    }

    /// Refuses a run whose decisions are not those that are due where it is.
    private func checkSelection(_ selection: PerturbationSelection) throws {
        let due = decisionsDue(selection, in: loop.position.epoch)
        // The one that is due at an epoch's start may be taken or not.
        guard (due - 1...due).contains(selection.taken) else {
            throw RunError(
                .changed, path: setup.folder.path,
                "search.epochs cannot change any more: \(selection.taken) decisions about the cell are taken")
        }
    }

    /// Runs to the last epoch.
    ///
    /// - Returns: The decoded genotype.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    public func run() throws -> Genotype { try run { _ in false } }

    /// Runs to the last epoch, or to one before it.
    ///
    /// - Parameter endsAfter: Asked after each epoch in which alpha and beta learnt, by how many epochs are done: whether
    ///   the search ends with it. Asked again of a search that goes on, it must answer the same.
    /// - Returns: The decoded genotype.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name; what `endsAfter` throws.
    package func run(endsAfter: (Int) throws -> Bool) throws -> Genotype {
        Engine.threads = setup.device.kind == .cpu ? 1 : setup.configuration.workerThreads
        if loop.position.step == 0 { try tryArchitectureStep() }
        let first = setup.configuration.search.architectureFrom
        return try loop.run(self, endsAfter: { try $0 > first && endsAfter($0) }) { _ in
            let genotype = decoded(table)
            let paths = setup.folder.paths
            try AtomicFile.write(genotype.json(), to: paths.genotype, below: paths.folder)
            return genotype
        }
    }

    /// Computes one architecture step's gradients and throws them away, so that too little memory is noticed at once.
    private func tryArchitectureStep() throws {
        let shape = [setup.ownBatch, configuration.crop.height, configuration.crop.width]
        let images = Tensor.zeros(
            [shape[0], setup.dataset.channels, shape[1], shape[2]], device: setup.device)
        let labels = Tensor.zeros(shape, dtype: .int64, device: setup.device)
        let loss = loss(of: images, labels: labels, turn: .architecture)
        _ = allReducedGradients(of: loss, withRespectTo: architecture.parameters)
    }

    private func differentiate(
        _ batch: Batch, turn: SearchStep.Turn, by parameters: [Tensor]
    ) -> ([Tensor?], StepNumbers) {
        let loss = loss(
            of: batch.imageTensor(on: setup.device), labels: batch.labelTensor(on: setup.device), turn: turn)
        let gradients = allReducedGradients(of: loss, withRespectTo: parameters)
        return (gradients, StepNumbers(loss: loss, gradients: gradients))
    }

    /// The loss in this step, and, where it is the architecture's turn, its penalty.
    private func loss(of images: Tensor, labels: Tensor, turn: SearchStep.Turn) -> Tensor {
        let step = step(turn)
        let weights = selected(relaxation.weights(at: step))
        let mode: NormalizationMode = turn == .weights ? .training : .batchStatistics
        let loss = loss(of: images, labels: labels, under: weights, mode: mode)
        guard turn == .architecture else { return loss }
        // The loss is this process's part of the group's, and so is the penalty.
        return penalties.reduce(loss) { $0 + $1(weights, at: step) * (1 / Double(ProcessGroup.size)) }
    }

    /// This process's part of the loss under some weights.
    private func loss(
        of images: Tensor, labels: Tensor, under weights: ArchitectureWeights, mode: NormalizationMode
    ) -> Tensor {
        let logits = withBFloat16(setup.configuration.precision == .bfloat16, on: setup.device) {
            supernet(images, weights: carried?(weights) ?? weights, mode: mode)
        }
        return segmentationLoss(logits, labels: labels, total: segmentationLoss.weight(of: [labels]))
    }

    private func step(_ turn: SearchStep.Turn) -> SearchStep {
        SearchStep(index: loop.position.step, total: rates.search.total, turn: turn, seed: setup.seed)
    }

    /// The weights with what is decided of the cell.
    private func selected(_ weights: ArchitectureWeights) -> ArchitectureWeights { selection?(weights) ?? weights }

    /// How strongly operators and arrows count now.
    private var table: ArchitectureTable { withoutGradients { selected(relaxation.weights).table } }

    private func decoded(_ table: ArchitectureTable) -> Genotype {
        decoder.decode(table, of: supernet.configuration)
    }
}

extension Search: LoopStage {
    var keepsBest: Bool { false }

    var waitSeconds: Double { loaderA.waitSeconds + loaderB.waitSeconds }

    private func rate(at step: Int) -> Double {
        let first = rates.search.total
        return step < first ? rates.search.rate(at: step) : rates.selection.rate(at: step - first)
    }

    /// Takes the decision about the cell that is due.
    func begin(epoch: Int) throws -> Bool {
        guard let selection, selection.taken < decisionsDue(selection, in: epoch) else { return true }
        let step = step(.architecture)
        let outcome = try selection.decide(relaxation.weights) { candidates in
            try selectionLoss(candidates, at: step) { images, labels, weights in
                loss(of: images, labels: labels, under: weights, mode: .batchStatistics)
            }
        }
        guard let outcome else { return false }
        setup.reporter.report(
            .note("decision \(selection.taken) of \(selection.decisions.count): \(outcome.description)"))
        return true
    }

    /// w on half A, then alpha and beta on half B under the new w.
    func step() throws -> StepOutcome {
        // Both are fetched before anything changes, so that an image that cannot be read leaves no half step.
        let (batchA, batchB) = try RankSync.all {
            (
                try loaderA.next(),
                loop.position.epoch >= configuration.architectureFrom ? try loaderB.next() : nil
            )
        }
        next = (loaderA.position, loaderB.position)
        // Whether the architecture's part can be used is known only when that of the weights is done.
        let before =
            setup.configuration.onNonFinite == .skip
            ? StateSnapshot(
                of: store.buffers + (batchB == nil ? [] : store.parameters), optimizer: batchB == nil ? nil : weights)
            : nil
        let number = loop.position.step + 1
        let (found, numbers) = differentiate(batchA, turn: .weights, by: weights.parameters)
        guard
            try watch.allows(
                numbers, step: number, samples: batchA.indices.map { loaderA.samples[$0] }, keeper: setup.keeper)
        else {
            try before?.restore()
            return .skipped(.weights)
        }
        if configuration.weights.clip > 0 {
            clipGradients(found, norm: numbers.gradientNorm, to: configuration.weights.clip)
        }
        weights.step(found, rate: rate(at: loop.position.step))
        if let batchB {
            let (found, numbers) = differentiate(batchB, turn: .architecture, by: architecture.parameters)
            guard
                try architectureWatch.allows(
                    numbers, step: number, samples: batchB.indices.map { loaderB.samples[$0] }, keeper: setup.keeper)
            else {
                try before?.restore()
                return .skipped(.architecture)
            }
            architecture.step(found)
        }
        return .taken(loss: numbers.loss)
    }

    func validate(_ evaluator: Evaluator, stop: () -> Bool) throws -> EpochValidation? {
        let weights = withoutGradients {
            let weights = selected(relaxation.weights)
            return carried?(weights) ?? weights
        }
        let network = { (images: Tensor) in self.supernet(images, weights: weights, mode: .evaluation) }
        guard let measured = try evaluator.validate(worst: 0, network: network, stop: stop) else { return nil }
        let palette = setup.dataset.classes.palette
        return EpochValidation(
            measured: measured,
            samples: ProcessGroup.isLeader ? try evaluator.sheet(palette: palette, network: network) : nil)
    }

    func measurements(of epoch: EpochSummary) -> (before: [(String, LogValue)], after: [(String, LogValue)]) {
        let before: [(String, LogValue)] = [
            ("loss", .number(loop.position.meanLoss)),
            ("learningRate", .number(rate(at: epoch.epoch * loop.stepsPerEpoch))),
            ("secondsPerStep", .number(epoch.secondsPerStep)), ("waitShare", .number(epoch.waitShare)),
        ]
        let table = table
        let state = SearchState(table, decoded(table), of: supernet)
        self.state = state
        var after: [(String, LogValue)] = [
            ("alphaEntropy", .number(state.alphaEntropy)), ("betaEntropy", .number(state.betaEntropy)),
            ("path", .numbers(state.genotype.path.map { Double($0.rawValue) })),
            ("skippedSteps", .integer(loop.position.skipped)),
            ("skippedArchitectureSteps", .integer(loop.position.skippedArchitecture ?? 0)),
            ("peakMemory", .integer(ProcessMemory.peak)),
            ("alpha", .numbers(table.operators.joined().map(rounded))),
            ("beta", .numbers(table.arrows.map(rounded))),
        ]
        if state.genotype.stem != .paper { after.append(("stem", .text(state.genotype.stem.rawValue))) }
        if let gates = table.gates {
            after.append(("gates", .numbers(gates.map(rounded))))
            after.append(("gateEntropy", .number(gateEntropy(gates))))
        }
        after += SearchSpace.Operator.allCases.map { ("share.\($0.rawValue)", .number(state.shares[$0.index])) }
        if !state.warnings.isEmpty { after.append(("warning", .text(state.warnings.joined(separator: "; ")))) }
        return (before + epoch.exchanged, after)
    }

    func finish(_ epoch: EpochSummary) throws -> (note: String?, warnings: [String]) {
        guard let state else { return (nil, []) }
        let paths = setup.folder.paths
        try AtomicFile.write(state.genotype.json(), to: paths.genotype(epoch: epoch.epoch + 1), below: paths.folder)
        let mIOU = epoch.validation.map { String(format: ": val mIOU %.4f", $0.measured.matrix.mIOU) } ?? ""
        let entropies = String(format: ", entropy of alpha %.3f, of beta %.3f", state.alphaEntropy, state.betaEntropy)
        let strides = state.genotype.path.map { String($0.rawValue) }.joined(separator: " ")
        let skips = state.genotype.skipDescription.map { ", long skips from layer \($0)" } ?? ""
        return (mIOU + entropies + ", path " + strides + skips, state.warnings)
    }

    func save(in checkpoint: inout Checkpoint) throws {
        checkpoint.sections = [
            "network": store.state, "weightOptimizer": weights.state, "architectureOptimizer": architecture.state,
        ]
        try checkpoint.set("loaderA", next.a)
        try checkpoint.set("loaderB", next.b)
        let table = table
        guard table.isFinite else { return }
        try checkpoint.set("architecture", table)
        checkpoint.metadata["genotype"] = String(decoding: decoded(table).json(), as: UTF8.self)
    }
}

/// How decided a search is, and what is wrong with that.
private struct SearchState {
    let genotype: Genotype
    let shares: [Double]
    let alphaEntropy: Double
    let betaEntropy: Double
    let warnings: [String]

    init(_ table: ArchitectureTable, _ genotype: Genotype, of supernet: Supernet) {
        self.genotype = genotype
        shares = supernet.cellSpace.operatorShares(table.operators)
        alphaEntropy = supernet.cellSpace.normalizedEntropy(table.operators)
        betaEntropy = supernet.networkSpace.normalizedEntropy(outgoing: table.arrows)
        warnings = collapseWarnings(shares: shares, alphaEntropy: alphaEntropy, betaEntropy: betaEntropy)
    }
}

/// A probability with the four decimals that a log needs.
private func rounded(_ probability: Double) -> Double { (probability * 1e4).rounded() / 1e4 }
