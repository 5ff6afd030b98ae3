import Comparisons
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace

/// Which networks are tried, how large they are, and how many steps they get.
extension Planner {
    /// Seconds in which a training begins: images and weights are read.
    private static let beginning = 1.5
    /// In half an hour one that tried no other was ahead of the race, which `unet` lost each time (docs/RESULTS.md).
    private static let leastRaceMinutes = 60.0
    /// One of so many trained encoders and decoders goes on; the others cost a ninth of a training each.
    private static let encoderReduction = 9

    /// Chooses the networks, and divides the time among them.
    func settleNetworks(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> PlannedTime {
        var searching = 0.0
        let base = ProcessMemory.resident
        var (timings, searchesFirst) = try settleEncoder(&configuration, since: start, choose)
        if timings.isEmpty || searchesFirst {
            settleStride(&configuration, choose)
            let named = timings.map(\.name)
            var race = Race.ofSearch
            if timings.isEmpty {
                let (timing, own) = try settleSize(&configuration, since: start, choose)
                (timings, race) = ([timing], own)
            }
            configuration.search.layers = layers
            settleCandidates(&configuration, race, choose)
            configuration.search.pool += named
            searching = settleSearch(&configuration, choose)
        } else {
            settlePool(&configuration, timings)
        }
        try keepMemory(&configuration, &timings, before: base, choose)
        return try divide(&configuration, timings, searching: searching, since: start, choose)
    }

    /// Layers of a network from scratch.
    private var layers: Int { minutes <= 10 ? 7 : minutes <= 90 ? 8 : 10 }

    // MARK: Candidates

    /// The encoder that is trained on, or from scratch where there are no trained weights of any.
    var encoder: EncoderKind { encoders.first ?? .efficientNetLite0 }

    /// Training steps of a network that fit into what is left of the time.
    private func steps(_ timing: NetworkTiming, since start: Date) -> Double {
        (budget.seconds - elapsed - Date().timeIntervalSince(start) - Self.closing) / (Self.loading * timing.step)
    }

    /// Whether candidates that share so many steps are judged after enough of them.
    ///
    /// Twice the steps below which scores say little, since a step may take longer than it was timed. Not after a length of
    /// time: what one processor does in an hour takes another four.
    private func canJudge(_ race: Race, steps: Double) -> Bool {
        let judged = folds.isEmpty ? race.schedule(epochs: epochs).rungs[0].epochs : foldEpochs
        return steps * Double(judged) / Double(total(race)) >= 2 * Double(HalvingSchedule.leastSteps)
    }

    /// Epochs of a fold of a cross-validation: half as many as the network has that is kept.
    private var foldEpochs: Int { epochs / 2 }

    /// Epochs of training of all candidates together.
    private func total(_ race: Race) -> Int {
        folds.isEmpty ? race.schedule(epochs: epochs).total : epochs + folds.count * foldEpochs * race.candidates
    }

    /// With fewer steps an encoder from scratch was not tried (docs/RESULTS.md).
    private static let leastStepsFromScratch = 200.0

    /// Chooses encoders and decoders, and how they learn.
    ///
    /// - Returns: Those that are fast enough, and whether networks from scratch race beside those of a search by the paper's
    ///   method; none, and nothing is chosen, where no trained weights are there and the time is too short to learn without
    ///   them.
    private func settleEncoder(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> (timings: [NetworkTiming], searchesFirst: Bool) {
        var own = configuration
        own.train.batchNormDecay = encoders.isEmpty ? 0.95 : 0.97
        own.train.learningRate = encoders.isEmpty ? 0.008 : 0.01
        own.train.encoderLearningRate = encoders.isEmpty ? 1 : 0.2
        if encoders.isEmpty { own.train.encoderWeights = "none" }
        let first = try time(encoder.rawValue + "+light", &own)
        let steps = steps(first, since: start)
        let hasTimeToSearch = encoders.isEmpty && folds.isEmpty && minutes >= Self.leastSearchMinutes
        let searchesFirst = hasTimeToSearch && canJudge(.ofSearch, steps: (1 - Self.searchShare) * steps)
        // The networks that race against it are brought to its multiply-adds by their filters.
        if searchesFirst { NetworkSize.all[2].settle(&own.train) }
        let rivals = searchesFirst ? [] : rivals(steps: steps)
        let timings = fitting(try [first] + rivals.map { try time($0, &own) }, choose)
        if encoders.isEmpty {
            let channels = configuration.data.channels
            let missing =
                (channels == 3
                    ? "no trained weights are there (make encoders)"
                    : "trained encoders see 3 channels, and these images have \(channels)")
                + ", so all is learnt from these images"
            guard !timings.isEmpty, steps >= Self.leastStepsFromScratch else {
                let few = "fewer than \(format(Self.leastStepsFromScratch)) steps of \(encoder.rawValue) would fit"
                choose("train.encoder", "none: " + missing + (timings.isEmpty ? "" : ", and " + few))
                return ([], false)
            }
            choose("train.encoderWeights", "none: " + missing)
        }
        guard !timings.isEmpty else { return ([], false) }
        configuration = own
        if searchesFirst {
            choose("search.pool", "\(first.name) takes part, whose multiply-adds all networks have")
            return (timings, true)
        }
        var text =
            encoders.isEmpty
            ? "\(encoder.rawValue) with random weights, which learns faster than the networks of the search space"
                + " (docs/RESULTS.md)"
            : "\(encoder.rawValue), which has seen ImageNet: its weights are there, and on a few hundred images they"
                + " are worth more than a search from scratch"
        if timings.count > 1 {
            text += "; so many networks are tried shortly, in equal time, and the best goes on"
        }
        if hasTimeToSearch {
            text += "; no search comes first, whose candidates would be judged before they have learnt anything"
        }
        choose("search.pool", text)
        if timings.count == 1 {
            let reason =
                !rivals.isEmpty
                ? "no other keeps the limits"
                : minutes < Self.leastRaceMinutes
                    ? "there is no time to try others" : "others would be judged before they have learnt anything"
            choose("search.candidates", "1: in \(budget.description) \(reason)")
        }
        return (timings, false)
    }

    /// Networks that are tried beside the encoder's first decoder; none where the time is too short to tell them apart.
    private func rivals(steps: Double) -> [String] {
        guard minutes >= Self.leastRaceMinutes else { return [] }
        var names = [encoder.rawValue + "+unet"]
        if minutes >= 180, encoders.count > 1 { names.append(encoders[1].rawValue + "+light") }
        if folds.isEmpty { names.append(Planner.standardDesign(layers: max(8, layers))) }
        let race = Race(candidates: 1 + names.count, reduction: Self.encoderReduction)
        return canJudge(race, steps: steps) ? names : []
    }

    private func settlePool(_ configuration: inout Configuration, _ timings: [NetworkTiming]) {
        configuration.search.method = .race
        configuration.search.layers = max(8, layers)
        configuration.search.pool = timings.map(\.name)
        configuration.search.candidates = timings.count
        configuration.search.reduction = timings.count > 1 ? Self.encoderReduction : 4
    }

    /// Has networks from scratch race.
    private func settleCandidates(
        _ configuration: inout Configuration, _ race: Race, _ choose: (String, String) -> Void
    ) {
        configuration.search.method = .race
        configuration.search.candidates = race.candidates
        configuration.search.reduction = race.reduction
        if race.candidates == 1 {
            choose(
                "search.candidates",
                "1: in \(budget.description) several networks would be judged before they have learnt anything")
        } else {
            choose(
                "search.candidates",
                "\(race.candidates): known designs, a U-Net among them, and random networks of equal cost; the best "
                    + (race.candidates > race.reduction ? "one in \(race.reduction) is trained on" : "is trained on"))
            configuration.search.longSkips = .on
            if base.timesSteps {
                configuration.search.equalTime = true
                choose("search.equalTime", "true: of equal multiply-adds some take twice the time of others")
            }
            // The other designs take the race's layers and are there by themselves; the published network has its own, and a
            // step of it takes longer.
            if race.candidates >= 9 { configuration.search.pool = [KnownDesign.autoDeepLab.rawValue] }
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

    // MARK: Size and steps

    /// The largest network from scratch that still makes enough steps within the limits.
    private func settleSize(
        _ configuration: inout Configuration, since start: Date, _ choose: (String, String) -> Void
    ) throws -> (NetworkTiming, Race) {
        let wanted = min(40_000, max(600, 580 * minutes.squareRoot()))
        let left = max(
            budget.seconds * 0.3,
            budget.seconds - elapsed - Date().timeIntervalSince(start) - Self.closing)
        let name = Planner.standardDesign(layers: layers)
        let network = try NetworkChoice(named: name)
        var race = Race(candidates: 1, reduction: 4)
        // Epochs of training of all networks together over those of one.
        var share = 1.0
        var found: (size: NetworkSize, timing: NetworkTiming)?
        // Tried up from a small one; the first that makes too few steps ends it.
        for size in NetworkSize.all {
            size.settle(&configuration.train)
            let timing = time(name, network, configuration)
            if found == nil {
                let steps = steps(timing, since: start)
                race = races.first { canJudge($0, steps: steps) } ?? race
                share = Double(race.schedule(epochs: epochs).total) / Double(epochs)
            }
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
        return (timing, race)
    }

    /// Candidates from scratch, and one of how many goes on.
    private struct Race {
        var candidates: Int
        var reduction: Int

        /// The one in which what a search by the paper's method finds takes part.
        static let ofSearch = Race(candidates: 9, reduction: 3)

        func schedule(epochs: Int) -> HalvingSchedule {
            HalvingSchedule(candidates: candidates, reduction: reduction, epochs: epochs)
        }
    }

    /// The races of networks from scratch that are tried in such a time, the largest first.
    ///
    /// Far from trained out a network gains more by twice the steps than by being the best of a few (docs/RESULTS.md): the
    /// others get a ninth.
    private var races: [Race] {
        let few = Race(candidates: 4, reduction: 9)
        return !folds.isEmpty || minutes < 20 ? [] : minutes < 100 ? [few] : [.ofSearch, few]
    }

    /// The network from scratch by which sizes are timed, and the first that is tried.
    static func standardDesign(layers: Int) -> String {
        "\(KnownDesign.deeplabv3.rawValue):\(max(KnownDesign.deeplabv3.minimumLayers, layers))"
    }

    /// Gives every network as many steps an epoch as take the same time.
    private func divide(
        _ configuration: inout Configuration, _ timings: [NetworkTiming], searching: Double, since start: Date,
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
        let crossValidation = folds.isEmpty ? nil : Plan.CrossValidation(files: folds, epochs: foldEpochs)
        let trainings = Double(folds.isEmpty ? candidates : folds.count * candidates + 1)
        let race = Race(candidates: candidates, reduction: configuration.search.reduction)
        let epoch = (seconds - validating - Self.beginning * trainings) / Double(total(race))
        func steps(_ timing: NetworkTiming) -> Int { max(1, Int(clamping: (epoch - saving) / timing.step)) }
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
}
