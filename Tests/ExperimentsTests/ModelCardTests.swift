import Experiments
import Foundation
import Inference
import Runs
import TestSupport
import Testing

@Suite("Model card")
struct ModelCardTests {
    private func card(_ run: InstantRun, _ name: String) throws -> String {
        try String(contentsOfFile: run.folder(name) + "/README.md", encoding: .utf8)
    }

    @Test("A training ends with a card; an evaluation puts its figures in")
    func card() throws {
        let run = try InstantRun(.train)
        try run.run("a", ["train.power=0.8", "card.license=CC-BY-4.0", "train.loss.dice=0.5"])
        let before = try card(run, "a")
        for wanted in [
            "# a\n", "of 7 classes", "CC-BY-4.0\n", "    train.power: 0.8\n",
            "schedule, cross entropy and Dice loss, settings", "20 steps, 2 epochs; seed 0",
            "\"path\": [4, 8, 16],", "| filters F | 4 |", "64, 64, 128; 8; 8; 4 |", "| folder | data |",
            "Evaluation: not made yet", "autodeeplab predict RUN", "let model = try Model(at: \"RUN\")",
        ] {
            #expect(before.contains(wanted), "\(wanted)")
        }
        // What is as ever is not listed, and where the data lie is nobody's business.
        #expect(!before.contains("train.momentum") && !before.contains(run.data))
        let logged = try #require(run.logged("a").compactMap { $0["mIOU"] }.max())
        #expect(before.contains("Validation: mIOU \(String(format: "%.4f", logged)) after epoch"))

        let model = try Model(at: run.folder("a"))
        let evaluation = try evaluate(model, try run.configuration(), split: "val", reporter: SilentReporter())
        let metrics = evaluation.metrics
        try evaluation.write(to: run.folder("a"))
        try writeModelCard(ofRun: run.folder("a"))
        let after = try card(run, "a")
        #expect(after.contains("| val | 4 | 1.0 | no | none | \(String(format: "%.4f", metrics.mIOU)) |"))
        #expect(metrics.classes.allSatisfy { after.contains("| \($0.name) | ") } && !after.contains("not made yet"))
    }

    @Test("Each split has an entry of its own, with how it was measured")
    func splits() throws {
        let run = try InstantRun(.train)
        try run.run("a")
        let folder = run.folder("a")
        let model = try Model(at: folder)
        var measured: [Metrics] = []
        for (split, settings) in [
            ("val", ["evaluate.flip=true"]), ("train", ["evaluate.scales=[0.5, 1]", "evaluate.window=33"]),
        ] {
            let evaluation = try evaluate(
                model, try run.configuration(settings), split: split, reporter: SilentReporter())
            try evaluation.write(to: folder)
            measured.append(evaluation.metrics)
        }
        #expect(measured.map(\.split) == ["val", "train"] && measured.map(\.images) == [4, 20])
        #expect(measured.map(\.flip) == [true, false] && measured.map(\.window) == [0, 33])
        #expect(measured.map(\.scales) == [[1], [0.5, 1]] && measured.map(\.resize) == [1, 1])
        func read(_ path: String) throws -> Metrics {
            try JSONDecoder().decode(Metrics.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/" + path)))
        }
        for metrics in measured {
            let kept = try read("splits/\(metrics.split)/metrics.json")
            #expect(kept.split == metrics.split && abs(kept.mIOU - metrics.mIOU) < 1e-12)
            for name in ["confusion.csv", "confusion.svg", "worst/1.png"] {
                #expect(FileManager.default.fileExists(atPath: folder + "/splits/\(metrics.split)/\(name)"))
            }
        }
        // The folder itself has the last one.
        #expect(try read("metrics.json").split == "train")
        try writeModelCard(ofRun: folder)
        let text = try card(run, "a")
        #expect(
            text.contains("| val | 4 | 1.0 | yes | none | ") && text.contains("| train | 20 | 0.5, 1.0 | no | 33 | "))
        #expect(RunPaths(folder: "r").split("../up").folder.hasSuffix("/r/splits/_..-up"))
    }

    @Test("A licence that is not given is not stated, and a folder without a model has no card")
    func missing() throws {
        let run = try InstantRun(.train)
        try run.run("a")
        #expect(try card(run, "a").contains("## Licence\n\nnot stated"))
        let error = failure { _ = try writeModelCard(ofRun: run.data) }
        #expect(
            error == run.data
                + "/model.safetensors: not there: perhaps this is the folder of a search, or of a training that has not written a model yet"
        )
    }
}
