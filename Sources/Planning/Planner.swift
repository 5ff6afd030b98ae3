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
    /// The encoder that there are trained weights of; nil for none.
    let encoder: EncoderKind?
    let reporter: any ProgressReporter

    /// A planner for what is left of a time.
    package init(
        budget: Budget, elapsed: Double, facts: DataFacts, base: Configuration, encoder: EncoderKind?,
        reporter: any ProgressReporter
    ) {
        self.budget = budget
        self.elapsed = elapsed
        self.facts = facts
        self.base = base
        self.encoder = encoder
        self.reporter = reporter
    }

    /// Epochs of the last training: a multiple of all that a rung's length is divided by.
    private static let epochs = 36
    /// A step in training over one on random values.
    ///
    /// Images are decoded and augmented on the same cores: measured 1.10 on nuclei and 1.16 on CamVid (two cores of an AMD
    /// EPYC).
    private static let loading = 1.15
    /// Seconds for what is neither training nor measuring: export and its check, the report.
    private static let closing = 20.0

    /// The plan and its configuration.
    ///
    /// - Parameters:
    ///   - notes: What was decided about the data.
    ///   - isSettled: Whether the configuration is a plan already, of which only the time is to be told.
    /// - Returns: Both.
    /// - Throws: `ConfigurationError` where what is given contradicts what is chosen.
    package func plan(notes: [String], isSettled: Bool) throws -> (plan: Plan, configuration: Configuration) {
        var configuration = base
        var reasons: [Plan.Reason] = []
        func choose(_ key: String, _ text: String) { reasons.append(Plan.Reason(key: key, text: text)) }
        let start = Date()
        let timing: Timing
        if isSettled {
            choose("all", "as the configuration that was given says")
            timing = time(configuration)
        } else {
            settleImages(&configuration, choose)
            settleRecipe(&configuration, choose)
            let race = settleRace(&configuration, choose)
            timing = settleSize(&configuration, race: race, since: start, choose)
        }
        try configuration.validate()
        let environment = Environment(threads: base.workerThreads, device: "cpu")
        let plan = Plan(
            budget: budget.seconds, facts: facts, notes: notes, reasons: reasons,
            stages: stages(of: configuration, timing, planning: elapsed + Date().timeIntervalSince(start)),
            secondsPerStep: timing.step, bytes: timing.bytes, processor: environment.processor)
        return (plan, configuration)
    }

    // MARK: Images

    private var minutes: Double { budget.seconds / 60 }

    /// What the middle image is resized by.
    private func scale(in configuration: Configuration) -> Double {
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
        let bytes = Double(images) * Double(facts.height * facts.width * 4) * scale * scale
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

    // MARK: Candidates

    /// How many networks are tried, and which.
    private func settleRace(
        _ configuration: inout Configuration, _ choose: (String, String) -> Void
    ) -> HalvingSchedule {
        if let encoder {
            configuration.train.encoder = EncoderChoice(encoder)
            configuration.train.decoder = .light
            configuration.train.encoderLearningRate = 0.2
            configuration.train.learningRate = 0.01
            configuration.train.batchNormDecay = 0.97
            configuration.train.epochs = Self.epochs
            configuration.search.candidates = 1
            choose(
                "train.encoder",
                "\(encoder.rawValue), which has seen ImageNet: its weights are there, and on a few hundred images they are"
                    + " worth more than a search")
            return HalvingSchedule(candidates: 1, reduction: 2, epochs: Self.epochs)
        }
        choose(
            "train.encoder", "none: no trained weights are there (make encoders), so all is learnt from these images")
        settleStride(&configuration, choose)
        configuration.search.method = .race
        configuration.search.layers = minutes <= 10 ? 7 : minutes <= 90 ? 8 : 10
        let (candidates, reduction) = minutes < 20 ? (1, 2) : minutes < 100 ? (4, 4) : (9, 3)
        configuration.search.candidates = candidates
        configuration.search.reduction = reduction
        configuration.train.epochs = Self.epochs
        if candidates == 1 {
            choose(
                "search.candidates",
                "1: in \(budget.description) several networks would be judged before they have learnt anything")
        } else {
            choose(
                "search.candidates",
                "\(candidates): known designs and random networks of equal cost; one in \(reduction) is trained on")
        }
        return HalvingSchedule(candidates: candidates, reduction: reduction, epochs: Self.epochs)
    }

    /// The stride of the scores of a network from scratch, by what is thinnest.
    private func settleStride(_ configuration: inout Configuration, _ choose: (String, String) -> Void) {
        let thin = facts.thinnest * scale(in: configuration)
        // Finer scores cost time: on CamVid's poles of three pixels they were behind in a training of minutes.
        configuration.train.decoderStride = thin < (minutes < 60 ? 2 : 5) ? 2 : 4
        let name = zip(facts.classes, facts.thickness).filter { $0.1 > 0 }.min { $0.1 < $1.1 }?.0 ?? ""
        choose(
            "train.decoderStride",
            "\(configuration.train.decoderStride): the thinnest class, \(name), is about \(format(thin)) pixels wide")
    }

    // MARK: Size and steps

    /// Seconds of a step and of a pass over an image, and the bytes that the process took.
    private struct Timing {
        var step: Double
        var pass: Double
        var bytes: Int
    }

    private func time(_ configuration: Configuration) -> Timing {
        reporter.report(
            .note(
                "timing "
                    + (configuration.train.encoder.kind?.rawValue
                        ?? "a network of \(configuration.train.filters) filters")))
        let scale = scale(in: configuration)
        let (height, width) = (Double(facts.height) * scale, Double(facts.width) * scale)
        let (train, classes) = (configuration.train, facts.classes.count)
        let network: NetworkDescription =
            train.encoder.kind.map { .encoded(train.network($0, classes: classes)) }
            ?? .discrete(Planner.reference(layers: configuration.search.layers), train.network(classes: classes))
        let timer = StepTimer(configuration: configuration)
        let step = timer.step(network)
        // Reading an image, resizing its scores and counting them take about half as long again.
        let pass = 1.5 * timer.pass(network, height: Int(clamping: height), width: Int(clamping: width))
        return Timing(step: Self.loading * step.seconds, pass: pass, bytes: step.bytes)
    }

    /// The largest network that still makes enough steps, and how many these are.
    private func settleSize(
        _ configuration: inout Configuration, race: HalvingSchedule, since start: Date,
        _ choose: (String, String) -> Void
    ) -> Timing {
        // Epochs of all candidates together, over those of one whole training.
        let factor = Double(race.total) / Double(Self.epochs)
        let wanted = min(40_000, max(600, 580 * minutes.squareRoot()))
        func available(_ timing: Timing) -> Double {
            let measuring = timing.pass * Double((facts.images["test"] ?? 0) + 2 * (facts.images["val"] ?? 0))
            let left = budget.seconds - elapsed - Date().timeIntervalSince(start) - Self.closing - measuring
            return max(budget.seconds * 0.3, left * 0.95)
        }
        let memory = ProcessMemory.available.map { 0.7 * Double($0) } ?? .infinity
        var found: (size: NetworkSize, timing: Timing)?
        // An encoder has one size. Others are tried up from a small one; the first that makes too few steps ends it.
        let sizes = configuration.train.encoder == .none ? NetworkSize.all : [NetworkSize.all[2]]
        for size in sizes {
            size.settle(&configuration.train)
            let timing = time(configuration)
            let makesEnough =
                available(timing) / factor / timing.step >= wanted && Double(timing.bytes) < memory
            if found == nil || makesEnough { found = (size, timing) }
            if !makesEnough { break }
        }
        guard let (size, timing) = found else { preconditionFailure("no network size") }
        size.settle(&configuration.train)
        let seconds = available(timing)
        let steps = Int(clamping: seconds / factor / timing.step)
        configuration.train.stepsPerEpoch = max(1, steps / Self.epochs)
        let all = configuration.train.stepsPerEpoch * Self.epochs
        configuration.train.warmupSteps = max(1, all / 20)
        // Four validations take a twentieth of the time at most.
        let images = max(4, Int(clamping: 0.05 * seconds / 4 / max(timing.pass, 1e-6)))
        configuration.train.validationImages = images >= (facts.images["val"] ?? 0) ? 0 : images
        configuration.train.validateEvery = Self.epochs / 4
        let speed = "a step takes \(format(timing.step * 1_000)) ms here, so that \(all) of them fit"
        if configuration.train.encoder == .none {
            choose("train.filters", "\(size.filters): \(speed)")
        } else {
            choose("train.stepsPerEpoch", "\(configuration.train.stepsPerEpoch): \(speed)")
        }
        return timing
    }

    /// What is done with the time.
    private func stages(of configuration: Configuration, _ timing: Timing, planning: Double) -> [Plan.Stage] {
        let (search, train) = (configuration.search, configuration.train)
        let race = HalvingSchedule(
            candidates: search.candidates, reduction: search.reduction, epochs: max(1, train.epochs))
        let epoch = timing.step * Double(train.stepsOfEpoch(images: facts.images["train"] ?? 1))
        let choosing = race.rungs.count > 1 ? race.rungs[0].epochs * race.rungs[0].candidates : 0
        let all = [
            Plan.Stage(name: "looking at the data and planning", seconds: planning),
            Plan.Stage(name: "choosing among \(search.candidates) networks", seconds: Double(choosing) * epoch),
            Plan.Stage(name: "training", seconds: Double(race.total - choosing) * epoch),
            Plan.Stage(
                name: "measuring, export, report",
                seconds: timing.pass * Double(facts.images["test"] ?? 0) + Self.closing),
        ]
        return all.filter { $0.seconds > 0 }
    }

    /// The network by which sizes are timed.
    static func reference(layers: Int) -> Genotype {
        guard let genotype = try? KnownDesign.deeplabv3.genotype(layers: max(3, layers)) else {
            preconditionFailure("deeplabv3 of \(layers) layers")
        }
        return genotype
    }

    private func format(_ value: Double) -> String {
        value >= 100 ? String(Int(clamping: value.rounded())) : String(format: value >= 10 ? "%.0f" : "%.2g", value)
    }
}
