import Configurations
import Deployment
import Experiments
import Foundation
import Images
import Inference
import Runs
import SearchSpace
import Segmentation
import TestSupport
import Testing
import Torch

/// Searches, trainings and predictions of images of four channels in two files.
@Suite("Images of other than 3 channels", .serialized)
struct ChannelRunTests {
    @Test("What a fourth channel alone shows is learnt from four channels and not from three")
    func learning() throws {
        let scenes = try ChannelScenes()
        let watcher = Watcher()
        let steps = [
            "train.iterations=240", "train.validateEvery=100", "train.schedule=cosine", "train.loss.dice=1",
            "train.dropoutKeep=1",
        ]
        try scenes.train("four", steps, watcher: watcher)
        #expect(watcher.noted.contains { $0.contains("4 channels with means 12") && $0.contains("normalised") })
        try scenes.train(
            "three", steps + ["data.channels=3", "data.splits.train=train3", "data.splits.val=val3"])
        func mIOU(_ name: String, _ settings: [String]) throws -> Double {
            try evaluate(
                Model(at: scenes.folder(name)), scenes.configuration(settings), split: nil, reporter: SilentReporter()
            ).metrics.mIOU
        }
        let (four, three) = (try mIOU("four", []), try mIOU("three", ["data.splits.val=val3"]))
        #expect(four > 0.75 && three < 0.6, "\(four) of four channels, \(three) of three")
    }

    @Test("Means and deviations are kept by checkpoint and model, and a stopped run goes on to the same bytes")
    func resuming() throws {
        let scenes = try ChannelScenes()
        try scenes.train("whole")
        let watcher = Watcher(stopAfter: 3)
        #expect(failure { try scenes.train("broken", watcher: watcher) }?.hasPrefix("stopped after step 3") == true)
        // What was measured is not measured again.
        let again = Watcher()
        try scenes.train("broken", resume: true, watcher: again)
        #expect(!again.noted.contains { $0.contains("normalised") })
        #expect(try scenes.checkpoint("broken") == scenes.checkpoint("whole"))
        let model = try Model(at: scenes.folder("whole"))
        #expect(model.channels == 4 && model.normalization.channels == 4)
        // By hand, over the training images.
        var (sum, count) = (0, 0)
        for index in 0..<16 {
            let pixels = try readImage(path: scenes.data + "/nir/train\(index).pgm", channels: 1).pixels
            sum += pixels.reduce(0) { $0 + Int($1) }
            count += pixels.count
        }
        #expect(abs(model.normalization.means[3] - Double(sum) / Double(count)) < 1e-9)
        let (_, metadata) = try loadTensors(scenes.folder("whole") + "/model.safetensors")
        #expect(metadata["preprocessing"] == "(x-mean)/deviation" && metadata["normalization"] != nil)
        let message = failure {
            try scenes.train(
                "broken", ["data.channels=3", "data.splits.train=train3", "data.splits.val=val3"], resume: true)
        }
        #expect(message?.contains("data.channels was 4 and is 3") == true, "\(message ?? "")")
    }

