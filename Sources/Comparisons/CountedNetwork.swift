import Configurations
import Experiments
import Foundation
import Inference
import Networks
import Runs
import SearchSpace

/// A network that an argument names, with what its cost is counted for.
package struct CountedNetwork: Equatable, Sendable {
    /// The network.
    package let description: ModelDescription
    /// What it sees.
    package let images: InputSpecification

    /// What it costs, for one image at scale 1.
    package var cost: Cost { description.network.cost(on: images) }

    /// What was typed, in place of what the argument and its run say.
    package struct Choices: Equatable, Sendable {
        /// The filter multiplier.
        package var filters: Int?
        /// The number of classes.
        package var classes: Int?
        /// Height and width of the image.
        package var size: (height: Int, width: Int)? {
            get { typedSize.map { ($0[0], $0[1]) } }
            set { typedSize = newValue.map { [$0.height, $0.width] } }
        }
        private var typedSize: [Int]?

        /// Nothing was typed.
        package init() {}
    }

    /// Takes a trained network as it is, and gives another one what the configuration's training has.
    ///
    /// The image is that of `choices`, else the first one of the run's or the configuration's data, else a crop of the
    /// run's, else 1025x2049. A run's image is resized and padded as `predict` does; for a genotype without a run, a size
    /// that was typed is what the network sees, but for `train.resize`.
    ///
    /// - Parameters:
    ///   - argument: A model file, a run folder, a genotype file, or a known network's name.
    ///   - configuration: The run's, where the argument is one.
    ///   - choices: What was typed.
    /// - Throws: One line about what cannot be read or counted.
    package init(_ argument: String, _ configuration: Configuration, choices: Choices = Choices()) throws {
        let isModel = ModelDescription.exists(at: argument)
        let isRun = FileManager.default.fileExists(atPath: RunPaths(folder: argument).configuration)
        let model = isModel ? try ModelDescription(at: argument) : nil
        var train = configuration.train
        if let filters = choices.filters { train.filters = filters }

        let stated = choices.classes ?? model?.classes.count
        var seen: InputSpecification?
        if choices.size == nil || stated == nil, !configuration.data.root.isEmpty {
            do {
                seen = try InputSpecification(configuration, split: nil)
            } catch {
                // A run says enough of itself where its data is elsewhere.
                let isEnough = isRun && stated ?? configuration.data.statedClasses != nil
                guard isEnough else { throw error }
            }
        }
        let classes = stated ?? seen?.classes ?? configuration.data.statedClasses ?? 19
        var network =
            try model?.network
            ?? CountedNetwork.network(
                argument, train, classes: classes, channels: configuration.data.channels, isRun: isRun)
        if case .discrete(let genotype, var widths) = network, let filters = choices.filters {
            widths.filters = filters
            network = .discrete(genotype, widths)
        }
        network.classes = classes
        var description = ModelDescription(
            network, scaling: model?.scaling ?? configuration.data.scaling(resize: train.resize))
        if let model, model.classes.count == classes { description.classes = model.classes }
        self.description = description

        var filters = train.filters
        if case .discrete(_, let widths) = network { filters = widths.filters }
        var counted: InputSpecification
        if let size = choices.size {
            try Cost.validate(filters: filters, classes: classes, height: size.height, width: size.width)
            let asPredicted = InputSpecification(
                classes: classes, height: size.height, width: size.width, scaling: description.scaling,
                evaluate: configuration.evaluate, scoreStride: network.scoreStride)
            let exact = description.scaling.size(width: size.width, height: size.height)
            counted =
                isModel || isRun || asPredicted.windows > 1
                ? asPredicted : InputSpecification(classes: classes, height: exact.height, width: exact.width)
        } else if var seen {
            seen.classes = classes
            counted = seen
        } else if isRun {
            counted = InputSpecification(
                classes: classes, height: paddedSize(train.crop.height), width: paddedSize(train.crop.width))
        } else {
            counted = InputSpecification(classes: classes, height: 1_025, width: 2_049)
        }
        counted.channels = network.imageChannels
        images = counted
        try Cost.validate(
            filters: filters, classes: classes, height: images.height, width: images.width)
    }

    /// The network that an argument without a model file names: an encoder, perhaps with a decoder behind a plus sign
    /// (`efficientnet-lite0+light`), the encoder of a run's configuration, or a genotype.
    private static func network(
        _ argument: String, _ train: TrainConfiguration, classes: Int, channels: Int, isRun: Bool
    ) throws -> NetworkDescription {
        if EncoderKind.named(argument) == nil, isRun, let encoder = train.encoder.kind,
            !FileManager.default.fileExists(atPath: RunPaths(folder: argument).genotype)
        {
            return .encoded(train.network(encoder, classes: classes, channels: channels))
        }
        return try NetworkChoice(named: argument, decoder: train.decoder).description(
            train, classes: classes, channels: channels)
    }
}
