import Foundation
import Networks
import SearchSpace
import Segmentation
import Torch

/// The architecture search (paper 4.2): weights and architecture by turns, on two halves of the training images.
public final class Search {
    private let configuration: Configuration
    private let folder: RunFolder
    private let reporter: any ProgressReporter
    private let interruption: Interruption
    private let device: Device
    private let store: VariableStore
    private let supernet: Supernet
    private let weights: SGD
    private let architecture: Adam
    private let schedule: Schedule
    private let loaderA: BatchLoader
    private let loaderB: BatchLoader
    private let evaluator: Evaluator
    private let log: RunLog
    private let stepsPerEpoch: Int
    private var position = LoopPosition()
    private var clock: CheckpointClock
    private let metrics: MetricsTable
    private let board: RunBoard
    private let palette: [Color]
    /// What the last epoch measured, for the live line.
    private var latest = (path: [Stride](), mIOU: Double?.none)

    /// Opens the data, builds the supernet and, where the folder holds a checkpoint, goes on from it.
    ///
    /// - Throws: One line about data, configuration or checkpoint that cannot be used.
    public init(
        _ configuration: Configuration, folder: RunFolder, reporter: any ProgressReporter, interruption: Interruption
    ) throws {
        try configuration.validate()
        let search = configuration.search
        clock = CheckpointClock(configuration.checkpoint.every)
        let dataset = try configuration.data.dataset()
        device = try configuration.device.device()
        self.configuration = configuration
        self.folder = folder
        self.reporter = StatusReporter(reporter, folder: folder)
        self.interruption = interruption
        let seed = UInt64(configuration.seed)
        store = VariableStore(generator: Generator(seed: seed), device: device)
        supernet = Supernet(search.supernet(classes: dataset.classes.count), store: store)
        supernet.recompute = search.recompute
        supernet.workers = configuration.workerThreads
        weights = SGD(
            groups: [
                SGD.Group(
                    parameters: store.parameters.filter { $0.kind != .architecture },
                    weightDecay: search.weights.weightDecay)
            ], momentum: search.weights.momentum)
        architecture = Adam(
            store.parameters.filter { $0.kind == .architecture }, rate: search.architecture.learningRate,
            betas: (search.architecture.betas[0], search.architecture.betas[1]),
            weightDecay: search.architecture.weightDecay)

        let reader = configuration.data.trainingReader(dataset, resize: search.resize)
        let samples = try dataset.samples(Split(rawValue: configuration.data.splits.train)) {
            reporter.report(.note($0))
        }
        let (halfA, halfB) = halves(count: samples.count, seed: seed)
        var starts = (a: LoaderPosition(), b: LoaderPosition())
        let last = folder.paths.lastCheckpoint
        let checkpoint = folder.hasCheckpoint ? try Checkpoint(at: last) : nil
        if let checkpoint {
            position = try checkpoint.value("position", as: LoopPosition.self, in: last)
            starts.a = try checkpoint.value("loaderA", as: LoaderPosition.self, in: last)
            starts.b = try checkpoint.value("loaderB", as: LoaderPosition.self, in: last)
            try store.load(checkpoint.section("network", in: last))
            try weights.load(checkpoint.section("weightOptimizer", in: last))
            try architecture.load(checkpoint.section("architectureOptimizer", in: last))
        }
        func loader(_ half: [Int], seed: UInt64, from start: LoaderPosition) throws -> BatchLoader {
            try BatchLoader(
                samples: half.map { samples[$0] }, reader: reader, augmentation: search.augmentation,
                options: BatchLoader.Options(
                    batchSize: search.batch, seed: seed, workers: configuration.data.workers,
                    cacheBytes: configuration.data.cacheMegabytes << 19), position: start)
        }
        loaderA = try loader(halfA, seed: 2 * seed, from: starts.a)
        loaderB = try loader(halfB, seed: 2 * seed + 1, from: starts.b)
        stepsPerEpoch = min(loaderA.batchesPerEpoch, loaderB.batchesPerEpoch)
        schedule = Schedule(
            base: search.weights.learningRate, total: stepsPerEpoch * search.epochs,
            shape: .cosine(final: search.weights.finalLearningRate))
        evaluator = try Evaluator(
            validating: dataset, reader: reader, limit: search.validationImages, configuration: configuration,
            device: device)
        if checkpoint != nil { try folder.truncateLog(after: position.step) }
        log = try RunLog(folder)
        metrics = try MetricsTable(folder)
        board = try RunBoard(folder, configuration, classes: dataset.classes, after: position.step)
        palette = dataset.classes.palette
        try folder.write(configuration)
        try folder.write(Environment(threads: configuration.workerThreads, device: device.description))
    }

