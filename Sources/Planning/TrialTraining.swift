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
///   - steps: How many steps are timed, after as many that are not.
/// - Returns: Seconds of a step, with the loading of images.
/// - Throws: What a training throws.
func trialTraining(_ configuration: Configuration, _ network: NetworkChoice, steps: Int) throws -> Double {
    var own = configuration
    network.settle(&own.train, filters: configuration.train.filters)
    own.train.epochs = 2
    own.train.stepsPerEpoch = steps
    own.train.warmupSteps = 0
    own.train.validateEvery = 2
    own.train.validationImages = 1
    let scratch = try ScratchFolder()
    let folder = try RunFolder(at: scratch.file("trial"), resume: false)
    try Training(
        network.genotype, own, folder: folder, reporter: SilentReporter(), interruption: Interruption()
    ).run()
    let records = RunRecord.all(in: try boundedContents(of: folder.paths.log, limit: 1 << 24))
    guard let seconds = records.last?.values["secondsPerStep"] else {
        throw RunError(.damaged, path: folder.paths.log, "holds no time of a step")
    }
    return seconds
}
