import Configurations
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

/// Trainings that learn from a trained model beside the labels.
@Suite("Distillation", .serialized)
struct DistillationTests {
    private static let encoder = [
        "train.encoder=efficientnet-lite0", "train.encoderWeights=none", "train.decoder=light", "train.lightChannels=8",
    ]

    /// Generated scenes with a trained teacher, a genotype's unless settings say otherwise.
    private func taught(_ settings: [String] = ["train.filters=6", "seed=5"]) throws -> InstantRun {
        let instant = try InstantRun(.train)
        try train(instant, "teacher", settings)
        return instant
    }

    @discardableResult
    private func train(
        _ instant: InstantRun, _ name: String, _ settings: [String], resume: Bool = false, watcher: Watcher = Watcher()
    ) throws -> Watcher {
        let isEncoder = settings.contains(Self.encoder[0])
        let configuration = try instant.configuration(settings)
        try Training(
            resume || isEncoder ? nil : KnownDesign.deeplabv3.genotype(layers: 3), configuration,
            folder: RunFolder(at: instant.folder(name), resume: resume), reporter: watcher,
            interruption: watcher.interruption
        ).run()
        return watcher
    }

    private func teacher(_ instant: InstantRun, _ path: String = "teacher") -> String {
        "train.teacher=\(instant.folder(path))"
    }

