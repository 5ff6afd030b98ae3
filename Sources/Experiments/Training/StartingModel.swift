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
        var result = self
        switch model.network.description {
        case .discrete(_, let own): result.train.adopt(own)
        case .encoded(let own): result.train.adopt(own)
        }
        let (before, after) = (texts, result.texts)
        let changes = after.keys.sorted().compactMap { key in
            before[key] == after[key] ? nil : "\(key) is \(after[key] ?? ""), as in the model to start from"
        }
        return (result, changes)
    }
}

extension TrainConfiguration {
    fileprivate mutating func adopt(_ own: DiscreteConfiguration) {
        encoder = .none
        filters = own.filters
        residual = own.residual
        stemChannels = own.stemChannels
        asppChannels = own.asppChannels
        decoderChannels = own.decoderChannels
        lowLevelChannels = own.lowLevelChannels
        head = own.head
        decoderStride = own.decoderStride
        fineChannels = own.fineChannels
    }

    fileprivate mutating func adopt(_ own: EncodedConfiguration) {
        encoder = EncoderChoice(own.encoder)
        // There are no weights for other images than colours, nor are any asked for.
        if own.imageChannels != 3 { encoderWeights = "none" }
        decoder = own.decoder
        unetChannels = own.unetChannels
        lightChannels = own.lightChannels
        cellChannels = own.cellChannels
        cellRepeats = own.cellRepeats
        separableDecoder = own.separable
        asppChannels = own.asppChannels
        decoderChannels = own.decoderChannels
        lowLevelChannels = own.lowLevelChannels
    }
}

extension Model {
    /// Takes over the weights of a trained network of the same architecture.
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
        guard channels == other.channels else {
            throw RunError(
                .changed, path: path,
                "its network sees \(other.channels) channels, and data.channels is \(channels): take another model to"
                    + " start from, or none")
        }
        let (own, others) = (network.description.residualLayers, other.network.description.residualLayers)
        guard own == others else {
            throw RunError(
                .changed, path: path,
                "its network has residual connections in \(others) layers, this one in \(own): set train.residual to "
                    + "\(others > 0)")
        }
        let sameClasses = classes.names == other.classes.names
        var weights = other.network.store.state
        if !sameClasses {
            let own = network.store.state
            for name in SegmentationNetwork.classLayer { weights[name] = own[name] }
        }
        try network.store.load(weights)
        return sameClasses
            ? "starting from \(path), whose classes are the same"
            : "starting from \(path), with a new class layer: its \(other.classes.count) classes are not these "
                + "\(classes.count)"
    }
}
