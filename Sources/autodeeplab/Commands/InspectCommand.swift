import ArgumentParser
import Comparisons
import SearchSpace

/// `inspect`: what a network costs and how it looks, without building it.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a network's path, cell, parameters and multiply-adds.")

    @Argument(help: "A genotype file, a run folder, a model file, or a known network's name.")
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
        let genotype = network.description.genotype
        let images = network.images
        print("\(genotype.layers) layers at strides \(genotype.path.map { "\($0.rawValue)" }.joined(separator: " "))")
        for (number, block) in genotype.cell.blocks.enumerated() {
            let branches = [block.first, block.second].map { "\($0.op.rawValue)(\($0.input.name))" }
            print("block\(number + 1) = \(branches.joined(separator: " + "))")
        }
        if genotype.atrous != .dense { print("atrous operators are \(genotype.atrous.rawValue)") }
        let seen = images.windows == 1 ? "image" : "\(images.windows) windows of"
        print(
            "\(network.description.configuration.filters) filters, \(images.classes) classes, "
                + "\(seen) \(images.height)x\(images.width)")
        let cost = network.cost
        for (name, part) in [("backbone", cost.backbone), ("ASPP", cost.aspp), ("decoder", cost.decoder)] {
            print(row(name, part.parameters, part.multiplyAdds))
        }
        print(row("total", cost.parameters, cost.multiplyAdds))
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
        let path: [Int]
        let blocks: [[[String]]]
        let atrous: AtrousKind
        let layers: Int
        let filters: Int
        let classes: Int
        let size: [Int]
        let windows: Int

        init(_ network: CountedNetwork) {
            let genotype = network.description.genotype
            let cost = network.cost
            parameters = cost.parameters
            multiplyAdds = cost.multiplyAdds
            parts = ["backbone": cost.backbone, "aspp": cost.aspp, "decoder": cost.decoder]
            path = genotype.path.map(\.rawValue)
            blocks = genotype.cell.blocks.map { block in
                [block.first, block.second].map { [$0.input.name, $0.op.rawValue] }
            }
            atrous = genotype.atrous
            layers = genotype.layers
            filters = network.description.configuration.filters
            classes = network.images.classes
            size = [network.images.height, network.images.width]
            windows = network.images.windows
        }
    }
}
