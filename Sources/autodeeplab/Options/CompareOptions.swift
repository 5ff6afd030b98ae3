import ArgumentParser
import Comparisons
import Configurations
import Runs

/// What `compare` takes.
struct CompareOptions: ParsableArguments {
    @Argument(help: "Genotype files, run folders, or known networks' names; the first is what others are set against.")
    var genotypes: [String]

    @Option(
        help: ArgumentHelp("The comparison's folder; what is finished in it is not repeated.", valueName: "dir"),
        transform: outputName)
    var output: String

    @Option(help: ArgumentHelp("How many seeds, from --seed on; or the seeds, as 0,1.", valueName: "n|list"))
    var seeds = SeedList.count(1)

    @Option(help: "The split to measure on (default: the configuration's test).")
    var split: String?

    @Flag(help: "Give each network the filters that bring its multiply-adds closest to those of the first.")
    var equalMultiplyAdds = false

    @Flag(help: "Compare each network with long skips with the same without, NAME-without-skips.")
    var skipAblation = false

    @Option(help: ArgumentHelp("A search's run folder whose report.html is to show the table.", valueName: "run"))
    var report: String?

    @OptionGroup var limits: LimitOptions
    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var printing: PrintOptions
    @OptionGroup var shared: SharedOptions

    /// Refuses to write over the files that the comparison reads.
    func refuseOverwriting() throws {
        let arguments = genotypes.reduce(InputFiles([options.config].compactMap { $0 })) { $0 + InputFiles(run: $1) }
        try arguments.refuse(Comparison.files(in: output))
        guard let report else { return }
        let page = RunPaths(folder: report)
        try arguments.refuse([page.comparison, page.report])
        try OutputPaths(in: report).refuseLinks(at: [page.comparison, page.report])
    }

    /// The configuration of every run: that of the comparison in the folder, where no other is given.
    func configuration() throws -> Configuration {
        try options.resolve(shared, remembered: Comparison.configurationPath(in: output))
    }
}

/// Seeds as they are typed: a count, or a list.
enum SeedList: ExpressibleByArgument {
    case count(Int)
    case list([Int])

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        let list = numbers.compactMap { $0 }
        guard list.count == numbers.count, list.count <= 1_000, list.allSatisfy({ $0 >= 0 }) else { return nil }
        guard Set(list).count == list.count else { return nil }
        if list.count > 1 {
            self = .list(list)
        } else {
            guard let count = list.first, (1...1_000).contains(count) else { return nil }
            self = .count(count)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .count(let count): "\(count)"
        case .list(let list): list.map(String.init).joined(separator: ",")
        }
    }

    /// The seeds; a count begins at the configuration's.
    ///
    /// - Throws: `UsageError` where there are not so many numbers from there on.
    func seeds(from first: Int) throws(UsageError) -> [Int] {
        switch self {
        case .list(let list): return list
        case .count(let count):
            guard first <= Int.max - (count - 1) else {
                throw UsageError(description: "--seed \(first): \(count) seeds from there on are beyond \(Int.max)")
            }
            return (0..<count).map { first + $0 }
        }
    }
}
