import ArgumentParser
import Configurations
import Experiments
import Foundation
import Planning
import Runs

/// `run`: from a folder of images and a time to the best network.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "From a folder of labelled images and a time to a network, measured and exported.",
        discussion: """
            Looks at the data, plans by a few timed steps on this machine, chooses among networks as far as the time \
            allows, trains, measures on images that were kept apart, exports, and writes one report. It may be stopped \
            at any moment and goes on with --resume.
            """)

    @OptionGroup var options: AutomaticRunOptions

    func run() throws {
        let shared = options.shared
        let base = try options.configuration()
        let interruption = Interruption()
        let handlers = SignalHandlers(interruption)
        defer { withExtendedLifetime(handlers) {} }
        let run = try AutomaticRun(
            budget: Budget(options.budget ?? AutomaticRunOptions.usualBudget), output: options.output, base,
            isPlan: options.config != nil, resume: options.resume, given: options.given,
            milliseconds: options.milliseconds, megabytes: options.megabytes,
            reporter: shared.reporter)
        if options.planOnly { return try showPlan(of: run) }
        let outcome = try run.complete(reporter: shared.reporter, interruption: interruption)
        if shared.json { return try printJSON(outcome) }
        print(outcome.text)
    }

    private func showPlan(of run: AutomaticRun) throws {
        if options.shared.json { return try printJSON(run.plan) }
        for note in run.plan.notes { print("data: \(note)") }
        for reason in run.plan.reasons { print("\(reason.key): \(reason.text)") }
        for stage in run.plan.stages { print("\(stage.name): \(fixed(stage.seconds / 60, digits: 1)) min") }
        print(
            """
            memory: about \(grouped(run.plan.bytes / 1_000_000)) MB
            \(options.output)/plan.yaml: change what you like; go on with
              autodeeplab run \(options.data.map(shellWord) ?? "DATA") --output \(shellWord(options.output)) --resume
            """)
    }
}

/// What `run` takes.
struct AutomaticRunOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Folder of the data set: images with masks, in any known layout.", valueName: "data"))
    var data: String?

    static let usualBudget = "30min"

    @Option(
        help: ArgumentHelp(
            "How long it may take, from 1min to 14d: 30min, 2h, overnight (default: \(usualBudget)).", valueName: "time"
        ))
    var budget: String?

    @Option(
        help: ArgumentHelp("The run's folder; new or empty, unless the run is resumed.", valueName: "run"),
        transform: outputName)
    var output = "runs/run"

    @Option(help: ArgumentHelp("The most that an image may take on this machine: 50ms.", valueName: "time"))
    var maxLatency: String?

    @Option(help: ArgumentHelp("The most memory that the training may take: 8GB, 500MB.", valueName: "size"))
    var maxMemory: String?

    @Flag(help: "Go on with the run in the folder.")
    var resume = false

    @Flag(help: "Make the plan, show it, and stop.")
    var planOnly = false

    @Option(help: ArgumentHelp("Follow a plan, or another configuration, as it stands.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("What is known of the data, as data.labels.ignore=[11].", valueName: "key=value"))
    var settings: [String] = []

    @OptionGroup var shared: SharedOptions

    func validate() throws {
        if data == nil && config == nil && !resume || data == "" {
            throw ValidationError("Give the folder of the data set")
        }
        do {
            _ = try budget.map { try Budget($0) }
        } catch {
            throw ValidationError("--\(error)")
        }
        if let maxLatency, milliseconds == nil {
            throw ValidationError("--max-latency: '\(maxLatency.prefix(40))' is no time; write it as 50ms or 2s")
        }
        if let maxMemory, megabytes == nil {
            throw ValidationError("--max-memory: '\(maxMemory.prefix(40))' is no size; write it as 8GB or 500MB")
        }
        if output.contains(where: \.isNewline) { throw ValidationError("--output: a folder's name has one line") }
        if config == nil, let other = settings.first(where: { !$0.hasPrefix("data.") && !$0.hasPrefix("evaluate.") }) {
            throw ValidationError(
                "--set \(other.prefix(60)): a plan decides this; make one by --plan-only, change it, and go on by --resume"
            )
        }
    }

    /// What must be as it was where a run goes on.
    var given: Set<String> {
        var result = Set(settings.map { $0.prefix { $0 != "=" }.trimmingCharacters(in: .whitespaces) })
        if data != nil { result.insert("data.root") }
        if budget != nil { result.insert("budget") }
        if maxLatency != nil { result.insert("maxLatency") }
        if maxMemory != nil { result.insert("maxMemory") }
        if shared.seed != nil { result.insert("seed") }
        return result
    }

    /// The limit on the time of an image.
    var milliseconds: Double? { maxLatency.flatMap { Self.positive($0, in: ["ms": 1, "s": 1_000]) } }

    /// The limit on memory, in millions of bytes.
    var megabytes: Double? { maxMemory.flatMap { Self.positive($0, in: ["mb": 1, "gb": 1_000]) } }

    private static func positive(_ text: String, in units: [String: Double]) -> Double? {
        quantity(text, in: units).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }

    /// Data, seed, device and threads; all else too where a plan is given.
    func configuration() throws -> Configuration {
        try Configuration.resolve(
            preset: nil, file: config, overrides: settings + shared.overrides, dataFolder: data)
    }
}
