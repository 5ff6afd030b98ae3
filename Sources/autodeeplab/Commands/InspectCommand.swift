import ArgumentParser
import Comparisons
import Networks
import SearchSpace

/// `inspect`: what a network costs and how it looks, without building it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a network's path, cell, parameters and multiply-adds.")

    @Argument(
        help: """
            A genotype file, a run folder, a model file, or the name of a known network or of an encoder, as \
            efficientnet-lite0 or efficientnet-lite0+light.
            """)
    var genotype: String

    @Option(help: "Go through images that are larger by windows of this side in pixels, as predict does.")
    var window: Int?

    @OptionGroup var costs: CostOptions
    @OptionGroup var shared: SharedOptions

    func run() throws {
        let network = try costs.counted(genotype, shared, window: window)
        if shared.json {
            try printJSON(Report(network))
        } else {
            printTable(network)
        }
    }

    private func printTable(_ network: CountedNetwork) {
        let images = network.images
        switch network.description.network {
        case .discrete(let genotype, _): printGenotype(genotype)
        case .encoded(let own):
            let channels = own.channels.map(String.init).joined(separator: ", ")
            print("\(own.encoder.rawValue) with the decoder \(own.decoder.rawValue), channels \(channels)")
            for line in own.decoder.genotype?.lines ?? [] { print(line) }
        }
        let residual = network.description.network.residualLayers
        if residual > 0 { print("residual connections in \(residual) layers") }
        let filters = network.description.network.filters.map { "\($0) filters, " } ?? ""
        let seen = images.windows == 1 ? "image" : "\(images.windows) windows of"
        let channels = images.channels == 3 ? "" : " of \(images.channels) channels"
        print(
            "\(filters)\(images.classes) classes, "
                + "\(seen) \(images.height)x\(images.width)\(channels)")
        let cost = network.cost
        let isEncoded = network.description.network.genotype == nil
        for (name, part) in [
            (isEncoded ? "encoder" : "backbone", cost.backbone), ("ASPP", cost.aspp), ("decoder", cost.decoder),
        ] {
            // Not every decoder of an encoder has such a part.
            if part.parameters > 0 { print(row(name, part.parameters, part.multiplyAdds)) }
        }
        print(row("total", cost.parameters, cost.multiplyAdds))
    }

    private func printGenotype(_ genotype: Genotype) {
        if genotype.stem != .paper { print("stem \(genotype.stem.rawValue)") }
        print("\(genotype.layers) layers at strides \(genotype.path.map { "\($0.rawValue)" }.joined(separator: " "))")
        if let skips = genotype.skipDescription { print("long skips from layer \(skips)") }
        for (number, block) in genotype.cell.blocks.enumerated() {
            let branches = [block.first, block.second].map { "\($0.op.rawValue)(\($0.input.name))" }
            print("block\(number + 1) = \(branches.joined(separator: " + "))")
        }
        if genotype.atrous != .dense { print("atrous operators are \(genotype.atrous.rawValue)") }
    }

    private func row(_ name: String, _ parameters: Int, _ multiplyAdds: Int) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let label = name + String(repeating: " ", count: 10 - name.count)
        return label + right(grouped(parameters), 14) + " parameters"
            + right(fixed(Double(multiplyAdds) / 1e9, digits: 2), 12) + " billion multiply-adds"
    }

    /// The result as others read it.
    private struct Report: Encodable {
        let parameters: Int
        let multiplyAdds: Int
        let parts: [String: Cost.Part]
        var path: [Int]?
        var skips: [Int?]?
        var blocks: [[[String]]]?
        var atrous: AtrousKind?
        var stem: StemKind?
        var residualLayers: Int?
        var layers: Int?
        var filters: Int?
        var encoder: EncoderKind?
        var decoder: DecoderKind?
        let classes: Int
        let size: [Int]
        let windows: Int

        init(_ network: CountedNetwork) {
            let cost = network.cost
            parameters = cost.parameters
            multiplyAdds = cost.multiplyAdds
            parts = ["backbone": cost.backbone, "aspp": cost.aspp, "decoder": cost.decoder]
            switch network.description.network {
            case .discrete(let genotype, let configuration):
                path = genotype.path.map(\.rawValue)
                skips = genotype.hasSkips ? genotype.skips : nil
                blocks = genotype.cell.blocks.map { block in
                    [block.first, block.second].map { [$0.input.name, $0.op.rawValue] }
                }
                atrous = genotype.atrous
                stem = genotype.stem == .paper ? nil : genotype.stem
                let count = network.description.network.residualLayers
                residualLayers = count == 0 ? nil : count
                layers = genotype.layers
                filters = configuration.filters
            case .encoded(let configuration):
                encoder = configuration.encoder
                decoder = configuration.decoder
            }
            classes = network.images.classes
            size = [network.images.height, network.images.width]
            windows = network.images.windows
        }
    }
}
