import ArgumentParser
import Experiments
import SearchSpace

/// `inspect`: what a network costs and how it looks, without building it.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a network's path, cell, parameters and multiply-adds.")

    @Argument(help: "A genotype file, a run folder, or a known network's name.")
    var genotype: String

    @Option(help: "Filter multiplier F: 20 is the paper's S, 32 its M, 48 its L.")
    var filters = 20

    @Option(help: "Number of classes.")
    var classes = 19

    @Option(help: ArgumentHelp("Height and width of the image.", valueName: "HxW"))
    var size = ImageSize(height: 1_025, width: 2_049)

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        guard (1...1_024).contains(filters) else { throw ValidationError("--filters must be from 1 to 1024") }
        guard (1...255).contains(classes) else { throw ValidationError("--classes must be from 1 to 255") }
    }

    func run() throws {
        let genotype = try loadGenotype(genotype)
        let cost = Cost.of(
            genotype, filters: filters, classes: classes, height: size.height, width: size.width)
        if shared.json {
            try printJSON(Report(genotype, cost, filters: filters, classes: classes, size: size))
        } else {
            printTable(genotype, cost)
        }
    }

    private func printTable(_ genotype: Genotype, _ cost: Cost) {
        print("\(genotype.layers) layers at strides \(genotype.path.map { "\($0.rawValue)" }.joined(separator: " "))")
        for (number, block) in genotype.cell.blocks.enumerated() {
            let branches = [block.first, block.second].map { "\($0.op.rawValue)(\($0.input.name))" }
            print("block\(number + 1) = \(branches.joined(separator: " + "))")
        }
        print("\(filters) filters, \(classes) classes, image \(size.description)")
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
        let layers: Int
        let filters: Int
        let classes: Int
        let size: [Int]

        init(_ genotype: Genotype, _ cost: Cost, filters: Int, classes: Int, size: ImageSize) {
            parameters = cost.parameters
            multiplyAdds = cost.multiplyAdds
            parts = ["backbone": cost.backbone, "aspp": cost.aspp, "decoder": cost.decoder]
            path = genotype.path.map(\.rawValue)
            blocks = genotype.cell.blocks.map { block in
                [block.first, block.second].map { [$0.input.name, $0.op.rawValue] }
            }
            layers = genotype.layers
            self.filters = filters
            self.classes = classes
            self.size = [size.height, size.width]
        }
    }
}

/// Height and width as they are typed: 1025x2049.
struct ImageSize: ExpressibleByArgument, CustomStringConvertible {
    let height: Int
    let width: Int

    init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let height = sides[0], let width = sides[1] else { return nil }
        guard (1...65_536).contains(height), (1...65_536).contains(width) else { return nil }
        self.init(height: height, width: width)
    }

    var description: String { "\(height)x\(width)" }
    var defaultValueDescription: String { description }
}
