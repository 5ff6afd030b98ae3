import Comparisons
import Configurations
import Datasets
import Experiments
import Foundation
import Inference
import Runs
import Torch

/// Few images, each measured by a network that was trained on the others.
struct CrossValidation {
    /// What a network came to.
    struct Result {
        let network: ComparedNetwork
        /// All images, each as the network saw it that did not learn from it.
        let evaluation: Evaluation
        /// Mean IoU fold by fold.
        let scores: [Double]
        /// The model of each fold, by the images it was measured on.
        let models: [String: String]
    }

    let plan: Plan.CrossValidation
    /// How networks are trained.
    let configuration: Configuration
    /// The run's folder.
    let output: String

    /// Trains every network on every fold, as far as that is not done, and measures all.
    ///
    /// - Parameters:
    ///   - networks: The networks with the steps of their epochs.
    ///   - reporter: Who shows the progress.
    ///   - interruption: Asks to stop.
    /// - Returns: The networks in this order.
    /// - Throws: `Interrupted` after a checkpoint if asked to stop; the error of a training that fails.
    func run(
        _ networks: [(network: ComparedNetwork, filters: Int, stepsPerEpoch: Int)], reporter: any ProgressReporter,
        interruption: Interruption
    ) throws -> [Result] {
        try networks.map { entry in
            var (evaluations, models): ([Evaluation], [String: String]) = ([], [:])
            for (number, file) in plan.files.enumerated() {
                let folder = "\(output)/folds/\(entry.network.name)-\(number + 1)"
                var own = configuration
                entry.network.choice.settle(&own.train, filters: entry.filters)
                own.data.splits = SplitConfiguration()
                own.data.splits.file = file
                own.train.epochs = plan.epochs
                own.train.stepsPerEpoch = entry.stepsPerEpoch
                own.train.warmupSteps = max(1, plan.epochs * entry.stepsPerEpoch / 20)
                own.train.validateEvery = plan.epochs
                own.train.validationImages = 0
                reporter.report(
                    .note("\(entry.network.name), fold \(number + 1) of \(plan.files.count): \(plan.epochs) epochs"))
                do {
                    let run = try RunFolder(at: folder, resume: true)
                    _ = try Training(
                        entry.network.choice.genotype, own, folder: run, reporter: reporter,
                        interruption: interruption
                    ).run()
                }
                let model = RunPaths(folder: folder).model
                let found = try evaluate(
                    Model(at: model, device: own.device.device()), own, split: nil, reporter: reporter,
                    interruption: interruption)
                for score in found.images { models[score.sample.image] = model }
                evaluations.append(found)
            }
            return Result(
                network: entry.network, evaluation: Evaluation(pooling: evaluations, split: "cross-validation"),
                scores: evaluations.map(\.metrics.mIOU), models: models)
        }
    }
}
