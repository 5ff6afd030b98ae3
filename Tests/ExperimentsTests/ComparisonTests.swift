import Comparisons
import Configurations
import Experiments
import Foundation
import Inference
import Runs
import SearchSpace
import TestSupport
import Testing

@Suite("Comparisons")
struct ComparisonTests {
    @Test("Networks are named after what was typed, and no two alike")
    func names() throws {
        let folder = try TemporaryFolder()
        let genotype = try KnownDesign.deeplabv3.genotype().json()
        for name in ["found", "a", "b"] {
            try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
        }
        for name in ["found/genotype.json", "a/random.json", "b/random.json"] {
            try genotype.write(to: URL(fileURLWithPath: folder.file(name)))
        }
        let arguments = [
            "deeplabv3:8", folder.file("found"), folder.file("found/genotype.json"), folder.file("a/random.json"),
            folder.file("b/random.json"), folder.file("a/../found/"),
        ]
        let networks = try ComparedNetwork.named(by: arguments)
        #expect(networks.map(\.name) == ["deeplabv3-8", "found", "found-2", "random", "random-2", "found-3"])
        #expect(networks.map(\.argument) == arguments)
        #expect(networks[0].choice.genotype?.layers == 8 && networks[3].choice.genotype?.layers == 12)
    }

    @Test("Each network with long skips is followed by the same without, where that is asked for")
    func skipAblation() throws {
        let networks = try ComparedNetwork.named(by: ["deeplabv3:8", "unet:4", "unet:7"], skipAblation: true)
        #expect(
            networks.map(\.name) == [
                "deeplabv3-8", "unet-4", "unet-4-without-skips", "unet-7", "unet-7-without-skips",
            ])
        #expect(networks.map { $0.choice.genotype?.hasSkips } == [false, true, false, true, false])
        #expect(networks[2].choice.genotype == networks[1].choice.genotype?.withoutSkips)
        #expect(try ComparedNetwork.named(by: ["unet:4"]).count == 1)
        let run = try InstantRun(.train)
        let line = failure {
            _ = try Comparison(
                ["deeplabv3:4"], run.configuration(), seeds: [0], split: "val", output: run.folder("c"),
                skipAblation: true, equalMultiplyAdds: true)
        }
        #expect(line == "none of the networks has long skips to leave out; name one that has, as unet:4")
    }

    @Test("What a configuration's network is said to cost is what is built", arguments: [3, 5])
    func builtParameters(filters: Int) throws {
        let run = try InstantRun(.train)
        let settings = ["train.filters=\(filters)", "train.stemChannels=[6, 10, 14]", "train.decoderChannels=12"]
        try run.run("a", settings)
        let model = try Model(at: run.folder("a"))
        let train = try run.configuration(settings).train
        let images = InputSpecification(classes: model.classes.count, height: 65, width: 97)
        let genotype = try #require(model.genotype)
        #expect(train.cost(of: genotype, on: images).parameters == model.network.store.parameterCount)
        // Not by chance: other widths are other parameters.
        let published = TrainConfiguration().cost(of: genotype, on: images)
        #expect(published.parameters != model.network.store.parameterCount)
    }

    @Test("Encoders are compared by their names, with what they cost")
    func encoders() throws {
        let run = try InstantRun(.train)
        let configuration = try run.configuration(["train.encoderWeights=none", "train.epochs=1"])
        let comparison = try Comparison(
            ["mobilenet-v2+light", "deeplabv3:4"], configuration, seeds: [1], split: "val",
            output: run.folder("compared"), equalMultiplyAdds: true)
        #expect(comparison.networks.map(\.name) == ["mobilenet-v2+light", "deeplabv3-4"])
        let (result, error) = try comparison.run(reporter: SilentReporter(), interruption: Interruption())
        #expect(error == nil && result.networks.allSatisfy { $0.mIOU != nil })
        let model = try Model(at: run.folder("compared/mobilenet-v2+light-seed1"))
        #expect(model.genotype == nil)
        #expect(result.networks[0].parameters == model.network.store.parameterCount)
        #expect((0.5...1.5).contains(result.networks[1].relativeMultiplyAdds))
    }

    @Test("Costs are counted for the first image, resized and padded to 32 n + 1")
    func evaluatedImages() throws {
        let run = try InstantRun(.train)
        #expect(
            try InputSpecification(run.configuration(), split: "val")
                == InputSpecification(classes: 7, height: 65, width: 65))
        #expect(
            try InputSpecification(run.configuration(["train.resize=2"]), split: nil)
                == InputSpecification(classes: 7, height: 97, width: 97))
    }
}