    private func model(_ instant: InstantRun, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: instant.folder(name) + "/model.safetensors"))
    }

    @Test("A stop at any step goes on to the same bytes, with accumulated batches, auxiliary heads and averages too")
    func resume() throws {
        let instant = try taught()
        let settings = [
            teacher(instant), "train.distillation.weight=0.7", "train.distillation.temperature=2", "train.accumulate=2",
            "train.auxiliary.layers=[2]", "train.emaDecay=0.9", "train.iterations=7", "train.loss.ohemFraction=0.5",
        ]
        try train(instant, "whole", settings)
        for step in [2, 6] {
            #expect(throws: Interrupted.self) {
                try train(instant, "broken", settings, watcher: Watcher(stopAfter: step))
            }
            try train(instant, "broken", settings, resume: true)
            #expect(try instant.bytes("broken") == instant.bytes("whole"), "stopped after step \(step)")
            #expect(try instant.logged("broken") == instant.logged("whole"), "stopped after step \(step)")
            try FileManager.default.removeItem(atPath: instant.folder("broken"))
        }
    }

    @Test("A weight of 0 is a training without a teacher, to the byte of its model; another weight is another training")
    func weight() throws {
        let instant = try taught()
        try train(instant, "alone", [])
        try train(instant, "nothing", [teacher(instant), "train.distillation.weight=0"])
        try train(instant, "half", [teacher(instant)])
        #expect(try model(instant, "nothing") == model(instant, "alone"))
        #expect(try model(instant, "half") != model(instant, "alone"))
    }

    @Test(
        "Both kinds of network teach both, in 16 bits too", arguments: [[], encoder], ["float32", "bfloat16"])
    func kinds(teaching: [String], precision: String) throws {
        let instant = try taught(["seed=5"] + teaching)
        for (name, more) in [("genotype", []), ("encoder", Self.encoder)] {
            try train(
                instant, name, [teacher(instant), "precision=\(precision)", "train.distillation.weight=1"] + more)
            let losses = try instant.logged(name).compactMap { $0["loss"] }
            #expect(losses.count == 2 && losses.allSatisfy { $0.isFinite && $0 > 0 } && losses[1] < losses[0])
        }
    }

    @Test("A teacher's file alone is as good as its run, and it is told of and kept by its name and times")
    func record() throws {
        let instant = try taught()
        let file = instant.folder("teacher") + "/model.safetensors"
        let watcher = try train(instant, "a", ["train.teacher=\(file)", "train.distillation.weight=0.25"])
        #expect(watcher.noted.contains { $0.contains(" ms an image of 33x33, where the teacher takes ") })
        let card = try String(contentsOfFile: instant.folder("a") + "/README.md", encoding: .utf8)
        #expect(card.contains("A share of 0.25 of the loss compares with the scores of a teacher, teacher, at the"))
        let rows = [("| parameters |", 2), ("| multiply-adds at 33x33 |", 2), ("| ms an image on cpu, 1 thread |", 1)]
        for (row, count) in rows { #expect(card.components(separatedBy: row).count == count + 1, "\(row)") }
        let counts = try ["a", "teacher"].map { try Model(at: instant.folder($0)).network.store.parameterCount }
        #expect(counts[0] != counts[1] && card.contains("| parameters | \(counts[0]) | \(counts[1]) |"))
        // Where the teacher lies is nobody's business.
        #expect(!card.contains(instant.temporary.path))
        #expect(FileManager.default.fileExists(atPath: instant.folder("a") + "/teacher.json"))
        let names = try loadTensors(instant.folder("a") + "/model.safetensors").tensors.keys
        #expect(Set(names) == Set(try Model(at: instant.folder("a")).network.store.state.keys))
    }

    @Test("A run goes on with its own teacher alone")
    func otherTeacher() throws {
        let instant = try taught()
        let settings = [teacher(instant), "train.iterations=6"]
        #expect(throws: Interrupted.self) { try train(instant, "a", settings, watcher: Watcher(stopAfter: 2)) }
        let before = try instant.bytes("a")
        try train(instant, "other", ["train.filters=6", "seed=6"])
        // Another model in the same place.
        let place = instant.folder("teacher") + "/model.safetensors"
        let own = try Data(contentsOf: URL(fileURLWithPath: place))
        try model(instant, "other").write(to: URL(fileURLWithPath: place))
        let changed = failure { try train(instant, "a", settings, resume: true) }
        #expect(changed?.contains("the run's teacher was another model than teacher is now: put it back") == true)
        for (settings, words) in [
            ([teacher(instant, "other"), "train.iterations=6"], "teacher was another model than other is now"),
            (["train.iterations=6"], "teacher was another model than none is now"),
            (settings + ["train.distillation.weight=0.4"], "train.distillation.weight was 0.5 and is 0.4"),
        ] {
            let line = failure { try train(instant, "a", settings, resume: true) } ?? ""
            #expect(line.contains(words), "\(line)")
        }
        #expect(try instant.bytes("a") == before)
        // Written anew it is the same teacher, also in another place.
        try own.write(to: URL(fileURLWithPath: instant.folder("other") + "/model.safetensors"))
        try train(instant, "a", [teacher(instant, "other"), "train.iterations=6"], resume: true)
    }

    /// Expects one line about a teacher, and nothing left of the run.
    private func expectRefusal(_ instant: InstantRun, _ settings: [String], _ words: String...) throws {
        let line = failure { try train(instant, "refused", settings) } ?? ""
        #expect(!line.contains("\n") && words.allSatisfy(line.contains), "\(line)")
        #expect(!FileManager.default.fileExists(atPath: instant.folder("refused")))
    }

    @Test("Other classes, another order of them, and images at another size are refused")
    func others() throws {
        let instant = try taught()
        let path = instant.folder("teacher")
        let names = DemoScenes.classes.names
        func write(_ names: [String]) throws {
            try Data((names.joined(separator: "\n") + "\n").utf8)
                .write(to: URL(fileURLWithPath: instant.data + "/classes.txt"))
        }
        try write([names[1], names[0]] + names.dropFirst(2))
        try expectRefusal(
            instant, [teacher(instant)],
            "train.teacher: \(path) calls class 0 `\(names[0])`, the data `\(names[1])`: take a teacher of the same")
        try write(names + ["more"])
        try expectRefusal(
            instant, [teacher(instant)],
            "train.teacher: \(path) has \(names.count) classes, the data \(names.count + 1)")
        try write(names)
        try expectRefusal(
            instant, [teacher(instant), "train.resize=0.5"],
            "train.teacher: \(path) sees images resized by 1.0, this training sees them resized by 0.5: ")
        try expectRefusal(
            instant, [teacher(instant), "data.longerSide=40"], "this training sees them brought to a longer side of 40")
    }

    @Test("A teacher that is missing, damaged or no model is refused by the reader of models")
    func unreadable() throws {
        let instant = try taught()
        let path = instant.folder("bad.safetensors")
        try expectRefusal(instant, ["train.teacher=\(path)"], "\(path): ", "no such run or model file")
        try expectRefusal(instant, ["train.teacher=\(instant.data)"], "has not written a model yet")
        let whole = try model(instant, "teacher")
        for bytes in [Data(), Data("model".utf8), whole.prefix(whole.count / 2), whole + Data([0])] {
            try bytes.write(to: URL(fileURLWithPath: path))
            try expectRefusal(instant, ["train.teacher=\(path)"], "\(path): ")
        }
        var (tensors, metadata) = try loadTensors(instant.folder("teacher") + "/model.safetensors")
        metadata["xxh64"] = nil
        var huge = metadata
        huge["configuration"] = #"{"filters": 1024, "classes": 7}"#
        try saveTensors(tensors, metadata: huge, to: path)
        try expectRefusal(instant, ["train.teacher=\(path)"], "\(path): ", "values, where its network has ")
        let name = "decoder.logits.bias"
        tensors[name] = Tensor([Float](repeating: .nan, count: 7), shape: [7])
        try saveTensors(tensors, metadata: metadata, to: path)
        try expectRefusal(instant, ["train.teacher=\(path)"], "`\(name)` holds NaN or infinity")
    }
}
