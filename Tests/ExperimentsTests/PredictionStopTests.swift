import Deployment
import Foundation
import Inference
import Runs
import TestSupport
import Testing

@Suite("Predictions that are stopped")
struct PredictionStopTests {
    @Test("The table has the images whose masks are there; none is written where there are none")
    func measurements() throws {
        let run = try InstantRun(.train)
        try run.run("a", ["train.iterations=1", "train.filters=4"])
        let model = try Model(at: run.folder("a"))
        var options = PredictionOptions()
        options.measures = true
        func stopped(after images: Int?, _ name: String) -> [Substring]? {
            let watcher = Watcher(stopAfter: images)
            if images == nil { _ = watcher.interruption.requestStop(signal: SIGTERM) }
            #expect(throws: Interrupted.self) {
                _ = try predict(
                    model, inputs: [run.data + "/images/val"], output: run.folder(name), options: options,
                    reporter: watcher, interruption: watcher.interruption)
            }
            return (try? String(contentsOfFile: run.folder(name) + "/measurements.csv", encoding: .utf8))?
                .split(separator: "\n")
        }
        let table = try #require(stopped(after: 2, "two"))
        #expect(table.count == 1 + 2 * model.classes.count && table.last?.contains("0001.png") == true, "\(table)")
        #expect(stopped(after: nil, "none") == nil)
    }
}
