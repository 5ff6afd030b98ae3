import Foundation
import Reporting
import SearchSpace
import Testing

/// Lines of a log with numbers that no run has: a report is drawn all the same.
@Suite("Forged logs")
struct ForgedLogTests {
    private func line(epoch: Int, alpha: String = "0.125", loss: String = "1") -> String {
        let edges = [String](
            repeating: "[" + [String](repeating: alpha, count: 8).joined(separator: ", ") + "]", count: 2)
        let flat = edges.joined(separator: ", ").replacing("[", with: "").replacing("]", with: "")
        return """
            {"epoch": \(epoch), "step": 7, "loss": \(loss), "mIOU": \(loss), "learningRate": \(loss), \
            "classIOU": [\(loss), null], "alphaEntropy": \(loss), "path": [4.0, 8.0], "alpha": [\(flat)], \
            "beta": [\(alpha), \(alpha), \(alpha), \(alpha), \(alpha), \(alpha)]}
            """
    }

    @Test("Epochs and steps that no run has make no record", arguments: [Int.max, Int.min, -1, 1_000_000_001])
    func places(epoch: Int) {
        #expect(RunRecord(line: Data(line(epoch: epoch).utf8)) == nil)
        #expect(
            RunRecord(line: Data("{\"epoch\": 1, \"step\": \(epoch == 1_000_000_001 ? Int.max : epoch)}".utf8)) == nil)
    }

    @Test(
        "Shares and losses of any size are drawn",
        arguments: ["1e300", "-1e300", "1.7976931348623157e308", "-1.7976931348623157e308", "1e19", "5e-324"])
    func sizes(value: String) {
        let lines = [line(epoch: 0, alpha: value, loss: value), line(epoch: 3), line(epoch: 4, loss: "-\(value)")]
        let records = RunRecord.all(in: Data(lines.joined(separator: "\n").replacing("--", with: "").utf8))
        #expect(records.count == 3)
        var report = RunReport(kind: "search", name: "n", records: records, epochs: 5)
        report.classes = [.init(name: "a", colour: "#000000")]
        let html = report.html()
        #expect(html.contains("</html>") && !html.contains("nan ") && !html.contains("inf "))
    }

    @Test(
        "Gates of any size and number are drawn, as long skips where they fit",
        arguments: [
            ("[1e300]", true), ("[0.75]", true), ("[-1e300]", false), ("[1, 1]", false), ("[null]", false),
            ("[]", false),
        ])
    func gates(gates: String, skips: Bool) throws {
        let alpha = [String](repeating: "0.125", count: 16).joined(separator: ", ")
        let beta = NetworkSpace(layers: 3).arrows.map { _ in "0.5" }.joined(separator: ", ")
        let line = """
            {"epoch": 0, "step": 7, "path": [8, 8, 4], "alpha": [\(alpha)], "beta": [\(beta)], "gates": \(gates)}
            """
        let record = try #require(RunRecord(line: Data(line.utf8)))
        #expect(record.genotype?.skips == [nil, nil, skips ? 0 : nil])
        let html = RunReport(kind: "search", name: "n", records: [record], epochs: 1).html()
        #expect(html.contains("</html>") && html.contains(">long skip<") == skips)
    }

    @Test("Epochs that fall are drawn")
    func falling() {
        let lines = [line(epoch: 1_000_000_000), line(epoch: 5), line(epoch: 0)]
        let records = RunRecord.all(in: Data(lines.joined(separator: "\n").utf8))
        #expect(records.count == 3)
        #expect(RunReport(kind: "search", name: "n", records: records, epochs: 5).html().contains("</html>"))
    }
}
