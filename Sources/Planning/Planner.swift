import Comparisons
import Configurations
import Datasets
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import Torch

/// Makes a plan from a data set, a time, and a few timed steps on this machine.
package struct Planner {
    let budget: Budget
    /// Seconds that are gone already.
    let elapsed: Double
    let facts: DataFacts
    /// Device, seed, threads and data.
    let base: Configuration
    /// The encoders that there are trained weights of.
    let encoders: [EncoderKind]
    /// Files of splits for a cross-validation, where images are few.
    let folds: [String]
    let limits: Limits
    /// A training of the real images in which so many steps are timed; nil takes a usual share for loading them.
    let trial: Trial?
    let reporter: any ProgressReporter

    /// Seconds of a step with the loading of images, and of saving an epoch.
    package typealias Trial = (
        _ configuration: Configuration, _ network: NetworkChoice, _ steps: Int
    ) throws -> (step: Double, saving: Double)

    /// What the network may take.
    package struct Limits: Equatable, Sendable {
        /// Milliseconds of a pass over an image; nil for any.
        package var milliseconds: Double?
        /// Bytes of the process while it trains; nil for what is free.
        package var bytes: Double?

        /// No limits but the machine's.
        package init(milliseconds: Double? = nil, bytes: Double? = nil) {
            self.milliseconds = milliseconds
            self.bytes = bytes
        }
    }

    /// A planner for what is left of a time.
    package init(
        budget: Budget, elapsed: Double, facts: DataFacts, base: Configuration, encoders: [EncoderKind],
        folds: [String] = [], limits: Limits = Limits(),
        trial: Trial? = nil,
        reporter: any ProgressReporter
    ) {
        self.budget = budget
        self.elapsed = elapsed
        self.facts = facts
        self.base = base
        // They have learnt from colours.
        self.encoders = base.data.channels == 3 ? encoders : []
        self.folds = folds
        self.limits = limits
        self.trial = trial
        self.reporter = reporter
    }

    /// Epochs of the last training: a multiple of all that a rung's length is divided by.
    ///
    /// Each takes time to be saved.
    var epochs: Int { minutes < 5 ? 12 : 36 }

    /// The plan and its configuration.
    ///
    /// - Parameters:
    ///   - notes: What was decided about the data.
    ///   - isSettled: Whether the configuration is a plan already, of which only the time is to be told.
    /// - Returns: Both.
    /// - Throws: `ConfigurationError` where what is given contradicts what is chosen, or no network keeps the limits; an
    ///   error of the training that is timed.
    package func plan(notes: [String], isSettled: Bool) throws -> (plan: Plan, configuration: Configuration) {
        var configuration = base
        var reasons: [Plan.Reason] = []
        func choose(_ key: String, _ text: String) { reasons.append(Plan.Reason(key: key, text: text)) }
        let start = Date()
        let time: PlannedTime
        if isSettled {
            choose("all", "as the configuration that was given says")
            time = try settledTime(configuration)
        } else {
            settleImages(&configuration, choose)
            settleRecipe(&configuration, choose)
            time = try settleNetworks(&configuration, since: start, choose)
        }
        try configuration.validate()
        let environment = Environment(threads: base.workerThreads, device: "cpu")
        let plan = Plan(
            budget: budget.seconds, facts: facts, notes: notes, reasons: reasons,
            stages: time.stages(of: configuration, planning: elapsed + Date().timeIntervalSince(start)),
            secondsPerStep: time.step, secondsPerEpoch: time.epoch - time.saving, crossValidation: time.crossValidation,
            isGiven: isSettled, bytes: time.bytes, processor: environment.processor)
        return (plan, configuration)
    }

    // MARK: Images

    var minutes: Double { budget.seconds / 60 }

    /// What the middle image is resized by.
    func scale(in configuration: Configuration) -> Double {
        let side = configuration.data.longerSide
        return side > 0 ? Double(side) / Double(max(facts.height, facts.width)) : 1
    }

    /// How large images are seen, and the crops of them.
    private func settleImages(_ configuration: inout Configuration, _ choose: (String, String) -> Void) {
        let longer = max(facts.height, facts.width)
        let affordable = minutes <= 10 ? 384 : minutes <= 90 ? 512 : minutes <= 300 ? 768 : 1_024
        if longer * 4 > affordable * 5 {
            // Thin things must keep about three pixels, as far as there is time.
            let needed = Int(clamping: (Double(longer) * min(1, 3 / facts.thinnest)).rounded())
            let side = max(affordable, min(needed, affordable * 3 / 2, longer))
            if side * 5 < longer * 4 || side == affordable {
                configuration.data.longerSide = side
                choose(
                    "data.longerSide",
                    "\(side): the middle image has \(facts.width)x\(facts.height) pixels, more than are worth their time in"
                        + " \(budget.description)")
            }
        }
        let scale = scale(in: configuration)
        let shorter = Int(clamping: (Double(min(facts.height, facts.width)) * scale).rounded())
        let largest = minutes <= 10 ? 193 : minutes <= 90 ? 257 : minutes <= 300 ? 321 : 513
        let side = max(33, (min(shorter, largest) - 1) / 32 * 32 + 1)
        configuration.train.crop = CropSize(height: side, width: side)
        configuration.search.crop = configuration.train.crop
        choose("train.crop", "[\(side), \(side)]: of images whose shorter side is about \(shorter) as they are seen")
        let images = facts.images["train"] ?? 1
        configuration.train.batch = images < 6 ? 2 : images < 40 ? 4 : 8
        choose("train.batch", "\(configuration.train.batch): there are \(images) training images")
        // Half of what is free may hold decoded images.
        let bytes =
            Double(images) * Double(facts.height * facts.width * (configuration.data.channels + 1)) * scale * scale
        let free = Double(ProcessMemory.available ?? 2 << 30)
        configuration.data.cacheMegabytes = min(Int(clamping: free / 4 / 1e6), Int(clamping: bytes / 1e6) + 64)
    }

    // MARK: Recipe

    /// How weights are learnt: what did best on CamVid and nuclei (docs/RESULTS.md).
    private func settleRecipe(_ configuration: inout Configuration, _ choose: (String, String) -> Void) {
        var train = configuration.train
        train.optimizer = .adamw
        train.schedule = .cosine
        train.learningRate = 0.012
        train.weightDecay = 0.01
        train.scales = [0.75, 1, 1.25, 1.5]
        train.dropPathKeep = 1
        train.dropoutKeep = 1
        train.batchNormDecay = 0.95
        train.loss.dice = 1
        choose("train.optimizer", "adamw under a cosine, with Dice loss: ahead of SGD in trainings of minutes")
        if facts.shares.count > 1 {
            let roots = facts.shares.map { $0 > 0 ? 1 / $0.squareRoot() : 0 }
            // The mean weight of a pixel is 1.
            let mean = zip(roots, facts.shares).reduce(0) { $0 + $1.0 * $1.1 }
            train.classWeights = roots.map { $0 == 0 ? 1 : ((min(8, max(0.2, $0 / mean))) * 100).rounded() / 100 }
            let rare = facts.shares.filter { $0 > 0 }.min() ?? 1
            choose(
                "train.classWeights",
                "by one over the root of the classes' shares, of which the smallest is \(format(100 * rare)) %")
        }
        configuration.train = train
    }

    /// A figure with as many digits as tell something.
    func format(_ value: Double) -> String {
        value >= 100 ? String(Int(clamping: value.rounded())) : String(format: value >= 10 ? "%.0f" : "%.2g", value)
    }
}
