import Comparisons
import Configurations
import Experiments
import Foundation
import Reporting
import Runs
import Torch

/// Seconds of a step in a short training of the real images, in a folder that goes away again.
///
/// - Parameters:
///   - configuration: Data and recipe.
///   - network: What is trained.
///   - steps: How many steps are timed, in three parts, after as many as in one that are not.
/// - Returns: Seconds of a step with the loading of images in the fastest part, and of what an epoch takes besides.
/// - Throws: What a training throws.
func trialTraining(_ configuration: Configuration, _ network: NetworkChoice, steps: Int) throws -> (
    step: Double, saving: Double
) {
    var own = configuration
    network.settle(&own.train, filters: configuration.train.filters)
    own.train.epochs = 4
    own.train.stepsPerEpoch = (steps + 2) / 3
    own.train.warmupSteps = 0
    own.train.validateEvery = 4
    own.train.validationImages = 1
    let scratch = try ScratchFolder()
    let folder = try RunFolder(at: scratch.file("trial"), resume: false)
    let training = try Training(
        network.genotype, own, folder: folder, reporter: SilentReporter(), interruption: Interruption())
    let start = DispatchTime.now().uptimeNanoseconds
    try training.run()
    let whole = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    let records = RunRecord.all(in: try boundedContents(of: folder.paths.log, limit: 1 << 24))
    let times = records.compactMap { $0.values["secondsPerStep"] }
    guard let step = times.dropFirst().min() else {
        throw RunError(.damaged, path: folder.paths.log, "holds no time of a step")
    }
    return (step, max(0, whole - times.reduce(0, +) * Double(own.train.stepsPerEpoch)) / Double(times.count))
}
