import Configurations
import Foundation
import Networks
import Runs
import Torch

extension TrainConfiguration {
    /// The network's shape besides its genotype.
    package func network(classes: Int, channels: Int = 3) -> DiscreteConfiguration {
        var result = DiscreteConfiguration(filters: filters, classes: classes)
        result.imageChannels = channels
        result.residual = residual
        result.stemChannels = stemChannels
        result.asppChannels = asppChannels
        result.decoderChannels = decoderChannels
        result.lowLevelChannels = lowLevelChannels
        result.head = head
        result.decoderStride = decoderStride
        result.fineChannels = fineChannels
        result.batchNormDecay = batchNormDecay
        result.dropoutKeep = dropoutKeep
        result.dropPathKeep = dropPathKeep
        return result
    }

    /// What is to be said of a network whose search had residual connections, where its training has none.
    ///
    /// - Parameter argument: What names the network; a search's folder tells how it was searched.
    /// - Returns: A line; nil where there is nothing to say.
    public func residualWarning(genotype argument: String) -> String? {
        let paths = RunPaths(folder: argument)
        guard !residual, FileManager.default.fileExists(atPath: paths.genotypes),
            let search = try? Configuration.resolve(file: paths.configuration).search, search.residual
        else { return nil }
        return "\(argument) was searched with search.residual=true and is trained without residual connections: "
            + "set train.residual=true to train the network that was searched"
    }

    /// The optimizer of the network's parameters: convolutions decay, the rest only if asked to.
    ///
    /// - Parameters:
    ///   - parameters: What it trains.
    ///   - rateFactor: Factor of the learning rate.
    /// - Returns: The optimizer, before its first step.
    package func optimizer(of parameters: [Variable], rateFactor: Double = 1) -> any Optimizer {
        let groups = [
            ParameterGroup(
                parameters: parameters.filter { $0.kind == .convolution }, weightDecay: weightDecay,
                rateFactor: rateFactor),
            ParameterGroup(
                parameters: parameters.filter { $0.kind != .convolution },
                weightDecay: decayNormalization ? weightDecay : 0, rateFactor: rateFactor),
        ]
        return switch optimizer {
        case .sgd: SGD(groups: groups, momentum: momentum)
        case .adamw: AdamW(groups: groups)
        }
    }

    /// The learning rates of so many steps.
    func schedule(steps: Int) -> Schedule {
        let shape: Schedule.Shape =
            switch schedule {
            case .poly: .poly(power: power)
            case .cosine: .cosine(final: 0)
            }
        return Schedule(base: learningRate, total: steps, shape: shape, warmUp: warmupSteps)
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

    /// How much the pixels of each class count, `[C]`; nil for all alike.
    ///
    /// - Throws: `ConfigurationError` where there is not a weight for every class.
    func weights(classes: Int, device: Device) throws(ConfigurationError) -> Tensor? {
        try refuseOtherWeights(classes: classes)
        return classWeights.isEmpty
            ? nil : Tensor(classWeights.map { Float($0) }, shape: [classes], device: device)
    }

    /// The loss of a step.
    ///
    /// - Throws: `ConfigurationError` where there is not a weight for every class.
    func segmentationLoss(classes: Int, device: Device) throws(ConfigurationError) -> SegmentationLoss {
        var result = SegmentationLoss()
        result.ohemFraction = loss.ohemFraction
        result.labelSmoothing = loss.labelSmoothing
        result.dice = loss.dice
        result.classWeights = try weights(classes: classes, device: device)
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
