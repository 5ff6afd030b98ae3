import ArgumentParser
import Experiments
import Inference
import Runs
import Torch

/// `train`: trains a segmentation network.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a searched or known network from scratch, or a trained encoder with a decoder.")

    @OptionGroup var options: TrainOptions

    func run() throws {
        var configuration = try options.configuration()
        if try options.printing.isDone(with: options.adopting(configuration)) { return }
        try options.inputs(configuration).refuse(run: options.run.output)
        try options.run.group.enter()
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let genotype = try options.genotype.map { try loadGenotype($0) }
        if let warning = options.genotype.flatMap(configuration.train.residualWarning) {
            options.shared.reporter.report(.warning(warning))
        }
        // Read before the folder is made: a run that goes on has its weights already.
        var start: (model: Model, path: String)?
        if let path = options.from, !options.run.goesOn {
            let model = try Model(at: path, device: try configuration.device.device())
            let adopted = configuration.adopting(model)
            for line in adopted.changes { options.shared.reporter.report(.note(line)) }
            (configuration, start) = (adopted.configuration, (model, path))
        }
        let folder = try RunFolder(at: options.run.output, resume: options.run.goesOn)
        let training = try Training(
            genotype, configuration, from: start, folder: folder, reporter: options.shared.reporter,
            interruption: interruption)
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
