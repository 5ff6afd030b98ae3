import Comparisons
import Configurations
import Datasets
import Foundation
import Images
import Planning
import Runs
import SearchSpace
import Synchronization
import TestSupport
import Testing

/// A plan keeps its time, and follows from the data.
@Suite struct PlannerTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func facts(height: Int, width: Int, thin: Double = 20, images: Int = 100) throws -> DataFacts {
        let text = """
            {"images": {"train": \(images), "val": 10, "test": 10}, "classes": ["a", "b"], "height": \(height), \
            "width": \(width), "smallest": \(min(height, width)), "shares": [0.9, 0.1], "thickness": [50, \(thin)]}
            """
        return try JSONDecoder().decode(DataFacts.self, from: Data(text.utf8))
    }

    private func plan(
        _ facts: DataFacts, _ budget: String, encoders: [EncoderKind] = [], channels: Int = 3
    ) throws -> (plan: Plan, configuration: Configuration) {
        var base = Configuration()
        base.threads = 1
        base.data.channels = channels
        return try Planner(
            budget: try Budget(budget), elapsed: 5, facts: facts, base: base, encoders: encoders,
            reporter: SilentReporter()
        ).plan(notes: ["a note"], isSettled: false)
    }

    @Test func stagesFillTheBudget() throws {
        let (plan, configuration) = try plan(facts(height: 64, width: 64), "3min")
        let all = plan.stages.reduce(0) { $0 + $1.seconds }
        #expect((90...180).contains(all), "\(plan.stages)")
        #expect(configuration.train.stepsPerEpoch > 1 && configuration.train.epochs == 12)
        #expect(configuration.search.candidates == 1)
        #expect(configuration.train.crop == CropSize(height: 33, width: 33))
        // A pixel counts 1 in the mean.
        let weights = configuration.train.classWeights
        #expect(abs(0.9 * weights[0] + 0.1 * weights[1] - 1) < 0.01 && weights[1] > 2 * weights[0])
        // What is written can be followed.
        let text = plan.yaml(of: configuration)
        #expect(try Configuration.parse(yaml: text, source: "plan") == configuration)
        #expect(text.contains("# data: a note\n") && text.contains("# train.crop: [33, 33]"))
    }

    @Test func encodersAreForColors() throws {
        let (plan, configuration) = try plan(
            facts(height: 64, width: 64), "3min", encoders: EncoderKind.allCases, channels: 6)
        #expect(configuration.train.encoderWeights == "none")
        #expect(
            plan.reasons.first { $0.key == "train.encoderWeights" }?.text
                == "none: trained encoders see 3 channels, and these images have 6, so all is learnt from these images")
    }

    @Test func largeImagesAreMadeSmaller() throws {
        let (_, configuration) = try plan(facts(height: 1_500, width: 2_000, thin: 40), "3min")
        #expect(configuration.data.longerSide == 384)
        #expect(configuration.train.crop == CropSize(height: 193, width: 193))
    }

    @Test func thinThingsAreSeenFiner() throws {
        for (thin, stride) in [(1.5, 2), (30, 4)] {
            let facts = try facts(height: 64, width: 64, thin: thin)
            #expect(try plan(facts, "2h").configuration.train.decoderStride == stride)
        }
    }

    @Test func aTrainedEncoderIsTaken() throws {
        let (plan, configuration) = try plan(facts(height: 64, width: 64), "2min", encoders: [.efficientNetLite0])
        #expect(configuration.search.pool == ["efficientnet-lite0+light"])
        #expect(configuration.search.poolSteps == [configuration.train.stepsPerEpoch])
        #expect(configuration.train.stepsPerEpoch > 1 && configuration.search.candidates == 1)
        #expect(plan.reasons.contains { $0.key == "search.pool" && $0.text.hasPrefix("efficientnet-lite0") })
        #expect(!plan.reasons.contains { $0.key == "train.decoderStride" || $0.key == "train.filters" })
    }

    @Test func withoutWeightsAnEncoderLearnsFromScratch() throws {
        let (plan, configuration) = try plan(facts(height: 64, width: 64), "2min")
        #expect(configuration.search.pool == ["efficientnet-lite0+light"] && configuration.search.candidates == 1)
        let train = configuration.train
        #expect(train.encoderWeights == "none" && train.encoderLearningRate == 1)
        #expect(plan.reasons.contains { $0.key == "train.encoderWeights" })
        #expect(!plan.reasons.contains { $0.text.contains("ImageNet") })
        let trained = try self.plan(facts(height: 64, width: 64), "2min", encoders: [.efficientNetLite0]).configuration
        #expect(trained.train.encoderWeights.isEmpty && trained.train.encoderLearningRate == 0.2)
    }

    @Test func encodersRaceInEqualTime() throws {
        var base = Configuration()
        base.threads = 1
        var trials: [String] = []
        let planner = Planner(
            budget: try Budget("1h"), elapsed: 0, facts: try facts(height: 40, width: 40), base: base,
            encoders: [.mobileNetV2],
            trial: { _, network, steps in
                trials.append("\(network) \(steps)")
                return (0.5, 2)
            }, reporter: SilentReporter())
        let (plan, configuration) = try planner.plan(notes: [], isSettled: false)
        let search = configuration.search
        #expect(search.pool == ["mobilenet-v2+light", "mobilenet-v2+unet", "deeplabv3:8"] && trials.count == 1)
        #expect(search.candidates == 3 && search.poolSteps.count == 3 && search.poolSteps[0] > 0)
        #expect(search.poolSteps[0] == configuration.train.stepsPerEpoch)
        // A step of half a second, and two in which an epoch is saved.
        #expect(abs(plan.secondsPerEpoch - 0.5 * Double(search.poolSteps[0])) < 1e-9)
        let all = plan.stages.reduce(0) { $0 + $1.seconds }
        #expect((3_200...3_600).contains(all), "\(plan.stages)")
    }

    /// What is left of a long time may be too little for it, as on a slow processor.
    @Test(arguments: [("1h", 3_590.0), ("2h", 7_190)])
    func nothingRacesThatCannotBeToldApart(_ budget: String, _ elapsed: Double) throws {
        var base = Configuration()
        base.threads = 1
        for encoders in [[EncoderKind.efficientNetLite0], []] {
            let planner = Planner(
                budget: try Budget(budget), elapsed: elapsed, facts: try facts(height: 40, width: 40), base: base,
                encoders: encoders, reporter: SilentReporter())
            let (plan, configuration) = try planner.plan(notes: [], isSettled: false)
            let search = configuration.search
            #expect(search.candidates == 1 && !search.pool.contains("paper"), "\(search.pool)")
            #expect(search.pool == (encoders.isEmpty ? [] : ["efficientnet-lite0+light"]))
            #expect(
                plan.reasons.contains { $0.key == "search.candidates" && $0.text.contains("before they have learnt") })
        }
    }

    @Test("With hours and no encoder a gradient-based search comes before the race, within its share of the time")
    func searchComesFirst() throws {
        let (plan, configuration) = try plan(facts(height: 40, width: 40), "2h")
        let search = configuration.search
        #expect(
            search.pool == ["paper", "auto-deeplab", "efficientnet-lite0+light"] && search.poolSteps.isEmpty
                && search.method == .race
                && search.candidates == 9)
        #expect(configuration.train.head == .separable && configuration.train.encoderWeights == "none")
        #expect((10...40).contains(search.epochs) && search.architectureFrom == search.epochs / 2)
        let seconds = try #require(plan.stages.first { $0.name == "gradient-based search" }?.seconds)
        #expect(seconds > 0 && seconds <= 0.2 * 7_200, "\(plan.stages)")
        #expect((6_500...7_200).contains(plan.stages.reduce(0) { $0 + $1.seconds }), "\(plan.stages)")
        #expect(plan.reasons.contains { $0.key == "search.epochs" })
        let short = try self.plan(facts(height: 40, width: 40), "90min")
        #expect(
            short.configuration.search.pool == ["efficientnet-lite0+light", "efficientnet-lite0+unet", "deeplabv3:8"])
        #expect(!short.plan.stages.contains { $0.name == "gradient-based search" })
    }

    @Test func limitsAreKept() throws {
        var base = Configuration()
        base.threads = 1
        func planner(_ limits: Planner.Limits) throws -> Planner {
            Planner(
                budget: try Budget("2min"), elapsed: 0, facts: try facts(height: 64, width: 64), base: base,
                encoders: [.efficientNetLite0], limits: limits, reporter: SilentReporter())
        }
        let none = #expect(throws: ConfigurationError.self) {
            try planner(.init(milliseconds: 1e-6)).plan(notes: [], isSettled: false)
        }
        #expect(none.map { "\($0)" }?.hasPrefix("--max-latency: the smallest network takes ") == true)
        let tight = #expect(throws: ConfigurationError.self) {
            try planner(.init(bytes: 1)).plan(notes: [], isSettled: false)
        }
        #expect(tight.map { "\($0)" }?.hasPrefix("--max-memory: images one by one take about ") == true)
    }

    /// What a process has before it trains does not shrink with the batch.
    @Test func batchesThatKeepToAMemory() {
        #expect(Planner.bytes(ofBatch: 2, from: 8, bytes: 1_000, before: 200) == 400)
        #expect(Planner.bytes(ofBatch: 2, from: 8, bytes: 1_000, before: 2_000) == 1_000)
        for (memory, batch) in [(1_001.0, 8), (1_000, 4), (601, 4), (600, 2), (301, 1), (300, nil)] as [(Double, Int?)]
        {
            #expect(Planner.batch(keeping: memory, from: 8, bytes: 1_000, before: 200) == batch, "\(memory)")
        }
        #expect(Planner.batch(keeping: 250, from: 1, bytes: 300, before: 0) == nil)
    }

    @Test func fewImagesShareTheTime() throws {
        var base = Configuration()
        base.threads = 1
        let planner = Planner(
            budget: try Budget("4min"), elapsed: 0, facts: try facts(height: 64, width: 64, images: 10), base: base,
            encoders: [.efficientNetLite0], folds: ["a", "b", "c"], reporter: SilentReporter())
        let (plan, configuration) = try planner.plan(notes: [], isSettled: false)
        #expect(plan.crossValidation?.files == ["a", "b", "c"])
        #expect(plan.crossValidation?.epochs == configuration.train.epochs / 2)
        let seconds = Dictionary(uniqueKeysWithValues: plan.stages.map { ($0.name, $0.seconds) })
        let (folds, training) = (try #require(seconds["cross-validation"]), try #require(seconds["training"]))
        #expect(abs(folds / training - 1.5) < 0.01)
    }

    @Test(arguments: [
        // done, planned, seconds of an epoch for one that was to take 10, seconds left; epochs in the end
        (9, 36, 10.0, 270.0, 36), (9, 36, 10.2, 100.0, 36), (9, 36, 20.0, 400.0, 29), (9, 36, 20.0, 10.0, 10),
        (9, 36, 5.0, 270.0, 63), (9, 36, 2.0, 1_000.0, 509), (9, 36, 0.1, 1_000.0, 720), (9, 36, 5.0, 10.0, 36),
        (9, 36, 0.0, 10.0, 36),
    ])
    func lengthIsSettled(done: Int, epochs: Int, seconds: Double, left: Double, wanted: Int) throws {
        var (plan, _) = try plan(facts(height: 64, width: 64), "2min")
        plan.secondsPerEpoch = 10
        let length = plan.settledLength(done: done, epochs: epochs, secondsPerEpoch: seconds, left: left)
        #expect(length.epochs == wanted)
    }

    @Test(arguments: [
        // seconds of an epoch, seconds left after 22 of 36 epochs; epochs in the end
        (10.0, 145.0, 36), (10.0, 100.0, 31), (10.0, 300.0, 51), (20.0, 300.0, 36), (10.0, 0.0, 23),
        (10.0, -50.0, 23), (0.001, 1_000.0, 720),
    ])
    func lengthIsSettledOnceMore(seconds: Double, left: Double, wanted: Int) throws {
        var (plan, _) = try plan(facts(height: 64, width: 64), "2min")
        plan.secondsPerEpoch = 10
        plan.lengths = [plan.settledLength(done: 9, epochs: 36, secondsPerEpoch: 10, left: 270)]
        #expect(plan.lengths[0].epochs == 36)
        // By the time that is left, whatever an epoch took before.
        #expect(plan.settledLength(done: 22, epochs: 36, secondsPerEpoch: seconds, left: left).epochs == wanted)
    }

    @Test(
        "A race on a slow machine gives up candidates until half of the last training fits",
        arguments: [
            // rung, trained, seconds that are left, where an epoch takes 10; candidates
            // 9 candidates of 4 epochs, 3 of 8 more, and half of 24: 32 + 24 + 12 = 68 epochs are left after the first.
            (0, 1, 680.0, 9), (0, 1, 679.0, 8),
            // 5: 16 epochs, no second rung, half of 32. 6: 20 + 2 * 8 + 12 = 48.
            (0, 1, 480.0, 6), (0, 1, 479.0, 5), (0, 1, 320.0, 5), (0, 1, 319.0, 4), (0, 1, -5.0, 1),
            (0, 4, 100.0, 4), (0, 4, 200.0, 5),
            // Before the second: 24 + 12 and 16 + 12, or half of 32.
            (1, 0, 360.0, 3), (1, 0, 359.0, 2), (1, 0, 279.0, 1), (1, 0, 0.0, 1),
        ])
    func raceIsNarrowed(rung: Int, trained: Int, left: Double, wanted: Int) throws {
        let (plan, _) = try plan(facts(height: 64, width: 64), "2min")
        let progress = CandidateSearch.RungProgress(
            rung: rung, trained: trained, secondsPerEpoch: 10,
            schedule: HalvingSchedule(candidates: 9, reduction: 3, epochs: 36))
        let narrowing = plan.narrowing(progress, left: left)
        #expect(narrowing.candidates == wanted)
        let planned = rung == 0 ? 9 : 3
        #expect(narrowing.planned == planned)
    }

    @Test(
        "A search that takes much longer than its 100 s ends when they are over",
        arguments: [
            // epochs done of 20, seconds; whether it ends
            (20, 125.0, false), (16, 100.0, false), (15, 100.0, true), (10, 99.0, false), (10, 100.0, true),
            (19, 118.0, false), (3, 1_000.0, true), (0, 1_000.0, false),
        ])
    func searchEnds(epoch: Int, seconds: Double, wanted: Bool) throws {
        var (plan, _) = try plan(facts(height: 64, width: 64), "2min")
        #expect(!plan.endsSearch(after: epoch, of: 20, seconds: seconds))
        (plan.stages[0].name, plan.stages[0].seconds) = ("gradient-based search", 100)
        #expect(plan.endsSearch(after: epoch, of: 20, seconds: seconds) == wanted)
    }

    @Test func timeIsCountedInAllProcesses() throws {
        let clock = Mutex(100.0)
        func account() -> TimeAccount { TimeAccount(folder: folder.path) { clock.withLock { $0 } } }
        func wait(_ seconds: Double) { clock.withLock { $0 += seconds } }
        let first = account()
        wait(3)
        first.begin(.training)
        let reporter = first.reporter(SilentReporter())
        for step in 0..<4 {
            wait(4)
            reporter.report(.advanced(Advance(completed: step)))
        }
        #expect(first.seconds(.planning) == 3 && first.seconds(.training) == 16 && first.total == 19)
        // Killed: what was written some seconds before is what is known.
        let second = account()
        #expect(second.seconds(.planning) == 3 && (12...16).contains(second.seconds(.training)))
        second.begin(.measuring)
        wait(2)
        #expect(second.seconds(.measuring) == 2)
        try folder.write("{\"training\": -5, \"planning\": 1e300}", to: "times.json")
        #expect(account().total == 0)
    }

    /// A line of a pixel and a square of four, by hand.
    @Test func factsOfMasks() throws {
        var labels = [UInt8](repeating: 0, count: 100)
        for row in 0..<10 { labels[row * 10 + 2] = 1 }
        for row in 4..<8 { for column in 5..<9 { labels[row * 10 + column] = 2 } }
        for split in ["train", "val"] {
            try folder.write(Array("P5 10 10 255\n".utf8) + labels, to: "masks/\(split)/x.pgm")
            try folder.write(
                Array("P6 10 10 255\n".utf8) + [UInt8](repeating: 9, count: 300), to: "images/\(split)/x.ppm")
        }
        try folder.write("a\nb\nc\nd\n", to: "classes.txt")
        let dataset = try Dataset(root: folder.path)
        let facts = try DataFacts(dataset, reader: dataset.reader())
        #expect(facts.images == ["train": 1, "val": 1] && facts.height == 10 && facts.width == 10)
        #expect(facts.shares == [0.74, 0.1, 0.16, 0])
        // The line has ten pixels and twenty sides, the square sixteen and sixteen.
        #expect(facts.thickness[1] == 1 && facts.thickness[2] == 2 && facts.thickness[3] == 0)
    }
}
