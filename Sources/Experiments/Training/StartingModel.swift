import Configurations
import Inference
import Networks
import Runs
import SearchSpace
import Torch

extension Configuration {
    /// This configuration with the widths of a trained network, so that a training can start from its weights.
    ///
    /// - Parameter model: The network.
    /// - Returns: The configuration, and a line for each setting that changed.
    public func adopting(_ model: Model) -> (configuration: Configuration, changes: [String]) {
        let own = model.network.configuration
        var result = self
        result.train.filters = own.filters
        result.train.stemChannels = own.stemChannels
        result.train.asppChannels = own.asppChannels
        result.train.decoderChannels = own.decoderChannels
        result.train.lowLevelChannels = own.lowLevelChannels
        result.train.head = own.head
        result.train.decoderStride = own.decoderStride
        result.train.fineChannels = own.fineChannels
        let (before, after) = (texts, result.texts)
        let changes = after.keys.sorted().compactMap { key in
            before[key] == after[key] ? nil : "\(key) is \(after[key] ?? ""), as in the model to start from"
        }
        return (result, changes)
    }
}

extension Model {
    /// Takes over the weights of a trained network of the same genotype and widths.
    ///
    /// The class layer stays as it is where the classes are others.
    ///
    /// - Returns: A line that says what was taken.
    /// - Throws: `RunError` where the networks differ.
    func start(from other: Model, path: String) throws -> String {
        guard genotype == other.genotype else {
            throw RunError(
                .changed, path: path, "is another network than the one given", advice: .giveGenotypeOrStart)
        }
        let sameClasses = classes.names == other.classes.names
        var weights = other.network.store.state
        if !sameClasses {
            let own = network.store.state
            for name in DiscreteNetwork.classLayer { weights[name] = own[name] }
        }
        try network.store.load(weights)
        return sameClasses
            ? "starting from \(path), whose classes are the same"
            : "starting from \(path), with a new class layer: its \(other.classes.count) classes are not these "
                + "\(classes.count)"
    }
}
