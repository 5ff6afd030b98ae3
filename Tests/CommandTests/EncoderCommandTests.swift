import Foundation
import TestSupport
import Testing

/// Encoders in the built program.
@Suite(.serialized)
struct EncoderCommandTests {
    @Test("An encoder is counted by its name, with the decoder behind a plus sign")
    func inspect() throws {
        let result = try Command.run("inspect", "efficientnet-lite0+light", "--classes", "3", "--json")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object["encoder"] as? String == "efficientnet-lite0" && object["decoder"] as? String == "light")
        #expect(object["path"] == nil)
        let parts = try #require(object["parts"] as? [String: [String: Int]])
        #expect(parts["backbone"]?["parameters"] == 2_958_848)
        let table = try Command.run("inspect", "mobilenet-v2+deeplabv3+")
        #expect(table.output.hasPrefix("mobilenet-v2 with the decoder deeplabv3+, channels 256, 256, 48\n"))
        #expect(table.output.contains("encoder        1,811,712 parameters"))
    }

    /// Runs the program, which must do what it is told.
    private func done(_ arguments: String...) throws {
        let result = try Command.run(
            arguments + (["data", "watch"].contains(arguments[0]) ? [] : ["--threads", "1"]))
        #expect(result.status == 0, "\(arguments): \(result.errors)")
    }

    /// What is done with a trained network: it goes on, is measured, predicts, is shown and exported.
    private func expectUseful(_ run: String, _ scenes: String, _ folder: TemporaryFolder) throws {
        try done("train", "--output", run, "--resume", "--set", "train.epochs=3", "-q")
        try done("evaluate", run, "--split", "test", "-q")
        try done("predict", run, scenes + "/images/test/0000.png", "--output", folder.file("masks"), "-q")
        try done("inspect", run)
        if Python.has("onnx", "onnxruntime") {
            try done("export", run, "--output", folder.file("m.onnx"), "--check")
            try done(
                "export", run, "--output", folder.file("b.onnx"), "--preprocess", "--argmax", "--check", "--size",
                "60x70")
        }
        if Python.has("coremltools") {
            try done("export", run, "--output", folder.file("m.mlpackage"), "--size", "64x96")
        }
    }

    @Test("Training, going on, evaluating, predicting and exporting need no genotype")
    func road() throws {
        let folder = try TemporaryFolder()
        let (scenes, run) = (folder.file("scenes"), folder.file("run"))
        try done("data", "demo", "--count", "10", "--output", scenes)
        try done(
            "train", "--preset", "instant", "--encoder", "efficientnet-lite0", "--decoder", "light", "--data", scenes,
            "--output", run, "-q", "--set", "train.encoderWeights=none", "--set", "train.lightChannels=8")
        try expectUseful(run, scenes, folder)
        try done("inspect", run + "/model.safetensors")
        try done("watch", run, "--once")
    }

    @Test("A network on an encoder's first blocks is counted, drawn and sampled by its name")
    func stems() throws {
        let folder = try TemporaryFolder()
        let name = "efficientnet-lite0@4+deeplabv3:8"
        let result = try Command.run("inspect", name, "--classes", "3", "--json")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(object["stem"] as? String == "efficientnet-lite0@4" && object["layers"] as? Int == 8)
        let table = try Command.run("inspect", name)
        #expect(table.output.hasPrefix("stem efficientnet-lite0@4\n8 layers at strides 4 8 16 "))
        let plain = try Command.run("inspect", "deeplabv3:8", "--json")
        #expect(!plain.output.contains("stem"))
        #expect(try Command.run("draw", name, "--output", folder.file("a.svg")).status == 0)
        let drawing = try String(contentsOfFile: folder.file("a.svg"), encoding: .utf8)
        #expect(drawing.contains("efficientnet-lite0@4"))
        let wrong = try Command.run("inspect", "efficientnet-lite0@8+deeplabv3:8")
        #expect(wrong.status == 65 && wrong.output.isEmpty)
        #expect(wrong.errors.hasPrefix("error: stem: 'efficientnet-lite0@8' is not paper, "), "\(wrong.errors)")
        #expect(wrong.errors.filter(\.isNewline).count == 1)
        for (number, arguments) in [["--of", name], ["--set", "search.stem=efficientnet-lite0@4"]].enumerated() {
            let output = folder.file("random\(number)")
            let sampled = try Command.run(
                ["sample", "--count", "1", "--size", "65x65", "--output", output] + arguments)
            #expect(sampled.status == 0, "\(sampled.errors)")
            let text = try String(contentsOfFile: output + "/random-1.json", encoding: .utf8)
            #expect(text.contains("\"stem\": \"efficientnet-lite0@4\""))
        }
    }

    @Test("A search on an encoder's first blocks, and the training of what it finds, take every verb")
    func stemRoad() throws {
        let folder = try TemporaryFolder()
        let (scenes, search, run) = (folder.file("scenes"), folder.file("search"), folder.file("run"))
        let weights = ["--set", "train.encoderWeights=none"]
        try done("data", "demo", "--count", "10", "--output", scenes)
        try done(
            "search", "--preset", "instant", "--data", scenes, "--output", search, "-q", weights[0], weights[1],
            "--set",
            "search.stem=mobilenet-v2@4", "--set", "search.encoderLearningRate=1")
        try done("watch", search, "--once")
        try done(
            "train", "--preset", "instant", "--data", scenes, "--genotype", search, "--output", run, "-q", weights[0],
            weights[1])
        try expectUseful(run, scenes, folder)
        try done("bench", run, "--repetitions", "1")
    }

    @Test("A decoder of a genotype is trained, counted, drawn and exported from its file")
    func searchedDecoder() throws {
        let folder = try TemporaryFolder()
        let (scenes, run, file) = (folder.file("scenes"), folder.file("run"), folder.file("decoder.json"))
        let name = "nekrasov:8-0.0.4.9-1.2.7.10-0.5.1.4-3.3-3.1-5.0"
        let text = """
            {"version": 1, "kind": "decoder", "blocks": [[3, 3], [3, 1], [5, 0]], "node0": "separable5x5Rate6",
             "nodes": [[[0, "globalPool"], [0, "skip"]], [[1, "separable3x3Rate3"], [2, "none"]],
                       [[0, "conv3x3"], [5, "globalPool"]]]}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        func done(_ arguments: String...) throws -> String {
            let threads = ["data", "draw", "inspect"].contains(arguments[0]) ? [] : ["--threads", "1"]
            let result = try Command.run(arguments + threads)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return result.output
        }
        _ = try done("data", "demo", "--count", "10", "--output", scenes)
        _ = try done(
            "train", "--preset", "instant", "--encoder", "efficientnet-lite0", "--decoder", file, "--data", scenes,
            "--output", run, "-q", "--set", "train.encoderWeights=none", "--set", "train.cellChannels=6")
        try FileManager.default.removeItem(atPath: file)
        // The run has the genotype itself.
        _ = try done("train", "--output", run, "--resume", "--set", "train.epochs=3", "-q")
        let configuration = try String(contentsOfFile: run + "/config.yaml", encoding: .utf8)
        #expect(configuration.contains("decoder: \(name)\n"))
        let card = try String(contentsOfFile: run + "/README.md", encoding: .utf8)
        #expect(card.contains("| decoder | \(name) |") && card.contains("    \"node0\": \"separable5x5Rate6\","))
        #expect(try String(contentsOfFile: run + "/report.html", encoding: .utf8).contains("sep 5×5 r6"))
        _ = try done("evaluate", run, "--split", "test", "-q")
        _ = try done("predict", run, scenes + "/images/test/0000.png", "--output", folder.file("masks"), "-q")
        let table = try done("inspect", run)
        #expect(table.contains("with the decoder \(name), channels 6\n"))
        #expect(table.contains("\nnode1 = globalPool(input) + skip(input)\n"))
        #expect(table.contains("\nclasses from block1, block3 at stride 4\n"))
        for (index, argument) in [run, "nekrasov:arch1", "mobilenet-v2+nekrasov:arch2"].enumerated() {
            _ = try done("draw", argument, "--output", folder.file("\(index).svg"))
            let svg = try String(contentsOfFile: folder.file("\(index).svg"), encoding: .utf8)
            #expect(svg.contains("concat") && svg.contains("block 3"))
        }
        if Python.has("onnx", "onnxruntime") {
            _ = try done("export", run, "--output", folder.file("m.onnx"), "--check")
        }
        if Python.has("coremltools") {
            _ = try done("export", run, "--output", folder.file("m.mlpackage"), "--size", "64x96")
        }
    }

    @Test("A decoder that is none is told of in one line, and nothing is left")
    func wrongDecoders() throws {
        let folder = try TemporaryFolder()
        try Data("{\"version\": 1, \"kind\": \"decoder\", \"blocks\": [[3, 4]]}".utf8)
            .write(to: URL(fileURLWithPath: folder.file("d.json")))
        for (decoder, message) in [
            ("ligth", "ligth: neither a file nor a known decoder; did you mean 'light'? (known: unet, "),
            ("d.json", "d.json: node0: the key is missing"),
            (
                "nekrasov:arch7",
                "unknown decoder 'nekrasov:arch7'; use nekrasov:arch0, nekrasov:arch1 or nekrasov:arch2, "
            ),
            ("nekrasov:8-0.0.5.2-0.2.8.8-0.5.1.4-3.4-3.2-3.0", ": blocks[0][1]: there is no map 4; use 0 to 3 "),
        ] {
            let result = try Command.run(
                ["train", "--encoder", "mobilenet-v2", "--decoder", decoder, "--data", "x", "--output", "run"],
                in: folder.path)
            #expect(result.status != 0 && result.output.isEmpty)
            #expect(result.errors.filter(\.isNewline).count == 1 && result.errors.contains(message), "\(result.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.file("run")))
        }
        let genotype = try Command.run(["inspect", "d.json"], in: folder.path)
        #expect(genotype.status != 0 && genotype.errors.contains("but a decoder's, which goes with an encoder"))
        let setting = try Command.run("train", "--set", "train.decoder=nekrasov:arch9", "--print-config")
        #expect(setting.status != 0 && setting.errors.contains("or a genotype's numbers"), "\(setting.errors)")
    }

    @Test("Weights that are nowhere are told of in one line, and nothing is left")
    func noWeights() throws {
        let folder = try TemporaryFolder()
        let scenes = folder.file("scenes")
        #expect(try Command.run("data", "demo", "--count", "5", "--output", scenes).status == 0)
        let result = try Command.run(
            [
                "train", "--preset", "instant", "--encoder", "mobilenet-v2", "--data", scenes, "--output", "run", "-q",
            ], in: folder.path)
        #expect(result.status == 66 && result.output.isEmpty)
        #expect(result.errors.hasPrefix("error: ") && result.errors.filter(\.isNewline).count == 1, "\(result.errors)")
        #expect(result.errors.contains("no weights of mobilenet-v2 here, nor in "))
        let both = try Command.run("train", "--encoder", "mobilenet-v2", "--genotype", "deeplabv3", "--output", "x")
        #expect(both.status == 64 && both.errors.contains("Give --genotype or --encoder, not both"))
        let none = try Command.run("train", "--data", scenes, "--output", folder.file("y"))
        #expect(none.status == 64 && none.errors.contains("--encoder NAME"), "\(none.errors)")
    }
}
