import ArgumentParser
import Comparisons
import Configurations
import Experiments
import SearchSpace

/// For what a network's cost is counted: filters, classes, the head's widths, the image.
struct CostOptions: ParsableArguments {
    @Option(
        help: """
            Filter multiplier F: 20 is the paper's S, 32 its M, 48 its L (default: the configuration's train.filters, \
            20 without one).
            """)
    var filters: Int?

    @Option(help: "Number of classes (default: those of the configuration or of --data, else 19).")
    var classes: Int?

    @Option(
        help: ArgumentHelp(
            "Height and width of the image (default: as evaluated with --data, else 1025x2049).", valueName: "HxW"))
    var size: ImageSize?

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        if let filters, !(1...1_024).contains(filters) { throw ValidationError("--filters must be from 1 to 1024") }
        if let classes, !(1...255).contains(classes) { throw ValidationError("--classes must be from 1 to 255") }
    }

    /// The configuration, with the filters that are counted for.
    func configuration(_ shared: SharedOptions) throws -> Configuration {
        var configuration = try options.resolve(shared)
        if let filters { configuration.train.filters = filters }
        return configuration
    }

    /// The network that an argument names, under what is typed here and what its run says of itself.
    func counted(_ argument: String, _ shared: SharedOptions, window: Int? = nil) throws -> CountedNetwork {
        var choices = CountedNetwork.Choices()
        choices.filters = filters
        choices.classes = classes
        choices.size = size.map { ($0.height, $0.width) }
        var configuration = try options.resolve(shared, resuming: argument)
        if let window { configuration.evaluate.window = window }
        try configuration.validate()
        return try CountedNetwork(argument, configuration, choices: choices)
    }

    /// Classes and size: as typed, else from the data where there are any.
    func images(_ configuration: Configuration) throws -> InputSpecification {
        var images = InputSpecification(
            classes: classes ?? 19, height: size?.height ?? 1_025, width: size?.width ?? 2_049)
        images.channels = configuration.data.channels
        if classes == nil || size == nil, !configuration.data.root.isEmpty {
            let own = try InputSpecification(configuration, split: nil)
            images.classes = classes ?? own.classes
            if size == nil { (images.height, images.width) = (own.height, own.width) }
        } else {
            images.classes = classes ?? configuration.data.statedClasses ?? images.classes
        }
        try Cost.validate(
            filters: configuration.train.filters, classes: images.classes, height: images.height, width: images.width)
        return images
    }
}
