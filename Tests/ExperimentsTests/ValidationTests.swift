import Experiments
import Foundation
import Images
import Testing
import Torch

/// What a run measures of its validation, and where it tells it.
@Suite("Validation of a run")
struct ValidationTests {
    @Test("The loss is the mean cross entropy of the labelled pixels of all images")
    func loss() throws {
        var loss = PixelLoss()
        #expect(loss.mean() == nil)
        // Two classes with scores a and b: the cross entropy of the first is log(1 + exp(b - a)).
        let first = Tensor([Float](arrayLiteral: 2, 0, 0, 1), shape: [1, 2, 1, 2])
        loss.add(labels: Mask(width: 2, height: 1, labels: [0, 255]), areProbabilities: false) { rows in
            #expect(rows == 0..<1)
            return first
        }
        let softplus = Foundation.log(1 + Foundation.exp(-2.0))
        let found = try #require(loss.mean())
        #expect(abs(found - softplus) < 1e-6)
        // Probabilities of 0.25 and 0.5 for what is labelled, in a second image of two pixels.
        let second = Tensor([Float](arrayLiteral: 0.25, 0.5, 0.75, 0.5), shape: [1, 2, 2, 1])
        loss.add(labels: Mask(width: 1, height: 2, labels: [0, 1]), areProbabilities: true) { _ in second }
        let both = try #require(loss.mean())
        #expect(abs(both - (softplus + Foundation.log(4.0) + Foundation.log(2.0)) / 3) < 1e-6)
    }

    @Test("Images of many rows are added strip by strip with the same sum")
    func strips() throws {
        var loss = PixelLoss()
        let (width, height) = (1 << 17, 5)
        let mask = Mask(width: width, height: height, labels: [UInt8](repeating: 1, count: width * height))
        var asked: [Range<Int>] = []
        loss.add(labels: mask, areProbabilities: false) { rows in
            asked.append(rows)
            return Tensor.zeros([1, 4, rows.count, width])
        }
        #expect(asked == [0..<2, 2..<4, 4..<5])
        let mean = try #require(loss.mean())
        #expect(abs(mean - Foundation.log(4.0)) < 1e-5)
    }

    @Test("A run logs loss and classes, and a training's report shows them", arguments: InstantRun.Stage.allCases)
    func logged(stage: InstantRun.Stage) throws {
        let run = try InstantRun(stage)
        try run.run("run")
        let folder = run.folder("run")
        let names = try run.configuration().data.dataset().classes.names
        let log = try String(contentsOfFile: folder + "/log.jsonl", encoding: .utf8).split(separator: "\n")
        let line = try #require(log.last)
        let last = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        let loss = try #require(last["validationLoss"] as? Double)
        #expect(loss > 0 && loss < 20)
        let all = try #require(last["classIOU"] as? [Any])
        #expect(all.count == names.count)
        // mIOU is the mean over the classes that are there.
        let present = all.compactMap { $0 as? Double }
        let mIOU = try #require(last["mIOU"] as? Double)
        #expect(abs(present.reduce(0, +) / Double(present.count) - mIOU) < 1e-9)
        let table = try String(contentsOfFile: folder + "/metrics.csv", encoding: .utf8).split(separator: "\n")
        let head = table[0].split(separator: ",").map(String.init)
        #expect(head.contains("validationLoss") && head.suffix(names.count) == names.map { "iou." + $0 })
        #expect(table.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == head.count })

        let html = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        let sections = html.components(separatedBy: "<h2>").dropFirst().map { $0.prefix { $0 != "<" } }
        #expect(sections.starts(with: ["Samples", "Curves"]) && sections.contains("Classes"))
        #expect(html.contains("<ul class=\"legend\"") && html.contains("validation from "))
        #expect(sections.contains("Confusion") == (stage == .train))
        #expect(sections.contains("Worst images") == (stage == .train))
        #expect(html.utf8.count < 2_000_000)
        guard stage == .train else { return }
        // The files of an evaluation, of the epoch whose weights the model file has.
        let metrics = try JSONDecoder().decode(
            Metrics.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/validation/metrics.json")))
        let best = try #require(run.logged("run").compactMap { $0["mIOU"] }.max())
        #expect(abs(metrics.mIOU - best) < 1e-12 && metrics.classes.map(\.name) == names)
        #expect(FileManager.default.fileExists(atPath: folder + "/validation/worst/1.png"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/metrics.json"))

        // Evaluations have these files too, a folder a split; damaged ones are passed over.
        try FileManager.default.createDirectory(atPath: folder + "/splits/broken", withIntermediateDirectories: true)
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder + "/splits/broken/metrics.json"))
        for split in ["test", "<val>"] {
            try FileManager.default.copyItem(atPath: folder + "/validation", toPath: folder + "/splits/" + split)
        }
        try writeReport(ofRun: folder)
        let later = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        let parts = later.components(separatedBy: "<h3>").dropFirst().map { $0.components(separatedBy: "</h3>")[0] }
        // The matrix and the worst images of each.
        #expect(parts == ["best epoch", "&lt;val&gt;", "test", "best epoch", "&lt;val&gt;", "test"])
        #expect(!later.contains("broken") && later.contains("<ul class=\"legend\""))
    }
}
