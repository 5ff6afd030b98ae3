import Comparisons
import Configurations
import Experiments
import Foundation
import Images
import Inference
import Networks
import Runs
import SearchSpace
import Testing
import Torch

/// Training, validation, evaluation, prediction and costs see images at one size.
@Suite("The size at which images are seen")
struct SeenSizeTests {
    @Test(
        "Validation and evaluation of one model measure the same",
        arguments: [["train.resize=0.75"], ["data.longerSide=40"], ["data.longerSide=70"]])
    func validationIsEvaluation(settings: [String]) throws {
        let run = try InstantRun(.train)
        try run.run("a", settings + ["train.validationImages=0", "train.epochs=1"])
        let logged = try #require(run.logged("a").last?["mIOU"])
        let model = try Model(at: run.folder("a"))
        let metrics = try evaluate(model, run.configuration(settings), split: nil, reporter: SilentReporter()).metrics
        #expect(abs(metrics.mIOU - logged) < 1e-6)
        // The model knows without the configuration, and so do costs.
        let own = try evaluate(model, run.configuration(), split: nil, reporter: SilentReporter()).metrics
        #expect(own.mIOU == metrics.mIOU)
        let seen = model.scaling.size(width: 48, height: 40)
        let images = try InputSpecification(run.configuration(settings), split: nil)
        #expect(
            images
                == InputSpecification(
                    classes: 7, height: (seen.height + 30) / 32 * 32 + 1, width: (seen.width + 30) / 32 * 32 + 1))
    }

    @Test("By a factor, or to a longer side; rounded, one pixel at least")
    func sizes() {
        let half = ImageScaling(factor: 0.5).size(width: 101, height: 1)
        #expect(half.width == 51 && half.height == 1)
        let longer = ImageScaling(factor: 0.5, longerSide: 60).size(width: 90, height: 120)
        #expect(longer.width == 45 && longer.height == 60)
    }

    @Test("Windows are counted: all of them, each at its own size")
    func windows() throws {
        var evaluate = EvaluateConfiguration()
        (evaluate.window, evaluate.overlap) = (65, 0.25)
        // 65 pixels, every 49: from 0, 49, 98 and 135 of 200 columns; 0 and 35 of 100 rows.
        let images = InputSpecification(
            classes: 7, height: 200, width: 400, scaling: ImageScaling(factor: 0.5), evaluate: evaluate)
        #expect(images.windows == 8 && images.height == 65 && images.width == 65)
        let layout = NetworkLayout(try KnownDesign.deeplabv3.genotype(layers: 3), filters: 4, classes: 7)
        let one = Cost(layout, height: 65, width: 65)
        let all = Cost(layout, on: images)
        #expect(all.multiplyAdds == 8 * one.multiplyAdds && all.parameters == one.parameters)
        // Without a wish for windows those of `predict` for large images.
        let large = InputSpecification(
            classes: 7, height: 3_000, width: 3_000, scaling: ImageScaling(), evaluate: EvaluateConfiguration())
        #expect(large.windows == 16 && large.height == 1_025)
    }

    @Test("What a run or a model says of itself is counted, and what is typed is more")
    func counted() throws {
        let run = try InstantRun(.train)
        try run.run("a", ["train.resize=2", "train.epochs=1", "train.filters=5"])
        let folder = run.folder("a")
        let configuration = try Configuration.resolve(file: folder + "/config.yaml")
        let own = try CountedNetwork(folder, configuration)
        #expect(own.images == InputSpecification(classes: 7, height: 97, width: 97))
        #expect(own.description.network.filters == 5)
        let model = try Model(at: folder)
        #expect(own.description.classes.names == model.classes.names)
        #expect(own.cost.parameters == model.network.store.parameterCount)
        // The model file alone, of an image that is resized by 2 and padded.
        var choices = CountedNetwork.Choices()
        choices.size = (40, 30)
        let file = try CountedNetwork(folder + "/model.safetensors", Configuration(), choices: choices)
        #expect(file.images == InputSpecification(classes: 7, height: 97, width: 65))
        (choices.filters, choices.classes) = (8, 3)
        let typed = try CountedNetwork(folder, configuration, choices: choices)
        #expect(typed.description.network.filters == 8 && typed.images.classes == 3)
        // Where the data are gone the crops of the training.
        try FileManager.default.removeItem(atPath: run.data)
        let alone = try CountedNetwork(folder, configuration)
        #expect(alone.images.classes == 7 && alone.images.width == (configuration.train.crop.width + 30) / 32 * 32 + 1)
        // A genotype has the configuration's training, and just the size that is typed.
        choices = CountedNetwork.Choices()
        choices.size = (64, 96)
        let genotype = try CountedNetwork("auto-deeplab", Configuration(), choices: choices)
        #expect(genotype.images == InputSpecification(classes: 19, height: 64, width: 96))
    }
}
