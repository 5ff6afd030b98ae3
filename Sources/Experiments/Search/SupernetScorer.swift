import Configurations
import Networks
import Runs
import SearchSpace
import Torch

/// Scores networks by what they do inside the supernet of a search, with the weights that they share with all others there.
package struct SupernetScorer {
    private let supernet: Supernet
    private let evaluator: Evaluator

    /// Reads the newest checkpoint of a search.
    ///
    /// - Parameters:
    ///   - run: The search's folder.
    ///   - configuration: The data, and the layers, blocks and atrous operators of the networks to score.
    ///   - images: How many of the validation images are looked at; 0 for all.
    /// - Throws: One line about a folder without a supernet, or with another one.
    package init(run: String, _ configuration: Configuration, images: Int) throws {
        guard let (checkpoint, path, _) = try CheckpointFolder.newest(in: RunPaths(folder: run), requiresDigest: false)
        else { throw RunError(.missing, path: run, "there is no checkpoint of a search in this folder") }
        guard checkpoint.sections["architectureOptimizer"] != nil, let text = checkpoint.metadata["configuration"]
        else { throw RunError(.damaged, path: path, "is no checkpoint of a search") }
        let (saved, wanted) = (try Configuration.parse(yaml: text, source: path).search, configuration.search)
        guard
            (saved.layers, saved.blocks, saved.atrous, saved.longSkips, saved.stem)
                == (wanted.layers, wanted.blocks, wanted.atrous, wanted.longSkips, wanted.stem)
        else {
            let isOfStems = saved.stem != wanted.stem
            func text(_ search: SearchConfiguration) -> String {
                "\(search.layers) layers, \(search.blocks) blocks, atrous operators \(search.atrous), long skips "
                    + "\(search.longSkips)" + (isOfStems ? ", stem \(search.stem.rawValue)" : "")
            }
            throw RunError(
                .changed, path: run,
                "its supernet has \(text(saved)), and the search here \(text(wanted)): set search.layers, search.blocks, "
                    + (isOfStems ? "search.stem, " : "") + "search.atrous and search.longSkips as they were")
        }
        var configuration = configuration
        let dataset = try configuration.settleData(from: checkpoint, reporter: SilentReporter())
        let samples = try dataset.samples(.init(rawValue: configuration.data.splits.train))
        let range = try dataset.range(of: samples, from: checkpoint, path: path) { _ in }
        let device = try configuration.device.device()
        let normalization = try dataset.normalization(
            of: samples, range: range, from: checkpoint, path: path, workers: 1, reporter: SilentReporter())
        evaluator = try Evaluator(
            validating: dataset,
            reader: configuration.data.trainingReader(
                dataset, resize: saved.resize, range: range, normalization: normalization),
            limit: images, configuration: configuration, device: device)
        let store = VariableStore(generator: Generator(seed: 0), device: device)
        supernet = Supernet(saved.supernet(classes: dataset.classes.count, channels: dataset.channels), store: store)
        // What the search's relaxation keeps is no part of the supernet.
        let network = try checkpoint.section("network", in: path).filter { !$0.key.hasPrefix("architecture.") }
        do {
            try store.load(network)
        } catch let error as TorchError {
            throw RunError(.changed, path: path, "is of another supernet: \(error)")
        }
    }

    /// The mean cross entropy on the validation images; infinite where it is no number.
    ///
    /// Each image is normalised by its own statistics, since the running ones are those of all networks together.
    ///
    /// - Throws: An error that names an image which cannot be read.
    package func loss(of genotype: Genotype) throws -> Double {
        let supernet = supernet
        let measured = try withoutGradients {
            try evaluator.validate(
                worst: 0, network: { supernet($0, only: genotype, mode: .batchStatistics) }, stop: { false })
        }
        return measured?.loss.flatMap { $0.isFinite ? $0 : nil } ?? .infinity
    }
}