    /// Runs to the last epoch.
    ///
    /// - Returns: The decoded genotype.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; data errors with the file's name.
    public func run() throws -> Genotype {
        Engine.threads = configuration.device == .cuda ? configuration.workerThreads : 1
        if position.step == 0 { try tryArchitectureStep() }
        let total = schedule.total
        reporter.report(.began(stage: "search", unit: "step", total: total))
        for epoch in position.step / max(stepsPerEpoch, 1)..<max(configuration.search.epochs, 1) {
            try runEpoch(epoch)
        }
        reporter.report(.ended(stage: "search"))
        let genotype = supernet.architecture.decoded()
        try AtomicFile.write(genotype.json(), to: folder.paths.genotype)
        return genotype
    }

    /// Computes one architecture step's gradients and throws them away, so that memory that will not do is found now.
    private func tryArchitectureStep() throws {
        let search = configuration.search
        let images = Tensor.zeros([search.batch, 3, search.crop.height, search.crop.width], device: device)
        let labels = Tensor.zeros(
            [search.batch, search.crop.height, search.crop.width], dtype: .int64, device: device)
        let loss = crossEntropy(supernet(images, mode: .trainingFrozen), labels: labels)
        _ = gradients(of: loss, withRespectTo: architecture.parameters)
    }

    private func runEpoch(_ epoch: Int) throws {
        let start = Date()
        let waited = loaderA.waitSeconds + loaderB.waitSeconds
        let first = position.step
        while position.step < (epoch + 1) * stepsPerEpoch {
            let loss = try step(epoch)
            position.advance(loss: loss)
            reporter.report(
                .advanced(
                    Advance(
                        completed: position.step, position: "epoch \(epoch + 1)/\(configuration.search.epochs)",
                        values: [Advance.Measurement("loss", loss)] + mIOUs(latest.mIOU), path: latest.path)))
            // What ends an epoch is not done twice or left out: its last step is saved together with it.
            if position.step == (epoch + 1) * stepsPerEpoch { break }
            if interruption.takeCheckpointRequest() || clock.isDue(after: position.step) { try writeCheckpoint() }
            try stopIfAsked { try writeCheckpoint() }
        }
        let steps = max(position.step - first, 1)
        let seconds = Date().timeIntervalSince(start)
        let wait = loaderA.waitSeconds + loaderB.waitSeconds - waited
        try finishEpoch(
            epoch,
            [
                ("loss", .number(position.takeMeanLoss())),
                ("learningRate", .number(schedule.rate(at: epoch * stepsPerEpoch))),
                ("secondsPerStep", .number(seconds / Double(steps))),
                ("waitShare", .number(wait / max(seconds, 1e-9))),
            ])
        try stopIfAsked {}
    }

    private func stopIfAsked(_ save: () throws -> Void) throws {
        guard let signal = interruption.signal else { return }
        try save()
        throw Interrupted(signal: signal, step: position.step, run: folder.path)
    }

    /// One step: w on half A, then alpha and beta on half B under the new w.
    private func step(_ epoch: Int) throws -> Double {
        let batch = try loaderA.next()
        let loss = crossEntropy(
            supernet(batch.imageTensor(on: device), mode: .training), labels: batch.labelTensor(on: device))
        let found = gradients(of: loss, withRespectTo: weights.parameters)
        if configuration.search.weights.clip > 0 { clipNorm(of: found, to: configuration.search.weights.clip) }
        let value = loss.item()
        guard value.isFinite else {
            throw RunError(
                .damaged, path: folder.path,
                "search: the loss is \(value) at step \(position.step + 1); lower search.weights.learningRate")
        }
        weights.step(found, rate: schedule.rate(at: position.step))
        if epoch >= configuration.search.architectureFrom {
            let batch = try loaderB.next()
            let loss = crossEntropy(
                supernet(batch.imageTensor(on: device), mode: .trainingFrozen), labels: batch.labelTensor(on: device))
            architecture.step(gradients(of: loss, withRespectTo: architecture.parameters))
        }
        return value
    }

