import ArgumentParser
import Comparisons
import Configurations
import Experiments
import Runs

/// `demo`: the whole road on generated scenes.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Search, train and use a network on generated street scenes, in minutes.")

    @OptionGroup var options: DemoOptions
    @Option(name: .customLong("set"), parsing: .singleValue, help: "Change one setting of the demo's preset.")
    var settings: [String] = []

    func run() throws {
        let configuration = try Configuration.resolve(
            preset: "demo", file: nil, overrides: [Demo.classWeights] + settings + options.shared.overrides)
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let result = try Demo(output: options.output, configuration: configuration)
            .run(reporter: options.shared.reporter, interruption: interruption)
        if options.shared.json { return try printJSON(result.metrics) }
        print(String(decoding: result.genotype.json(), as: UTF8.self), terminator: "")
        for entry in result.metrics.classes {
            print("\(entry.name): IoU \(entry.iou.map { fixed($0, digits: 4) } ?? "absent")")
        }
        print(
            """
            test mIOU \(fixed(result.metrics.mIOU, digits: 4)) on \(result.metrics.images) scenes
            scenes, truths and predictions: \(result.sheet)
            masks and overlays: \(result.predictions)
            the network that was found: \(result.drawing)

            For your own images in DIR/images/{train,val,test} with masks in DIR/masks/... and DIR/classes.txt:
              autodeeplab search --preset demo --data DIR --output runs/search
              autodeeplab train --preset demo --genotype runs/search --data DIR --output runs/train
              autodeeplab evaluate runs/train --split test
              autodeeplab predict runs/train IMAGE... --output masks --overlay
            """)
    }
}
