import Foundation
import Runs
import TestSupport
import Testing

@Suite("Run log")
struct RunLogTests {
    @Test("Each line is a JSON object with time, epoch, step and the values")
    func lines() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.path, resume: false)
        let log = try RunLog(folder)
        try log.append(
            epoch: 0, step: 5,
            ["loss": 0.5, "bad": .number(.nan), "name": "a\"b\n\u{1}é", "count": 3, "list": .numbers([1, 2.5])])
        try log.append(epoch: 1, step: 9, ["loss": 1e-7])
        try log.synchronize()
        let lines = try temporary.text("log.jsonl").split(separator: "\n")
        #expect(lines.count == 2)
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(object["epoch"] as? Int == 0 && object["step"] as? Int == 5 && object["loss"] as? Double == 0.5)
        #expect(object["bad"] is NSNull)
        #expect(object["name"] as? String == "a\"b\n\u{1}é")
        #expect(object["list"] as? [Double] == [1, 2.5])
        let time = try isoDate(try #require(object["time"] as? String))
        #expect(abs(Date().timeIntervalSince(time)) < 60)
    }

    @Test("Resuming cuts log and metrics after the checkpoint's step, and a torn line with them")
    func truncation() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.path, resume: false)
        do {
            let log = try RunLog(folder)
            let metrics = try MetricsTable(folder)
            for step in 1...10 {
                try log.append(epoch: step / 5, step: step, ["loss": .number(1 / Double(step))])
                if step % 5 == 0 { try metrics.append(epoch: step / 5 - 1, step: step, ["mIOU": Double(step)]) }
            }
        }
        try folder.truncateLog(after: 20)
        try #expect(temporary.text("log.jsonl").split(separator: "\n").count == 10)
        try append("{\"time\": \"2026", to: folder.paths.log)
        try folder.truncateLog(after: 10)
        try #expect(temporary.text("log.jsonl").split(separator: "\n").count == 10)
        try folder.truncateLog(after: 7)
        let lines = try temporary.text("log.jsonl").split(separator: "\n")
        #expect(lines.count == 7 && lines[6].contains("\"step\": 7,"))
        try #expect(temporary.text("metrics.csv") == "epoch,step,mIOU\n0,5,5.0\n")
        try folder.truncateLog(after: 0)
        try #expect(temporary.text("log.jsonl").isEmpty)
        try #expect(temporary.text("metrics.csv") == "epoch,step,mIOU\n")
    }

    @Test("A log that is not there yet needs no cutting")
    func absent() throws {
        let temporary = try TemporaryFolder()
        try RunFolder(at: temporary.path, resume: true).truncateLog(after: 3)
    }

    @Test("A log that is opened again goes on behind its last whole line")
    func reopening() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.path, resume: false)
        try append("{\"step\": 1}\n{\"step\": 2", to: folder.paths.log)
        try RunLog(folder).append(epoch: 0, step: 2, [:])
        let lines = try temporary.text("log.jsonl").split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == "{\"step\": 1}" && lines[1].hasSuffix("\"step\": 2}"))
    }

    @Test("The table of metrics keeps its columns, and takes new ones")
    func metrics() throws {
        let temporary = try TemporaryFolder()
        let folder = try RunFolder(at: temporary.path, resume: false)
        try MetricsTable(folder).append(epoch: 0, step: 10, ["loss": 2, "mIOU": 0.25])
        let table = try MetricsTable(folder)
        try table.append(epoch: 1, step: 20, ["mIOU": 0.5])
        try table.append(epoch: 2, step: 30, ["loss": .infinity, "seconds": 3])
        try #expect(
            temporary.text("metrics.csv")
                == "epoch,step,loss,mIOU,seconds\n0,10,2.0,0.25,\n1,20,,0.5,\n2,30,,,3.0\n")
    }

    private func append(_ text: String, to path: String) throws {
        let old = FileManager.default.contents(atPath: path) ?? Data()
        try (old + Data(text.utf8)).write(to: URL(fileURLWithPath: path))
    }

    private func isoDate(_ text: String) throws -> Date {
        try Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    }
}