    private func finishEpoch(_ epoch: Int, _ measured: [(String, LogValue)]) throws {
        let search = configuration.search
        var values = measured
        let isLast = epoch + 1 == search.epochs
        var note = "epoch \(epoch + 1)/\(search.epochs)"
        var samples: Image?
        if isLast || (epoch + 1) % search.validateEvery == 0 {
            let network = { (images: Tensor) in self.supernet(images, mode: .evaluation) }
            let matrix = try evaluator(network: network)
            samples = try evaluator.sheet(palette: palette, network: network)
            if let matrix {
                values.append(("mIOU", .number(matrix.mIOU)))
                position.best = max(position.best, matrix.mIOU)
                latest.mIOU = matrix.mIOU
                note += String(format: ": val mIOU %.4f", matrix.mIOU)
            }
        }
        let genotype = supernet.architecture.decoded()
        let alpha = supernet.architecture.alphaTable
        let beta = supernet.architecture.betaTable
        let alphaEntropy = supernet.cellSpace.normalizedEntropy(alpha)
        let betaEntropy = supernet.networkSpace.normalizedEntropy(outgoing: beta)
        values += [
            ("alphaEntropy", .number(alphaEntropy)), ("betaEntropy", .number(betaEntropy)),
            ("path", .numbers(genotype.path.map { Double($0.rawValue) })),
            ("peakMemory", .integer(ProcessMemory.peak)), ("alpha", .numbers(alpha.joined().map(rounded))),
            ("beta", .numbers(beta.map(rounded))),
        ]
        latest.path = genotype.path
        try log.append(epoch: epoch, step: position.step, values)
        try metrics.append(epoch: epoch, step: position.step, numbers(values))
        try board.update(samples: samples)
        try AtomicFile.write(genotype.json(), to: folder.paths.genotype(epoch: epoch + 1))
        try writeCheckpoint()
        note += String(format: ", entropy of alpha %.3f, of beta %.3f", alphaEntropy, betaEntropy)
        reporter.report(.note(note + ", path " + genotype.path.map { String($0.rawValue) }.joined(separator: " ")))
    }

    private func writeCheckpoint() throws {
        var checkpoint = Checkpoint()
        checkpoint.sections = [
            "network": store.state, "weightOptimizer": weights.state, "architectureOptimizer": architecture.state,
        ]
        try checkpoint.set("position", position)
        try checkpoint.set("loaderA", loaderA.position)
        try checkpoint.set("loaderB", loaderB.position)
        try checkpoint.set("layers", configuration.search.layers)
        try checkpoint.set("blocks", configuration.search.blocks)
        try log.synchronize()
        try checkpoint.write(to: folder.paths.lastCheckpoint, keep: configuration.checkpoint.keep)
    }
}

/// A validation for the live line; nothing before the first one.
func mIOUs(_ last: Double?) -> [Advance.Measurement] { last.map { [Advance.Measurement("mIOU", $0)] } ?? [] }

/// A probability with the four decimals that a log needs.
private func rounded(_ probability: Double) -> Double { (probability * 1e4).rounded() / 1e4 }

extension Configuration {
    /// Threads to compute with.
    var workerThreads: Int { threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount }
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

/// The strongest discrete network of a search's checkpoint (paper 4.3).
///
/// - Parameter argument: A search's run folder or one of its checkpoints.
/// - Returns: The genotype.
/// - Throws: One line about a file that is missing or not of a search.
public func decodeCheckpoint(_ argument: String) throws -> Genotype {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
    guard exists else { throw RunError(.missing, path: argument, "\(argument): no such run or checkpoint") }
    let path = isFolder.boolValue ? RunPaths(folder: argument).lastCheckpoint : argument
    return try architecture(ofCheckpoint: path).genotype
}

/// Alpha and beta of a search's checkpoint, softmaxed, and the strongest network.
func architecture(
    ofCheckpoint path: String
) throws -> (genotype: Genotype, alpha: [[Double]], beta: [Double]) {
    let checkpoint = try Checkpoint(at: path)
    let network = try checkpoint.section("network", in: path)
    let space = NetworkSpace(layers: try checkpoint.value("layers", as: Int.self, in: path))
    let cells = CellSpace(blocks: try checkpoint.value("blocks", as: Int.self, in: path))
    guard let alpha = network["architecture.alpha"]?.doubles(), let beta = network["architecture.beta"]?.doubles(),
        alpha.count == cells.edges.count * SearchSpace.Operator.allCases.count, beta.count == space.arrows.count
    else { throw RunError(.damaged, path: path, "\(path): alpha and beta are missing or of another size") }
    let width = SearchSpace.Operator.allCases.count
    let rows = cells.probabilities(alpha: cells.edges.indices.map { Array(alpha[$0 * width..<($0 + 1) * width]) })
    let outgoing = space.outgoing(beta: beta)
    return (
        Genotype(path: decodePath(outgoing: outgoing, space: space), cell: decodeCell(alpha: rows, space: cells)), rows,
        outgoing
    )
}
