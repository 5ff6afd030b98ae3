import Comparisons
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace
import Torch

/// Which networks are tried, how large they are, and how many steps they get.
extension Planner {
    /// A network that takes part, with what it takes on this machine.
    private struct Timing {
        let name: String
        let network: NetworkChoice
        /// Seconds of a training step.
        var step: Double
        /// Seconds of a pass over an image.
        var pass: Double
        /// Bytes of the process while it was timed.
        var bytes: Int
    }

    /// A step in training over one on random values, where no training is timed.
    ///
    /// Images are decoded and augmented on the same cores: measured 1.10 on nuclei and 1.16 on CamVid (two cores of an AMD
    /// EPYC).
    private static let loading = 1.15
    /// Evaluating an image over a pass: it is read, its scores are resized and counted.
    private static let evaluating = 1.5
    /// Seconds for what is neither training nor measuring: export and its check, the report; two on an AMD EPYC (Zen 4).
    private static let closing = 5.0
    /// Seconds in which a training begins: images and weights are read.
    private static let beginning = 1.5
    /// One of so many trained encoders and decoders goes on; the others cost a ninth of a training each.
    private static let encoderReduction = 9

    /// Chooses the networks, and divides the time among them.
    func settleNetworks(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> PlannedTime {
        var searching = 0.0
        let base = ProcessMemory.resident
        var timings = try settleEncoder(&configuration, since: start, choose)
        if timings.isEmpty || searchesFirst {
            settleStride(&configuration, choose)
            let named = timings.map(\.name)
            if timings.isEmpty { timings = [try settleSize(&configuration, since: start, choose)] }
            configuration.search.layers = layers
            settleCandidates(&configuration, choose)
            configuration.search.pool += named
            searching = settleSearch(&configuration, choose)
        } else {
            settlePool(&configuration, timings, choose)
        }
        try keepMemory(&configuration, &timings, before: base, choose)
        return try divide(&configuration, timings, searching: searching, since: start, choose)
    }

    /// Layers of a network from scratch.
    private var layers: Int { minutes <= 10 ? 7 : minutes <= 90 ? 8 : 10 }

    // MARK: Candidates

    /// The encoder that is trained on, or from scratch where there are no trained weights of any.
    private var encoder: EncoderKind { encoders.first ?? .efficientNetLite0 }

    /// Whether networks from scratch race beside those of a search by the paper's method.
    private var searchesFirst: Bool { encoders.isEmpty && folds.isEmpty && minutes >= Self.leastSearchMinutes }

    /// With fewer steps an encoder from scratch was not tried (docs/RESULTS.md).
    private static let leastStepsFromScratch = 200.0

    /// Chooses encoders and decoders, and how they learn.
    ///
    /// - Returns: Those that are fast enough; none, and nothing is chosen, where no trained weights are there and the time
    ///   is too short to learn without them.
    private func settleEncoder(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> [Timing] {
        var own = configuration
        own.train.batchNormDecay = encoders.isEmpty ? 0.95 : 0.97
        own.train.learningRate = encoders.isEmpty ? 0.008 : 0.01
        own.train.encoderLearningRate = encoders.isEmpty ? 1 : 0.2
        if encoders.isEmpty { own.train.encoderWeights = "none" }
        // The networks that race against it are brought to its multiply-adds by their filters.
        if searchesFirst { NetworkSize.all[2].settle(&own.train) }
        var reasons: [(String, String)] = []
        let names = encoded { reasons.append(($0, $1)) }
        let timings = try fitting(names.map { try time($0, &own) }, choose)
        if encoders.isEmpty {
            let channels = configuration.data.channels
            let missing =
                (channels == 3
                    ? "no trained weights are there (make encoders)"
                    : "trained encoders see 3 channels, and these images have \(channels)")
                + ", so all is learnt from these images"
            let left = budget.seconds - elapsed - Date().timeIntervalSince(start) - Self.closing
            guard let first = timings.first, left / (Self.loading * first.step) >= Self.leastStepsFromScratch else {
                let steps = "fewer than \(format(Self.leastStepsFromScratch)) steps of \(encoder.rawValue) would fit"
                choose("train.encoder", "none: " + missing + (timings.isEmpty ? "" : ", and " + steps))
                return []
            }
            choose("train.encoderWeights", "none: " + missing)
        }
        guard !timings.isEmpty else { return [] }
        for (key, text) in reasons { choose(key, text) }
        configuration = own
        return timings
    }

    /// The encoders and decoders that the time is enough for, and a network from scratch beside them.
    private func encoded(_ choose: (String, String) -> Void) -> [String] {
        let first = encoder.rawValue
        var names = [first + "+light"]
        if searchesFirst {
            choose("search.pool", "\(first)+light takes part, whose multiply-adds all networks have")
            return names
        }
        // In half an hour one that tried no other was ahead of the race, which `unet` lost each time (docs/RESULTS.md).
        if minutes >= 60 { names.append(first + "+unet") }
        if minutes >= 180, encoders.count > 1 { names.append(encoders[1].rawValue + "+light") }
        if minutes >= 60, folds.isEmpty { names.append(Planner.standardDesign(layers: max(8, layers))) }
        choose(
            "search.pool",
            (encoders.isEmpty
                ? "\(first) with random weights, which learns faster than the networks of the search space (docs/RESULTS.md)"
                : "\(first), which has seen ImageNet: its weights are there, and on a few hundred images they are worth"
                    + " more than a search from scratch")
                + (names.count > 1 ? "; so many networks are tried shortly, in equal time, and the best goes on" : ""))
        return names
    }

    private func settlePool(
        _ configuration: inout Configuration, _ timings: [Timing], _ choose: (String, String) -> Void
    ) {
        configuration.search.method = .race
        configuration.search.layers = max(8, layers)
        configuration.search.pool = timings.map(\.name)
        configuration.search.candidates = timings.count
        configuration.search.reduction = timings.count > 1 ? Self.encoderReduction : 4
        if timings.count == 1 {
            choose("search.candidates", "1: in \(budget.description) there is no time to try others")
        }
    }

    /// How many networks from scratch are tried.
    private func settleCandidates(_ configuration: inout Configuration, _ choose: (String, String) -> Void) {
        configuration.search.method = .race
        let (candidates, reduction) = scratch
        configuration.search.candidates = candidates
        configuration.search.reduction = reduction
        if candidates == 1 {
            choose(
                "search.candidates",
                "1: in \(budget.description) several networks would be judged before they have learnt anything")
        } else {
            choose(
                "search.candidates",
                "\(candidates): known designs, a U-Net among them, and random networks of equal cost; the best "
                    + (candidates > reduction ? "one in \(reduction) is trained on" : "is trained on"))
            configuration.search.longSkips = .on
            if base.timesSteps {
                configuration.search.equalTime = true
                choose("search.equalTime", "true: of equal multiply-adds some take twice the time of others")
            }
            // The other designs take the race's layers and are there by themselves; the published network has its own, and a
            // step of it takes longer.
            if candidates >= 9 { configuration.search.pool = [KnownDesign.autoDeepLab.rawValue] }
        }
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

    // MARK: Timing

    /// Times a network that is named, with the filters that a race would give it.
    private func time(_ name: String, _ configuration: inout Configuration) throws -> Timing {
        let network = try NetworkChoice(named: name)
        guard network.genotype != nil else { return time(name, network, configuration) }
        // Of the cost of the first one, an encoder: see `search.pool`.
        let first = try NetworkChoice(named: encoder.rawValue, decoder: .light)
        NetworkSize.all[2].settle(&configuration.train)
        let images = InputSpecification(
            classes: facts.classes.count, height: configuration.train.crop.height,
            width: configuration.train.crop.width)
        let wanted = first.cost(configuration.train, on: images).multiplyAdds
        configuration.train.filters = network.filters(closestTo: wanted, configuration.train, on: images).filters
        return time(name, network, configuration)
    }

    private func time(_ name: String, _ network: NetworkChoice, _ configuration: Configuration) -> Timing {
        var own = configuration
        network.settle(&own.train, filters: configuration.train.filters)
        let filters = network.genotype.map { _ in " of \(own.train.filters) filters" } ?? ""
        reporter.report(.note("timing \(name)\(filters)"))
        let scale = scale(in: configuration)
        let (height, width) = (Double(facts.height) * scale, Double(facts.width) * scale)
        let description = network.description(
            own.train, classes: facts.classes.count, channels: own.data.channels)
        let timer = StepTimer(own)
        let step = timer.step(description)
        let pass = timer.pass(description, height: Int(clamping: height), width: Int(clamping: width))
        return Timing(name: name, network: network, step: step.seconds, pass: pass, bytes: step.bytes)
    }

    /// Those that are fast enough where that is asked for.
    private func fitting(_ timings: [Timing], _ choose: (String, String) -> Void) throws -> [Timing] {
        guard let limit = limits.milliseconds else { return timings }
        let found = timings.filter { $0.pass * 1e3 <= limit }
        let slow = timings.filter { $0.pass * 1e3 > limit }
        if !slow.isEmpty {
            let names = slow.map { "\($0.name) (\(format($0.pass * 1e3)) ms)" }.joined(separator: ", ")
            choose("--max-latency", "\(format(limit)) ms an image here, which these do not keep: \(names)")
        }
        return found
    }

    private func keeps(_ timing: Timing) -> Bool {
        Double(timing.bytes) < memory && timing.pass * 1e3 <= limits.milliseconds ?? .infinity
    }

    private var memory: Double {
        min(limits.bytes ?? .infinity, ProcessMemory.available.map { 0.7 * Double($0) } ?? .infinity)
    }

    /// Halves the batch until the memory is enough.
    ///
    /// - Throws: `ConfigurationError` where a limit that was asked for is not enough for a batch of one.
    private func keepMemory(
        _ configuration: inout Configuration, _ timings: inout [Timing], before base: Int,
        _ choose: (String, String) -> Void
    ) throws {
        guard let most = timings.map(\.bytes).max(), Double(most) >= memory else { return }
        let batch = configuration.train.batch
        let fitting = Planner.batch(keeping: memory, from: batch, bytes: most, before: base)
        // What other programs leave may become more; a limit that was asked for does not.
        guard let kept = fitting ?? (limits.bytes == nil ? 1 : nil) else {
            let least = Planner.bytes(ofBatch: 1, from: batch, bytes: most, before: base)
            throw ConfigurationError(
                .outOfRange,
                "--max-memory: images one by one take about \(least / 1_000_000) MB, the program included; raise the limit"
            )
        }
        configuration.train.batch = kept
        choose(
            "train.batch",
            "\(kept): \(batch) took \(most / 1_000_000) MB, and \(Int(clamping: memory / 1e6)) MB are there for it")
        timings = try timings.map { timing in
            var smaller = try time(timing.name, &configuration)
            smaller.bytes = Planner.bytes(ofBatch: kept, from: batch, bytes: timing.bytes, before: base)
            return smaller
        }
    }

    // MARK: Size and steps

    /// The largest network from scratch that still makes enough steps within the limits.
    private func settleSize(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> Timing {
        let wanted = min(40_000, max(600, 580 * minutes.squareRoot()))
        let left = max(
            budget.seconds * 0.3,
            budget.seconds - elapsed - Date().timeIntervalSince(start) - Self.closing)
        let name = Planner.standardDesign(layers: layers)
        let network = try NetworkChoice(named: name)
        // Epochs of training of all networks together over those of one.
        let race = HalvingSchedule(candidates: scratch.candidates, reduction: scratch.reduction, epochs: epochs)
        let share = Double(race.total) / Double(epochs)
        var found: (size: NetworkSize, timing: Timing)?
        // Tried up from a small one; the first that makes too few steps ends it.
        for size in NetworkSize.all {
            size.settle(&configuration.train)
            let timing = time(name, network, configuration)
            let makesEnough = left / share / timing.step >= wanted && keeps(timing)
            if found == nil || makesEnough { found = (size, timing) }
            if !makesEnough { break }
        }
        guard let (size, timing) = found else { preconditionFailure("no network size") }
        if let limit = limits.milliseconds, timing.pass * 1e3 > limit {
            throw ConfigurationError(
                .outOfRange,
                "--max-latency: the smallest network takes \(format(timing.pass * 1e3)) ms for an image here, not"
                    + " \(format(limit)): allow more, or see images smaller by --set data.longerSide=N")
        }
        size.settle(&configuration.train)
        choose(
            "train.filters",
            "\(size.filters): "
                + (left / share / timing.step >= wanted
                    ? "the largest network of which \(Int(clamping: wanted)) steps would fit" : "the smallest network")
                + ", a step taking \(format(timing.step * 1_000)) ms")
        return timing
    }

    /// How many networks from scratch the time is enough for, and one of how many goes on.
    ///
    /// Far from trained out a network gains more by twice the steps than by being the best of a few (docs/RESULTS.md): the
    /// others get a ninth.
    private var scratch: (candidates: Int, reduction: Int) {
        !folds.isEmpty || minutes < 20 ? (1, 4) : minutes < 100 ? (4, 9) : (9, 3)
    }

    /// The network from scratch by which sizes are timed, and the first that is tried.
    static func standardDesign(layers: Int) -> String {
        "\(KnownDesign.deeplabv3.rawValue):\(max(KnownDesign.deeplabv3.minimumLayers, layers))"
    }

    /// Gives every network as many steps an epoch as take the same time.
    private func divide(
        _ configuration: inout Configuration, _ timings: [Timing], searching: Double, since start: Date,
        _ choose: (String, String) -> Void
    ) throws -> PlannedTime {
        configuration.train.epochs = epochs
        let first = timings[0]
        var (loading, saving) = (Self.loading, 0.1)
        if let trial {
            reporter.report(.note("timing steps of \(first.name) on the images"))
            let steps = max(3, min(20, Int(clamping: 0.02 * budget.seconds / max(first.step, 1e-3))))
            let found = try trial(configuration, first.network, steps)
            loading = max(0.7, found.step / first.step)
            saving = found.saving
        }
        let timings = timings.map { timing in
            var timing = timing
            timing.step *= loading
            timing.pass *= Self.evaluating
            return timing
        }
        let slowest = timings.map(\.pass).max() ?? 0
        let measured = folds.isEmpty ? facts.images["test"] ?? 0 : facts.images["train"] ?? 0
        let closing = slowest * Double(measured) + Self.closing
        let left = budget.seconds - elapsed - Date().timeIntervalSince(start) - closing - searching
        let seconds = max(budget.seconds * 0.3, 0.97 * left)
        // Validations take a twentieth of the time at most: four of the last training, one of each other.
        let candidates = configuration.search.candidates
        let validations = Double(4 + candidates)
        let val = folds.isEmpty ? facts.images["val"] ?? 0 : facts.images["train"] ?? 0
        let images = max(4, Int(clamping: 0.05 * seconds / validations / max(slowest, 1e-6)))
        configuration.train.validationImages = images >= val ? 0 : images
        configuration.train.validateEvery = epochs / 4
        if candidates > 1 {
            configuration.train.preciseBatchNorm = 128
            choose("train.preciseBatchNorm", "128: networks are judged while their weights move fast")
        }
        // Of a step a third is its forward pass.
        let measuring =
            Double(configuration.train.preciseBatchNorm / configuration.train.batch) * (timings.map(\.step).max() ?? 0)
            / 3
        let validating = validations * (Double(min(images, val)) * slowest + measuring)
        var crossValidation: Plan.CrossValidation?
        var (total, trainings) = (
            HalvingSchedule(
                candidates: folds.isEmpty ? candidates : 1, reduction: configuration.search.reduction, epochs: epochs
            ).total, Double(candidates)
        )
        if !folds.isEmpty {
            crossValidation = Plan.CrossValidation(files: folds, epochs: epochs / 2)
            total += folds.count * epochs / 2 * candidates
            trainings = Double(folds.count * candidates + 1)
        }
        let epoch = (seconds - validating - Self.beginning * trainings) / Double(total)
        func steps(_ timing: Timing) -> Int { max(1, Int(clamping: (epoch - saving) / timing.step)) }
        configuration.train.stepsPerEpoch = steps(timings[0])
        if configuration.search.pool == timings.map(\.name) { configuration.search.poolSteps = timings.map(steps) }
        let all = configuration.train.stepsPerEpoch * epochs
        configuration.train.warmupSteps = max(1, all / 20)
        choose(
            "train.stepsPerEpoch",
            "\(configuration.train.stepsPerEpoch): a step of \(first.name) takes \(format(timings[0].step * 1_000)) ms here,"
                + " loading included, so that \(all) of them fit")
        return PlannedTime(
            step: timings[0].step, epoch: Double(configuration.train.stepsPerEpoch) * timings[0].step + saving,
            saving: saving, closing: closing,
            bytes: timings.map(\.bytes).max() ?? 0, searching: searching, crossValidation: crossValidation)
    }

    /// The time of a configuration that is given.
    func settledTime(_ configuration: Configuration) throws -> PlannedTime {
        let (search, train) = (configuration.search, configuration.train)
        let named = try ComparedNetwork.named(by: Array(search.namedPool.prefix(1)), decoder: train.decoder).first
        let network: (name: String, NetworkChoice) =
            try named.map { ($0.name, $0.choice) }
            ?? train.encoder.kind.map { ($0.rawValue, .encoder($0, train.decoder)) }
            ?? ("a network", NetworkChoice(named: Planner.standardDesign(layers: search.layers)))
        let timing = time(network.name, network.1, configuration)
        let step = Self.loading * timing.step
        let steps = search.poolSteps.first ?? train.stepsOfEpoch(images: facts.images["train"] ?? 1)
        return PlannedTime(
            step: step, epoch: step * Double(steps), saving: 0,
            closing: Self.evaluating * timing.pass * Double(facts.images["test"] ?? 0) + Self.closing,
            bytes: timing.bytes, crossValidation: nil)
    }
}
