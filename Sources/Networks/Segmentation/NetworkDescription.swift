import SearchSpace
import Torch

/// All that a segmentation network is built from, as plain values.
public enum NetworkDescription: Hashable, Sendable {
    /// The network of a genotype.
    case discrete(Genotype, DiscreteConfiguration)
    /// An encoder and a decoder.
    case encoded(EncodedConfiguration)

    /// Number of classes.
    public var classes: Int {
        get {
            switch self {
            case .discrete(_, let configuration): configuration.classes
            case .encoded(let configuration): configuration.classes
            }
        }
        set {
            switch self {
            case .discrete(let genotype, var configuration):
                configuration.classes = newValue
                self = .discrete(genotype, configuration)
            case .encoded(var configuration):
                configuration.classes = newValue
                self = .encoded(configuration)
            }
        }
    }

    /// Channels of the images.
    public var imageChannels: Int {
        switch self {
        case .discrete(_, let configuration): configuration.imageChannels
        case .encoded(let configuration): configuration.imageChannels
        }
    }

    /// The genotype, where there is one.
    public var genotype: Genotype? {
        guard case .discrete(let genotype, _) = self else { return nil }
        return genotype
    }

    /// The filter multiplier of a genotype's network.
    public var filters: Int? {
        guard case .discrete(_, let configuration) = self else { return nil }
        return configuration.filters
    }

    /// How many layers have a residual connection; an encoder's own are not counted.
    public var residualLayers: Int {
        guard case .discrete(let genotype, let configuration) = self else { return 0 }
        return configuration.layout(of: genotype).cells.count(where: \.isResidual)
    }

    /// The stride of the scores that the network computes before it resizes them to the image's size.
    public var scoreStride: Int {
        switch self {
        case .discrete(let genotype, let configuration): configuration.layout(of: genotype).scoreStride
        case .encoded(let configuration): configuration.layout.decoder.stride
        }
    }

    /// Checks that every value beside the genotype is one that a network can be built with.
    ///
    /// - Throws: `SearchSpaceError` that names the first value which is not.
    public func validate() throws {
        switch self {
        case .discrete(let genotype, let configuration):
            try configuration.validate()
            guard genotype.stem.encoder == nil || configuration.imageChannels == 3 else {
                throw SearchSpaceError(
                    location: "stem",
                    problem: "\(genotype.stem.rawValue) sees 3 channels, and the images have "
                        + "\(configuration.imageChannels)")
            }
        case .encoded(let configuration): try configuration.validate()
        }
    }

    /// What the network costs for an image of `height` x `width`, counted without building it.
    public func cost(height: Int, width: Int) -> Cost {
        switch self {
        case .discrete(let genotype, let configuration):
            Cost(configuration.layout(of: genotype), height: height, width: width)
        case .encoded(let configuration): Cost(configuration.layout, height: height, width: width)
        }
    }

    /// The network, its variables drawn from the store's generator.
    public func network(store: VariableStore) -> SegmentationNetwork {
        switch self {
        case .discrete(let genotype, let configuration):
            .discrete(DiscreteNetwork(genotype, configuration, store: store))
        case .encoded(let configuration): .encoded(EncodedNetwork(configuration, store: store))
        }
    }
}
