import Comparisons
import Configurations
import Experiments
import Foundation
import Networks
import Runs
import SearchSpace

/// A network that takes part, with what it takes on this machine.
struct NetworkTiming {
    let name: String
    let network: NetworkChoice
    /// Seconds of a training step.
    var step: Double
    /// Seconds of a pass over an image.
    var pass: Double
    /// Bytes of the process while it was timed.
    var bytes: Int
}

/// What networks take on this machine, in time and memory.
extension Planner {
    /// A step in training over one on random values, where no training is timed.
    ///
    /// Images are decoded and augmented on the same cores: measured 1.10 on nuclei and 1.16 on CamVid (two cores of an AMD
    /// EPYC).
    static let loading = 1.15
    /// Evaluating an image over a pass: it is read, its scores are resized and counted.
    static let evaluating = 1.5
    /// Seconds for what is neither training nor measuring: export and its check, the report; two on an AMD EPYC (Zen 4).
    static let closing = 5.0

    /// Times a network that is named, with the filters that a race would give it.
    func time(_ name: String, _ configuration: inout Configuration) throws -> NetworkTiming {
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

    func time(_ name: String, _ network: NetworkChoice, _ configuration: Configuration) -> NetworkTiming {
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
        return NetworkTiming(name: name, network: network, step: step.seconds, pass: pass, bytes: step.bytes)
    }

    /// Those that are fast enough where that is asked for.
    func fitting(_ timings: [NetworkTiming], _ choose: (String, String) -> Void) -> [NetworkTiming] {
        guard let limit = limits.milliseconds else { return timings }
        let found = timings.filter { $0.pass * 1e3 <= limit }
        let slow = timings.filter { $0.pass * 1e3 > limit }
        if !slow.isEmpty {
            let names = slow.map { "\($0.name) (\(format($0.pass * 1e3)) ms)" }.joined(separator: ", ")
            choose("--max-latency", "\(format(limit)) ms an image here, which these do not keep: \(names)")
        }
        return found
    }

    func keeps(_ timing: NetworkTiming) -> Bool {
        Double(timing.bytes) < memory && timing.pass * 1e3 <= limits.milliseconds ?? .infinity
    }

    private var memory: Double {
        min(limits.bytes ?? .infinity, ProcessMemory.available.map { 0.7 * Double($0) } ?? .infinity)
    }

    /// Halves the batch until the memory is enough.
    ///
    /// - Throws: `ConfigurationError` where a limit that was asked for is not enough for a batch of one.
    func keepMemory(
        _ configuration: inout Configuration, _ timings: inout [NetworkTiming], before base: Int,
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
        timings = timings.map { timing in
            var smaller = time(timing.name, timing.network, configuration)
            smaller.bytes = Planner.bytes(ofBatch: kept, from: batch, bytes: timing.bytes, before: base)
            return smaller
        }
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
