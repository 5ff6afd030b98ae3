import Configurations
import Datasets
import Foundation
import Images
import Planning
import Runs
import SearchSpace
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

    private func plan(_ facts: DataFacts, _ budget: String, encoders: [EncoderKind] = []) throws -> (
        plan: Plan, configuration: Configuration
    ) {
        var base = Configuration()
        base.threads = 1
        return try Planner(
            budget: try Budget(budget), elapsed: 5, facts: facts, base: base, encoders: encoders,
            reporter: SilentReporter()
        ).plan(notes: ["a note"], isSettled: false)
    }

    @Test func stagesFillTheBudget() throws {
        let (plan, configuration) = try plan(facts(height: 64, width: 64), "3min")
        let all = plan.stages.reduce(0) { $0 + $1.seconds }
        #expect((90...180).contains(all), "\(plan.stages)")
        #expect(configuration.train.stepsPerEpoch > 1 && configuration.train.epochs == 36)
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

    @Test func largeImagesAreMadeSmaller() throws {
        let (_, configuration) = try plan(facts(height: 1_500, width: 2_000, thin: 40), "3min")
        #expect(configuration.data.longerSide == 384)
        #expect(configuration.train.crop == CropSize(height: 193, width: 193))
    }

    @Test func thinThingsAreSeenFiner() throws {
        #expect(try plan(facts(height: 64, width: 64, thin: 1.5), "2min").configuration.train.decoderStride == 2)
        #expect(try plan(facts(height: 64, width: 64, thin: 30), "2min").configuration.train.decoderStride == 4)
    }

    @Test func aTrainedEncoderIsTaken() throws {
        let (plan, configuration) = try plan(facts(height: 64, width: 64), "2min", encoders: [.efficientNetLite0])
        #expect(configuration.search.pool == ["efficientnet-lite0+light"])
        #expect(configuration.search.poolSteps == [configuration.train.stepsPerEpoch])
        #expect(configuration.train.stepsPerEpoch > 1 && configuration.search.candidates == 1)
        #expect(plan.reasons.contains { $0.key == "search.pool" && $0.text.hasPrefix("efficientnet-lite0") })
        #expect(!plan.reasons.contains { $0.key == "train.decoderStride" || $0.key == "train.filters" })
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
