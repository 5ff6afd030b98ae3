import ArgumentParser
import Experiments
import SearchSpace

/// `search`: trains the supernet and leaves the best genotype in the run folder.
struct SearchVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Search a network for a data set.")

    @OptionGroup var options: SearchOptions

    func run() throws {
        let configuration = try options.configuration()
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let folder = try RunFolder(at: options.run.output, resume: options.run.resume)
        let search = try Experiments.Search(
            configuration, folder: folder, reporter: options.shared.reporter, interruption: interruption)
        let genotype = try search.run()
        if options.shared.json {
            print(String(decoding: genotype.json(), as: UTF8.self), terminator: "")
        } else {
            print("\(folder.paths.genotype): path \(genotype.path.map { "\($0.rawValue)" }.joined(separator: " "))")
        }
    }
}
