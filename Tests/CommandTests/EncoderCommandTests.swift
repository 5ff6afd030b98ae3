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

    @Test("Training, going on, evaluating, predicting and exporting need no genotype")
    func road() throws {
        let folder = try TemporaryFolder()
        let (scenes, run) = (folder.file("scenes"), folder.file("run"))
        func done(_ arguments: String...) throws {
            let result = try Command.run(
                arguments + (["data", "watch"].contains(arguments[0]) ? [] : ["--threads", "1"]))
            #expect(result.status == 0, "\(arguments): \(result.errors)")
        }
        try done("data", "demo", "--count", "10", "--output", scenes)
        try done(
            "train", "--preset", "instant", "--encoder", "efficientnet-lite0", "--decoder", "light", "--data", scenes,
            "--output", run, "-q", "--set", "train.encoderWeights=none", "--set", "train.lightChannels=8")
        try done("train", "--output", run, "--resume", "--set", "train.epochs=3", "-q")
        try done("evaluate", run, "--split", "test", "-q")
        try done("predict", run, scenes + "/images/test/0000.png", "--output", folder.file("masks"), "-q")
        try done("inspect", run)
        try done("inspect", run + "/model.safetensors")
        if Python.has("onnx", "onnxruntime") {
            try done("export", run, "--output", folder.file("m.onnx"), "--check")
            try done(
                "export", run, "--output", folder.file("b.onnx"), "--preprocess", "--argmax", "--check", "--size",
                "60x70")
        }
        if Python.has("coremltools") {
            try done("export", run, "--output", folder.file("m.mlpackage"), "--size", "64x96")
        }
        try done("watch", run, "--once")
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
