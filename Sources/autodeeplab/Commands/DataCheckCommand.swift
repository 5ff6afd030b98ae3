import ArgumentParser
import Configurations
import Datasets
import Deployment

extension DataCommand {
    /// `data check`: reads every file of a data set once.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read every file of a data set and report what is there, what is wrong, what to begin with.",
            discussion: "Exit status 65 where something must be mended.")

        @Argument(help: ArgumentHelp("Folder of the data set.", valueName: "dir"))
        var data: String

        @Option(help: ArgumentHelp("A configuration file, for classes, labels and splits.", valueName: "file"))
        var config: String?

        @Option(help: ArgumentHelp("A configuration that is built in.", valueName: "name"))
        var preset: String?

        @Option(
            name: .customLong("set"), parsing: .singleValue,
            help: ArgumentHelp("Change one setting, as data.masks=binary; may be repeated.", valueName: "key=value"))
        var settings: [String] = []

        @OptionGroup var shared: SharedOptions

        func run() throws {
            let configuration = try Configuration.resolve(
                preset: preset, file: config, overrides: settings + shared.overrides, dataFolder: data)
            let report = try checkData(configuration, reporter: shared.reporter)
            if shared.json { try printJSON(report) } else { printScreen(report) }
            if !report.problems.isEmpty { throw ExitCode(ExitStatus.badData.rawValue) }
        }

        /// At most about forty lines.
        private func printScreen(_ report: DatasetReport) {
            let images = report.splits.values.reduce(0) { $0 + $1.images }
            print("\(report.root): layout \(report.layout.rawValue), \(images) images, \(report.classes.count) classes")
            for name in report.order {
                guard let split = report.splits[name] else { continue }
                print("  \(left(name, 12))\(describe(split, channels: report.mean.count))")
            }
            printClasses(report)
            if !report.mean.isEmpty {
                let numbers = [report.mean, report.deviation].map { values in
                    values.map { fixed($0, digits: 1) }.joined(separator: " ")
                }
                print("mean \(report.mean.count == 3 ? "RGB" : "by channel") \(numbers[0]), deviation \(numbers[1])")
            }
            let suggestion = report.suggestion
            if !suggestion.crop.isEmpty {
                let search = suggestion.searchBatch > 0 ? "\(suggestion.searchBatch)" : "none of the paper's size fits"
                print(
                    "suggested: crop \(suggestion.crop), train.batch \(suggestion.trainBatch) at train.filters 20,"
                        + " search.batch \(search)")
            }
            if !suggestion.classWeights.isEmpty {
                print("class weights by median frequency: --set train.classWeights=\(suggestion.classWeights)")
            }
            for note in report.notes.prefix(12) { print("note: \(onOneLine(note))") }
            if report.notes.count > 12 { print("and \(report.notes.count - 12) more notes (--json lists them)") }
            if report.problems.isEmpty { return print("no problems") }
            print(report.problems.count == 1 ? "1 problem:" : "\(report.problems.count) problems:")
            for problem in report.problems.prefix(10) { print("  " + onOneLine("\(problem.file): \(problem.problem)")) }
            if report.problems.count > 10 { print("  and \(report.problems.count - 10) more (--json lists them)") }
        }

        private func describe(_ split: DatasetReport.SplitReport, channels: Int) -> String {
            func size(_ sides: [Int]) -> String { sides.map(String.init).joined(separator: "x") }
            var parts = ["\(split.images) images"]
            if split.unlabelled > 0 { parts.append("\(split.unlabelled) without mask") }
            if split.sizes == 1 { parts.append(size(split.largest)) }
            if split.sizes > 1 {
                parts.append(
                    "\(split.sizes) sizes from \(size(split.smallest)) to \(size(split.largest)), middle"
                        + " \(size(split.median))")
            }
            let names = ["1": "grey", "2": "grey with alpha", "3": "colour", "4": "colour with alpha or CMYK"]
            if split.channels.count > 1 || split.channels["3"] == nil {
                parts += split.channels.sorted { $0.key < $1.key }.map {
                    "\($0.value) \((channels == 3 ? names[$0.key] : nil) ?? "of \($0.key) channels")"
                }
            }
            return parts.joined(separator: ", ")
        }

        /// All classes where they are few, else the most frequent ones.
        private func printClasses(_ report: DatasetReport) {
            let total = report.classes.reduce(report.ignoredPixels) { $0 + $1.pixels }
            func row(_ name: String, _ pixels: Int, _ images: String) {
                let share = total > 0 ? fixed(100 * Double(pixels) / Double(total), digits: 2) + "%" : ""
                print("  \(left(name, 24))\(right(grouped(pixels), 15))\(right(share, 9))\(right(images, 10))")
            }
            print("  \(left("class", 24))\(right("pixels", 15))\(right("share", 9))\(right("images", 10))")
            let many = report.classes.count > 22
            let shown = many ? Array(report.classes.sorted { $0.pixels > $1.pixels }.prefix(20)) : report.classes
            for entry in shown { row(entry.name, entry.pixels, grouped(entry.images)) }
            if many { print("  and \(report.classes.count - 20) rarer ones (--json lists them)") }
            row("(ignored)", report.ignoredPixels, "")
        }

        private func left(_ text: String, _ width: Int) -> String {
            text.count < width ? text + String(repeating: " ", count: width - text.count) : text + " "
        }

        private func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
    }
}
