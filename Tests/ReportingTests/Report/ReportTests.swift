import Foundation
import Reporting
import SearchSpace
import Testing

@Suite("Report")
struct ReportTests {
    @Test("Records are read with their architecture, and other lines passed over")
    func reading() throws {
        let records = [RunRecord].search(2)
        #expect(records.count == 2 && records[1].epoch == 1 && records[1].step == 14)
        #expect(records[1].values["loss"] == 1 && records[1].values["epoch"] == nil)
        let genotype = try #require(records[1].genotype)
        #expect(genotype.path == [.s4, .s8, .s8] && genotype.blocks == 2)
        #expect(genotype.cell.blocks.allSatisfy { $0.branches.allSatisfy { $0.op == .skip } })
        let broken = try #require(
            RunRecord(line: Data("{\"epoch\": 0, \"step\": 1, \"path\": [4], \"alpha\": [1]}".utf8)))
        #expect(broken.genotype == nil && broken.alpha == nil)
    }

    @Test("The page is one file, well formed, with a frame for at most 24 epochs")
    func page() throws {
        var report = RunReport(kind: "search", name: "a <b> & c", records: [RunRecord].search(40), epochs: 40)
        report.configuration = "seed: 1\n# <script>alert(1)</script>\n"
        report.comparison = [.init(name: "this run", parameters: 2_500_000, multiplyAdds: 3_000_000_000, mIOU: 0.5)]
        report.classes = [.init(name: "<road>", colour: "#0072b2"), .init(name: "sky", colour: "\"><script>alert(2)")]
        report.samples = Picture.png
        var measurement = RunReport.Measurement(title: "<script>alert(3)</script>")
        measurement.iou = [0.25, nil]
        measurement.confusion = [[3, 1], [1, 0]]
        measurement.worst = [.init(caption: "\" onload=<script>alert(4)", data: Picture.png)]
        report.measurements = [measurement]
        report.environment = [("device", "cpu")]
        let html = report.html()
        #expect(!html.contains("http://") || !html.replacing("http://www.w3.org", with: "").contains("http://"))
        #expect(!html.contains("https://") && !html.contains("src=\"/") && !html.contains("<link"))
        #expect(!html.contains("<script>alert") && html.contains("a &lt;b&gt; &amp; c"))
        #expect(html.contains("&quot; onload=&lt;script&gt;") && html.contains("&lt;road&gt;"))
        #expect(html.components(separatedBy: "<template data-epoch=").count - 1 == 24)
        #expect(html.contains("<template data-epoch=\"1\">") && html.contains("<template data-epoch=\"40\">"))
        #expect(
            html.contains("finished, 40 epochs · best validation mIOU 0.5000 in epoch 1")
                && !html.contains("data-refresh=\"30\""))
        #expect(html.contains("<td>2.50</td><td>3.00</td><td>0.5000</td>"))
        #expect(html.contains("aria-label=\"loss by epoch: training from 2 in epoch 1 to 0.05 in epoch 40\""))
    }

    @Test("Every operator has a colour of its own on light and dark pages")
    func colours() {
        let html = RunReport(kind: "search", name: "n", records: [RunRecord].search(2), epochs: 2).html()
        for op in Operator.allCases {
            #expect(html.contains(".c\(op.index) { --k: var(--c\(op.index)); }"), "\(op)")
            let colours = html.components(separatedBy: "--c\(op.index): ").dropFirst().map { $0.prefix(7) }
            #expect(Set(colours).count == 2, "\(op)")
        }
    }

    @Test("A run that goes on refreshes itself; one without an epoch says so")
    func unfinished() {
        #expect(
            RunReport(kind: "search", name: "n", records: [RunRecord].search(2), epochs: 40).html()
                .contains("<body data-refresh=\"30\">"))
        let empty = RunReport(kind: "train", name: "n", records: [], epochs: nil).html()
        #expect(empty.contains("The first epoch is not over yet."))
    }

    @Test("Events of a record: numbers, and a distribution for each operator and move")
    func events() throws {
        let record = try #require([RunRecord].search(1).first)
        let events = Dictionary(record.events(classes: ["road", "sky"])) { $1 }
        #expect(!events.keys.contains { $0.hasPrefix("iou/") })
        guard case .scalar(2) = events["run/loss"], case .shares(let skips) = events["alpha/skip"],
            case .scalar(let share) = events["operators/skip"], case .shares(let ups) = events["beta/up"]
        else {
            Issue.record("missing among \(events.keys.sorted())")
            return
        }
        #expect(skips == [Double](repeating: 0.2, count: 5) && abs(share - 0.2) < 1e-12)
        // Three layers: 8 to 4 into layers 2 and 3, 16 to 8 into layer 3.
        #expect(ups.count == 3)
        #expect(events.keys.filter { $0.hasPrefix("alpha/") }.count == 8)
    }
}

/// A PNG of one pixel.
enum Picture {
    static let png =
        Data(
            base64Encoded:
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
        ?? Data()
}

extension [RunRecord] {
    /// A line of a search's log over 3 layers and 2 blocks, in which `share` of the operators' weight is on skip.
    private static func line(epoch: Int, share: Double, mIOU: Double? = nil) -> String {
        let edges = 5
        let rest = (1 - share) / 7
        let alpha = (0..<edges * 8).map { $0 % 8 == 6 ? share : rest }
        let beta = [Double](repeating: 0.5, count: NetworkSpace(layers: 3).arrows.count)
        let score = mIOU.map { ", \"mIOU\": \($0)" } ?? ""
        return """
            {"time": "t", "epoch": \(epoch), "step": \((epoch + 1) * 7), "loss": \(2.0 / Double(epoch + 1))\(score), \
            "path": [4.0, 8.0, 8.0], "alpha": \(alpha), "beta": \(beta)}
            """
    }

    /// Records of so many epochs.
    static func search(_ count: Int) -> [RunRecord] {
        let text = (0..<count).map { line(epoch: $0, share: 0.2 + 0.01 * Double($0), mIOU: 0.5) }.joined(
            separator: "\n")
        return RunRecord.all(in: Data((text + "\nno record\n").utf8))
    }
}
