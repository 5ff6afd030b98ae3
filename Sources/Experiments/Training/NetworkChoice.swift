import Configurations
import Networks
import Runs
import SearchSpace

/// Which network is trained, apart from its widths: a genotype's, or an encoder with a decoder.
public enum NetworkChoice: Hashable, Sendable {
    /// The network of a genotype.
    case genotype(Genotype)
    /// A trained encoder, and what makes classes of its maps.
    case encoder(EncoderKind, DecoderKind)

    /// The network that an argument names: an encoder, perhaps with what `loadDecoder(_:)` takes behind a plus sign
    /// (`efficientnet-lite0+light`), or what `loadGenotype(_:)` takes.
    ///
    /// - Parameters:
    ///   - argument: What was typed.
    ///   - decoder: The decoder of an encoder that is named alone.
    /// - Throws: As `loadDecoder(_:)` and `loadGenotype(_:)` where it names no network.
    public init(named argument: String, decoder: DecoderKind = .unet) throws {
        if let (encoder, own) = EncoderKind.split(argument) {
            self = .encoder(encoder, try own.map(loadDecoder) ?? decoder)
        } else {
            self = .genotype(try loadGenotype(argument))
        }
    }

    /// The genotype, where it is one's.
    public var genotype: Genotype? {
        guard case .genotype(let genotype) = self else { return nil }
        return genotype
    }

    /// Whether it begins with an encoder, the whole of one or its first blocks.
    package var hasEncoder: Bool { genotype.map { $0.stem.encoder != nil } ?? true }

    /// Sets what a training of the network needs.
    ///
    /// - Parameters:
    ///   - train: How it is trained.
    ///   - filters: The filter multiplier of a genotype's network.
    package func settle(_ train: inout TrainConfiguration, filters: Int) {
        switch self {
        case .genotype:
            train.encoder = .none
            train.filters = filters
        case .encoder(let encoder, let decoder):
            train.encoder = EncoderChoice(encoder)
            train.decoder = decoder
        }
    }

    /// All that the network is built from, with the widths of a configuration.
    ///
    /// An encoder that is trained on colours sees 3 channels.
    package func description(_ train: TrainConfiguration, classes: Int, channels: Int = 3) -> NetworkDescription {
        switch self {
        case .genotype(let genotype):
            return .discrete(genotype, train.network(classes: classes, channels: channels))
        case .encoder(let encoder, let decoder):
            var own = train
            own.decoder = decoder
            return .encoded(own.network(encoder, classes: classes, channels: channels))
        }
    }

    /// What the network costs with the widths of a configuration, for one image at scale 1.
    package func cost(_ train: TrainConfiguration, on images: InputSpecification) -> Cost {
        description(train, classes: images.classes, channels: images.channels).cost(on: images)
    }

    /// The filter multiplier that brings the multiply-adds closest to a number, and the cost then; an encoder has no
    /// multiplier.
    package func filters(
        closestTo multiplyAdds: Int, _ train: TrainConfiguration, on images: InputSpecification
    ) -> (filters: Int, cost: Cost) {
        switch self {
        case .genotype(let genotype): train.filters(of: genotype, closestTo: multiplyAdds, on: images)
        case .encoder: (train.filters, cost(train, on: images))
        }
    }
}
