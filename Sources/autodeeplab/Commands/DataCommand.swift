import ArgumentParser
import Comparisons
import Experiments
import Foundation
import Runs
import Segmentation

/// `data`: what has to do with data sets alone.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Check and make data sets.", subcommands: [Check.self, Demo.self])

    /// `data demo`: the demo's generated scenes, as ordinary files.
    struct Demo: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "demo", abstract: "Write a data set of generated street scenes with their masks.")

        @Option(help: ArgumentHelp("A folder, new or empty.", valueName: "dir"), transform: outputName)
        var output: String

        @Option(help: "Training scenes; validation and test have a fifth of them each.")
        var count = 200

        @OptionGroup var shared: SharedOptions

        func validate() throws {
            guard (5...100_000).contains(count) else {
                throw ValidationError("--count must lie between 5 and 100000, not \(count)")
            }
            if let seed = shared.seed, seed < 0 { throw ValidationError("--seed must not be negative") }
        }

        func run() throws {
            let scenes = DemoScenes(
                train: count, val: count / 5, test: count / 5, seed: shared.seed.map { UInt64($0) } ?? 1)
            try scenes.write(toEmpty: output)
            let counts = Dictionary(scenes.counts.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { $1 })
            if shared.json {
                try printJSON(Result(output: output, images: counts, classes: DemoScenes.classes.names))
            } else {
                let list = ["train", "val", "test"].compactMap { split in counts[split].map { "\($0) \(split)" } }
                print(
                    "\(output): \(list.joined(separator: ", ")); classes \(DemoScenes.classes.names.joined(separator: ", "))"
                )
            }
        }

        private struct Result: Encodable {
            let output: String
            let images: [String: Int]
            let classes: [String]
        }
    }
}