    @Test("Predictions of joined files, overlays of chosen channels, and evaluations with their pictures")
    func predicting() throws {
        let scenes = try ChannelScenes(bits: 16, train: 6, val: 2)
        try scenes.train("run", ["data.shown=[3]"])
        let model = try Model(at: scenes.folder("run"))
        #expect(model.shownChannels == [3] && model.range != nil)
        var options = PredictionOptions()
        (options.overlay, options.legend) = (true, false)
        let result = try predict(
            model, inputs: [scenes.image(0)], output: scenes.folder("masks"), options: options,
            reporter: SilentReporter())
        let files = scenes.image(0).split(separator: "+").map(String.init)
        let image = try readBands(paths: files, channels: 4, limits: ReadLimits(), range: model.range).image
        let mask = model.segment(image)
        #expect(try readMask(path: result.masks[0]) == mask)
        let expected = image.shown([3]).overlaid(
            with: mask, palette: model.classes.palette, background: model.classes.background)
        #expect(try readImage(path: scenes.folder("masks") + "/val0-overlay.png") == expected)
        options.shownChannels = [0, 1, 3]
        _ = try predict(
            model, inputs: [scenes.image(0)], output: scenes.folder("other"), options: options,
            reporter: SilentReporter())
        let other = try readImage(path: scenes.folder("other") + "/val0-overlay.png")
        #expect(
            other
                == image.shown([0, 1, 3]).overlaid(
                    with: mask, palette: model.classes.palette, background: model.classes.background))
        options.shownChannels = [0, 1, 4]
        #expect(
            failure {
                _ = try predict(
                    model, inputs: [scenes.image(0)], output: scenes.folder("none"), options: options,
                    reporter: SilentReporter())
            }?.contains("the model sees images of 4") == true)
        // A file that lacks a channel is told of, and the others are predicted.
        let watcher = Watcher()
        let some = try predict(
            model, inputs: [files[0], scenes.image(1)], output: scenes.folder("some"), reporter: watcher)
        #expect(
            some.failures == 1 && watcher.warnings.contains { $0.contains("has 3 channels, where data.channels is 4") })

        let evaluation = try evaluate(model, scenes.configuration(), split: nil, reporter: SilentReporter())
        try evaluation.write(to: scenes.folder("evaluation"))
        let worst = try readImage(path: scenes.folder("evaluation") + "/worst/1.png")
        // Of noise in colours, the picture of one channel is grey.
        #expect(worst[3, 3].red == worst[3, 3].green && worst[3, 3].green == worst[3, 3].blue)
        #expect(try String(contentsOfFile: scenes.folder("run") + "/README.md", encoding: .utf8).contains("| 4: mean "))
    }

    @Test(
        "Exported models take four channels and normalise bytes themselves",
        .enabled(if: Python.has("onnx", "onnxruntime"), Comment(rawValue: Python.missing)))
    func exporting() throws {
        let scenes = try ChannelScenes(train: 6, val: 2)
        try scenes.train("run", ["train.resize=0.75"])
        try export(Model(at: scenes.folder("run")), scenes)
        try scenes.trainEncoder("encoder", ["train.resize=0.75"])
        try export(Model(at: scenes.folder("encoder")), scenes)
    }

    private func export(_ model: Model, _ scenes: ChannelScenes) throws {
        for (takesBytes, givesLabels) in [(false, false), (true, true), (true, false)] {
            let options = try model.onnxOptions(
                size: .init(height: 40, width: 48), takesBytes: takesBytes, givesLabels: givesLabels)
            let path = scenes.folder("\(takesBytes)-\(givesLabels).onnx")
            try model.exportONNX(to: path, options: options)
            let check = try ONNXCheck(path, of: model, options: options, size: .init(height: 40, width: 48))
            #expect(try #require(check.difference) < (givesLabels ? 2e-3 : 1e-4), "\(takesBytes) \(givesLabels)")
        }
    }

    @Test("An encoder from scratch sees four channels, goes on after a stop, and is a start for others")
    func encoderFromScratch() throws {
        let scenes = try ChannelScenes(train: 6, val: 2)
        try scenes.trainEncoder("whole")
        #expect(failure { try scenes.trainEncoder("broken", watcher: Watcher(stopAfter: 3)) } != nil)
        try scenes.trainEncoder("broken", resume: true)
        #expect(try scenes.checkpoint("broken") == scenes.checkpoint("whole"))
        let model = try Model(at: scenes.folder("whole"))
        let card = try String(contentsOfFile: scenes.folder("whole") + "/README.md", encoding: .utf8)
        #expect(
            card.contains("| encoder | efficientnet-lite0, trained from scratch |") && !card.contains("encoder reads"))
        #expect(model.channels == 4 && model.network.store.state["encoder.stem.conv.weight"]?.shape[1] == 4)
        _ = try predict(model, inputs: [scenes.image(0)], output: scenes.folder("masks"), reporter: SilentReporter())
        let adopted = try scenes.configuration().adopting(model).configuration
        #expect(adopted.train.encoder.kind == .efficientNetLite0 && adopted.train.encoderWeights == "none")
        let watcher = Watcher()
        _ = try Training(
            nil, adopted, from: (model, "m"), folder: RunFolder(at: scenes.folder("next"), resume: false),
            reporter: watcher, interruption: watcher.interruption
        ).run()
        #expect(try Model(at: scenes.folder("next")).channels == 4)
    }

    @Test("The search, its resumption, and a training of what it found")
    func searching() throws {
        let scenes = try ChannelScenes(train: 8, val: 2)
        func search(_ name: String, resume: Bool = false, watcher: Watcher = Watcher()) throws -> Genotype {
            let folder = try RunFolder(at: scenes.folder(name), resume: resume)
            return try Search(
                scenes.configuration(["search.architecture.price=0.001"]), folder: folder, reporter: watcher,
                interruption: watcher.interruption
            ).run()
        }
        let genotype = try search("whole")
        #expect(failure { _ = try search("broken", watcher: Watcher(stopAfter: 3)) } != nil)
        #expect(try search("broken", resume: true) == genotype)
        #expect(try scenes.checkpoint("broken") == scenes.checkpoint("whole"))
        let folder = try RunFolder(at: scenes.folder("train"), resume: false)
        let watcher = Watcher()
        _ = try Training(
            genotype, scenes.configuration(["train.decoderStride=1"]), folder: folder, reporter: watcher,
            interruption: watcher.interruption
        ).run()
        #expect(try Model(at: scenes.folder("train")).network.store.state["stem.1.conv.weight"]?.shape[1] == 4)
    }

    @Test("What belongs to colours, or to other channels, is refused in one line")
    func refusals() throws {
        let scenes = try ChannelScenes(train: 4, val: 2)
        #expect(
            failure { try scenes.train("encoder", ["train.encoder=efficientnet-lite0"]) }?.hasPrefix(
                "train.encoder: efficientnet-lite0 has learnt from 3 channels, and data.channels is 4") == true)
        #expect(
            failure { try scenes.train("five", ["data.channels=5"]) }?.contains("4 channels, where data.channels is 5")
                == true)
        try scenes.train("four", ["train.iterations=1"])
        let settings = ["data.channels=3", "data.splits.train=train3", "data.splits.val=val3", "train.iterations=1"]
        let model = scenes.folder("four") + "/model.safetensors"
        #expect(
            failure { try scenes.train("teacher", settings + ["train.teacher=\(model)"]) }?.contains(
                "sees 4 channels, and data.channels is 3") == true)
        let message = failure {
            let folder = try RunFolder(at: scenes.folder("start"), resume: false)
            let watcher = Watcher()
            let start = try Model(at: model)
            _ = try Training(
                nil, scenes.configuration(settings).adopting(start).configuration, from: (start, model), folder: folder,
                reporter: watcher, interruption: watcher.interruption)
        }
        #expect(message?.contains("its network sees 4 channels, and data.channels is 3") == true, "\(message ?? "")")

        let (tensors, metadata) = try loadTensors(model)
        func damaged(_ change: (inout [String: String]) -> Void) throws -> String? {
            var other = metadata.filter { !["xxh64"].contains($0.key) }
            change(&other)
            let path = scenes.folder("damaged.safetensors")
            try saveTensors(tensors, metadata: other, to: path)
            return failure { _ = try Model(at: path) }
        }
        #expect(
            try damaged { $0["normalization"] = nil }?.contains("means of 3 channels, where the network sees 4") == true
        )
        #expect(
            try damaged { $0["normalization"] = "{\"means\":[1],\"deviations\":[0]}" }?.contains(
                "`normalization` holds no") == true)
        #expect(try damaged { $0["shown"] = "[9]" }?.contains("`shown` names channels") == true)
    }
}
