import Foundation
import Reporting
import SearchSpace
import Testing

/// What a training's report shows of its classes.
@Suite("Report of a training")
struct ReportTrainingTests {
    private func report(_ lines: [String], epochs: Int) -> RunReport {
        RunReport(
            kind: "train", name: "n", records: RunRecord.all(in: Data(lines.joined(separator: "\n").utf8)),
            epochs: epochs)
    }

    private func line(_ epoch: Int, loss: Double = 1, validation: Double = 2, mIOU: Double = 0.5, iou: String) -> String
    {
        """
        {"time": "t", "epoch": \(epoch), "step": \(epoch + 1), "loss": \(loss), "validationLoss": \(validation), \
        "mIOU": \(mIOU), "classIOU": [\(iou)]}
        """
    }

    @Test("Charts name their axes, count whole epochs from 1, and show both losses")
    func axes() {
        let html = report(
            [
                line(0, loss: 3, validation: 4, iou: "1, 0"), line(1, loss: 2, validation: 3, iou: "1, 0"),
                line(2, loss: 1, validation: 3.5, iou: "1, 0"),
            ], epochs: 3
        ).html()
        #expect(
            html.contains(
                "\"loss by epoch: training from 3 in epoch 1 to 1 in epoch 3; "
                    + "validation from 4 in epoch 1 to 3.5 in epoch 3\""))
        let charts = html.components(separatedBy: "<figure").dropFirst().filter { $0.contains(" by epoch") }
        #expect(charts.count == 2)
        for chart in charts {
            #expect(chart.contains("class=\"middle axis\">epoch</text>"))
            let ticks = chart.components(separatedBy: "class=\"middle\">").dropFirst().map { $0.prefix { $0 != "<" } }
            #expect(ticks == ["1", "2", "3"])
        }
        #expect(html.contains(">validation mIOU, 0 to 1</text>"))
        // Round epochs between the first and the last one.
        let long = report((0..<87).map { line($0, iou: "1, 0") }, epochs: 87).html()
        let marks =
            long.components(separatedBy: "aria-label=\"mIOU").last?.components(separatedBy: "</svg>").first ?? ""
        let texts = marks.components(separatedBy: "class=\"middle\">").dropFirst().map { $0.prefix { $0 != "<" } }
        #expect(texts == ["1", "20", "40", "60", "87"])
        // Pictures before drawings.
        var whole = report([line(0, iou: "1, 0")], epochs: 1)
        whole.genotype = Genotype(path: [.s4], cell: .published)
        whole.samples = Picture.png
        let sections = whole.html().components(separatedBy: "<h2>").dropFirst().map { $0.prefix { $0 != "<" } }
        #expect(sections == ["Samples", "Curves", "Classes", "Architecture"])
    }

    @Test("A class's row: the last epoch, all epochs, and each measurement")
    func classes() throws {
        var report = report(
            [line(0, iou: "0.25, null"), line(1, iou: "0.75, 0.5"), line(2, iou: "1, null")], epochs: 3)
        report.classes = [.init(name: "a & b", colour: "#0072b2"), .init(name: "rare", colour: "#e69f00")]
        var measurement = RunReport.Measurement(title: "test")
        measurement.iou = [0.125]
        report.measurements = [measurement]
        let html = report.html()
        let rows = html.components(separatedBy: "<tr><th scope=\"row\">").dropFirst()
        let first = try #require(rows.first { $0.contains("a &amp; b</th>") })
        #expect(first.hasPrefix("<i class=\"patch\" style=\"background:#0072b2\"></i>"))
        // From (2, 22) for 0 to (118, 2) for 1: three epochs lie 58 apart, 0.25 is 5 above the floor.
        #expect(first.contains("d=\"M2 17L60 7L118 2\"") && first.contains("\"0.250 to 1.000\""))
        #expect(first.contains(">1.000<i>") && first.contains(">0.125<i><b style=\"width:12.5%\">"))
        let second = try #require(rows.first { $0.contains("rare</th>") })
        #expect(second.contains("d=\"M60 12h.1\""))
        #expect(second.components(separatedBy: "<td>–</td>").count - 1 == 2)
        let order = ["class", "epoch 3", "by epoch", "test"].map { "<th scope=\"col\">\($0)</th>" }.joined()
        #expect(html.contains(order))
    }

    @Test("Classes' IoU is told to TensorBoard by name, absent ones are left out")
    func events() throws {
        let record = try #require(RunRecord(line: Data(line(0, iou: "0.25, null, 1").utf8)))
        #expect(record.classIOU == [0.25, nil, 1])
        let events = Dictionary(record.events(classes: ["road", "sky", "car"])) { $1 }
        guard case .scalar(0.25) = events["iou/road"], case .scalar(1) = events["iou/car"],
            case .scalar(2) = events["run/validationLoss"]
        else {
            Issue.record("missing among \(events.keys.sorted())")
            return
        }
        #expect(events["iou/sky"] == nil)
    }

    @Test("Of many classes the matrix has those that lose most, and the pairs are listed")
    func confusion() {
        var report = report([line(0, iou: "1")], epochs: 1)
        report.classes = (0..<40).map { .init(name: "class-\($0)", colour: "#000000") }
        var measurement = RunReport.Measurement(title: "validation")
        // Class i has i pixels taken for class 0, so classes 0 and 11 to 39 lose most.
        measurement.confusion = (0..<40).map { row in (0..<40).map { $0 == row ? 60 : $0 == 0 ? row : 0 } }
        report.measurements = [measurement]
        let html = report.html()
        #expect(html.contains("Without the 10 classes that lose the fewest pixels."))
        let drawing = html.components(separatedBy: "<h2>Confusion").last?.components(separatedBy: "</svg>").first ?? ""
        for index in 0..<40 { #expect(drawing.contains(">class-\(index)<") == (index == 0 || index > 10)) }
        // 39 of 99 pixels.
        #expect(
            html.contains(
                "class-39</th><td class=\"text\"><i class=\"patch\" style=\"background:#000000\"></i>"
                    + "class-0</td><td>39.4%</td>"))
        measurement.confusion = [[1, 2], [3]]
        report.measurements = [measurement]
        #expect(!report.html().contains("<h2>Confusion"))
    }

    @Test("Ten thousand epochs, or 255 classes, stay below two million bytes and keep a curve's peak")
    func long() {
        let lines = (0..<10_000).map { line($0, mIOU: $0 == 4_321 ? 1 : 0.5, iou: "0.5, 0.25") }
        let html = report(lines, epochs: 10_000).html()
        #expect(html.utf8.count < 200_000)
        // 1 is the top of the mIOU's axis, at 10.
        #expect(html.contains(" 10L") && html.contains("mIOU 1.0000 in epoch 4322"))

        let wide = (0..<300).map { epoch in
            line(epoch, iou: (0..<255).map { "\(Double(($0 * 7 + epoch * 13) % 101) / 101)" }.joined(separator: ", "))
        }
        var many = report(wide, epochs: 300)
        many.classes = (0..<255).map { .init(name: "class \($0)", colour: "#123456") }
        var measurement = RunReport.Measurement(title: "validation")
        measurement.iou = .init(repeating: 0.5, count: 255)
        measurement.confusion = (0..<255).map { row in (0..<255).map { (row * 31 + $0 * 17) % 97 } }
        many.measurements = [measurement]
        #expect(many.html().utf8.count < 1_000_000)
    }

    @Test("A long search of twelve layers stays below two million bytes")
    func longSearch() {
        let space = NetworkSpace(layers: 12)
        let lines = (0..<2_000).map { epoch in
            let alpha = (0..<20 * 8).map { _ in "0.125" }.joined(separator: ", ")
            let beta = space.arrows.map { "\(Double(($0.index + epoch) % 10) / 10)" }.joined(separator: ", ")
            return """
                {"time": "t", "epoch": \(epoch), "step": \(epoch), "loss": 1, "mIOU": 0.5, \
                "path": [4, 4, 4, 8, 16, 8, 16, 16, 32, 32, 16, 8], "alpha": [\(alpha)], "beta": [\(beta)]}
                """
        }
        let html = report(lines, epochs: 2_000).html()
        #expect(html.contains("<template data-epoch=\"2000\">") && html.utf8.count < 2_000_000)
    }
}
