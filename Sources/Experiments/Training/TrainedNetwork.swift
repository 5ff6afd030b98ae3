import Configurations
import Networks
import Torch

extension TrainConfiguration {
    /// The network's shape besides its genotype.
    package func network(classes: Int) -> DiscreteConfiguration {
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

    /// The optimizer of the network's parameters: convolutions decay, the rest only if asked to.
    func optimizer(of parameters: [Variable]) -> SGD {
        let groups = [
            SGD.Group(parameters: parameters.filter { $0.kind == .convolution }, weightDecay: weightDecay),
            SGD.Group(
                parameters: parameters.filter { $0.kind != .convolution },
                weightDecay: decayNormalization ? weightDecay : 0),
        ]
        return SGD(groups: groups, momentum: momentum)
    }

    /// Refuses weights of classes that are not the data's.
    ///
    /// - Throws: `ConfigurationError` where there is not a weight for every class.
    func refuseOtherWeights(classes: Int) throws(ConfigurationError) {
        guard classWeights.isEmpty || classWeights.count == classes else {
            throw ConfigurationError(
                .outOfRange,
                "train.classWeights: \(classWeights.count) weights, where the data has \(classes) classes: give one a "
                    + "class, or none by train.classWeights=[]")
        }
    }

    /// The loss of a step.
    ///
    /// - Throws: `ConfigurationError` where there is not a weight for every class.
    func segmentationLoss(classes: Int, device: Device) throws(ConfigurationError) -> SegmentationLoss {
        try refuseOtherWeights(classes: classes)
        var result = SegmentationLoss()
        result.ohemFraction = loss.ohemFraction
        result.labelSmoothing = loss.labelSmoothing
        result.dice = loss.dice
        if !classWeights.isEmpty {
            result.classWeights = Tensor(classWeights.map { Float($0) }, shape: [classes], device: device)
        }
        return result
    }
}

extension AuxiliaryHeads {
    /// The heads that a configuration asks for.
    ///
    /// - Throws: `ConfigurationError` where the network lacks a layer.
    convenience init(
        _ configuration: AuxiliaryConfiguration, of network: DiscreteNetwork, generator: Generator
    ) throws(ConfigurationError) {
        let count = network.layout.cells.count
        if let missing = configuration.layers.first(where: { $0 > count }) {
            throw ConfigurationError(
                .outOfRange, "train.auxiliary.layers: \(missing), where the network has \(count) layers")
        }
        self.init(layers: configuration.layers, of: network, generator: generator)
    }
}
