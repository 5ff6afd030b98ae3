import ArgumentParser
import Experiments
import Torch

/// `train`: trains a discrete network from scratch.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a searched or known network from scratch.")

    @OptionGroup var options: TrainOptions

    func run() throws {
        let configuration = try options.configuration()
        try options.run.group.enter()
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let genotype = try options.genotype.map { try loadGenotype($0) }
        let folder = try RunFolder(at: options.run.output, resume: options.run.goesOn)
        let training = try Training(
            genotype, configuration, folder: folder, reporter: options.shared.reporter, interruption: interruption)
        let best = try training.run()
        guard ProcessGroup.isLeader else { return ProcessGroup.leave() }
        ProcessGroup.leave()
        if options.shared.json {
            try printJSON(["mIOU": best])
        } else {
            print("\(folder.paths.model): best val mIOU \(fixed(best, digits: 4))")
        }
    }
}
