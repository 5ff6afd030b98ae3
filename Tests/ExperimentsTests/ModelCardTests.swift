import Experiments
import Foundation
import Testing

@Suite("Model card")
struct ModelCardTests {
    private func card(_ run: InstantRun, _ name: String) throws -> String {
        try String(contentsOfFile: run.folder(name) + "/README.md", encoding: .utf8)
    }

    @Test("A training ends with a card; an evaluation puts its figures in")
    func card() throws {
        let run = try InstantRun(.train)
        try run.run("a", ["train.power=0.8", "card.license=CC-BY-4.0"])
        let before = try card(run, "a")
        for wanted in [
            "# a\n", "of 7 classes", "CC-BY-4.0\n", "    train.power: 0.8\n", "20 steps, 2 epochs; seed 0",
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
        #expect(after.contains("on 4 images: mIOU \(String(format: "%.4f", metrics.mIOU)),"))
        #expect(metrics.classes.allSatisfy { after.contains("| \($0.name) | ") } && !after.contains("not made yet"))
    }

    @Test("A licence that is not given is not stated, and a folder without a model has no card")
    func missing() throws {
        let run = try InstantRun(.train)
        try run.run("a")
        #expect(try card(run, "a").contains("## Licence\n\nnot stated"))
        let error = failure { _ = try writeModelCard(ofRun: run.data) }
        #expect(error == run.data + "/model.safetensors: not there; the training has not written a model yet")
    }
}
