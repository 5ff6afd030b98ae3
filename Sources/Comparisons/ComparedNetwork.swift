import Configurations
import Experiments
import Foundation
import Runs
import SearchSpace

/// A network that takes part in a comparison.
public struct ComparedNetwork: Equatable, Sendable {
    /// What it is called in tables and folders: unlike all others.
    public var name: String
    /// What was typed for it.
    public var argument: String
    /// The network.
    public var choice: NetworkChoice

    /// Reads the networks that arguments name, as `NetworkChoice` takes them, and gives each a name.
    ///
    /// A file `genotype.json` is named after its folder, any other after itself; names that are equal but for the case
    /// of letters are numbered.
    ///
    /// - Parameters:
    ///   - arguments: What was typed.
    ///   - decoder: The decoder of encoders that are named alone.
    ///   - skipAblation: Whether each network with long skips is followed by the same without, `NAME-without-skips`.
    /// - Returns: The networks in the order of the arguments.
    /// - Throws: One line about the first argument that names no network.
    public static func named(
        by arguments: [String], decoder: DecoderKind = .unet, skipAblation: Bool = false
    ) throws -> [ComparedNetwork] {
        var used: Set<String> = []
        return try arguments.flatMap { argument in
            let choice = try NetworkChoice(named: argument, decoder: decoder)
            let name = try plainName(of: argument)
            var all = [(name, choice)]
            if skipAblation, let genotype = choice.genotype, genotype.hasSkips {
                all.append((name + "-without-skips", .genotype(genotype.withoutSkips)))
            }
            return all.map { name, choice in
                var unique = name
                var number = 2
                while !used.insert(unique.foldedPath).inserted {
                    unique = "\(name)-\(number)"
                    number += 1
                }
                return ComparedNetwork(name: unique, argument: argument, choice: choice)
            }
        }
    }

    /// Refuses encoders that have learnt from colours, and stems, for images of other channels.
    ///
    /// - Throws: `ConfigurationError` that names the first.
    static func refuseEncoders(
        among networks: [ComparedNetwork], channels: Int, _ train: TrainConfiguration
    ) throws(ConfigurationError) {
        let seesColors = { (choice: NetworkChoice) in
            choice.hasEncoder && (choice.genotype != nil || train.encoderWeights != "none")
        }
        guard channels != 3, let encoder = networks.first(where: { seesColors($0.choice) }) else { return }
        throw ConfigurationError(
            .contradiction,
            "\(encoder.argument): its encoder sees 3 channels, and data.channels is \(channels): leave it out"
                + (encoder.choice.genotype == nil ? ", or set train.encoderWeights to none" : ""))
    }

    private static func plainName(of argument: String) throws -> String {
        if let (stem, network) = try StemKind.split(argument) {
            return try stem.rawValue + "+" + plainName(of: network)
        }
        if EncoderKind.named(argument) != nil { return argument.replacing(":", with: "-") }
        if case (let encoder, let decoder?)? = EncoderKind.split(argument) {
            return encoder.rawValue + "+" + URL(fileURLWithPath: decoder).deletingPathExtension().lastPathComponent
        }
        if try KnownDesign.genotype(named: argument) != nil { return argument.replacing(":", with: "-") }
        let url = URL(fileURLWithPath: argument).standardizedFileURL
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
        if exists, isFolder.boolValue { return url.lastPathComponent }
        let stem = url.deletingPathExtension().lastPathComponent
        return stem == "genotype" ? url.deletingLastPathComponent().lastPathComponent : stem
    }
}

/// A network with what it costs in a comparison.
struct CostedNetwork {
    let network: ComparedNetwork
    /// The filter multiplier that it is trained with.
    let filters: Int
    let cost: Cost
    /// Milliseconds for an image by the table of latencies; nil where they have no limit.
    var milliseconds: Double?

    /// Prices networks under one configuration.
    ///
    /// Where costs are to be equal, each but the first takes the filters that bring its multiply-adds closest to the
    /// first's.
    static func all(
        _ networks: [ComparedNetwork], _ train: TrainConfiguration, on images: InputSpecification, equal: Bool
    ) -> [CostedNetwork] {
        let own = networks.map {
            CostedNetwork(network: $0, filters: train.filters, cost: $0.choice.cost(train, on: images))
        }
        guard equal, let first = own.first else { return own }
        let others = networks.dropFirst().map { network in
            let best = network.choice.filters(closestTo: first.cost.multiplyAdds, train, on: images)
            return CostedNetwork(network: network, filters: best.filters, cost: best.cost)
        }
        return [first] + others
    }
}
