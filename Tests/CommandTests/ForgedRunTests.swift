import Foundation
import TestSupport
import Testing

/// Run folders whose files hold numbers that no run has.
@Suite("Forged run folders")
struct ForgedRunTests {
    /// A line of a search's log, whose shares are all of one size.
    private static func line(epoch: Int, share: String) -> String {
        let alpha = [String](repeating: share, count: 16).joined(separator: ", ")
        return "{\"epoch\": \(epoch), \"step\": 1, \"path\": [4, 8], \"alpha\": [\(alpha)], "
            + "\"beta\": [\(share), 1, 1, 1, 1, 1]}"
    }

    static let logs: [String] = [
        "{\"epoch\": 9223372036854775807, \"step\": 1, \"loss\": 1}",
        "{\"epoch\": 0, \"step\": 9223372036854775807, \"loss\": 1}",
        "{\"epoch\": 7, \"step\": 1, \"loss\": 1}\n{\"epoch\": -9223372036854775808, \"step\": 1, \"loss\": 2}",
        line(epoch: 0, share: "1e300"), line(epoch: 3, share: "1.7e308") + "\n" + line(epoch: 1, share: "1.7e308"),
    ]

    @Test("`report` and `watch` show what can be shown of any log", arguments: logs)
    func log(text: String) throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("train:\n  iterations: 1000000000\n", to: "config.yaml")
        _ = try folder.write(text + "\n", to: "log.jsonl")
        for verb in ["report", "watch"] {
            let result = try Command.run(verb, folder.path)
            #expect(result.status == 0 && result.errors.isEmpty, "\(verb): \(result.status) \(result.errors)")
        }
    }

    @Test("`watch` shows any status")
    func status() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("seed: 1\n", to: "config.yaml")
        for (completed, total) in [(Int.max, 1), (Int.min, Int.max), (Int.max, Int.max)] {
            let text = """
                {"stage": "search", "unit": "step", "total": \(total), "completed": \(completed), "position": "",
                 "values": [{"name": "loss", "value": 1e308}], "path": [4], "memory": \(Int.min), "rate": 1e-320,
                 "secondsLeft": 1e308}
                """
            _ = try folder.write(text, to: "status.json")
            let result = try Command.run("watch", folder.path)
            #expect(result.status == 0 && result.output.hasPrefix("search "), "\(result.status) \(result.errors)")
        }
    }

    @Test("`report` shows any figures of an evaluation and of a comparison")
    func figures() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("seed: 1\n", to: "config.yaml")
        let huge = Int.max
        let metrics = """
            {"split": "val", "scales": [1e308], "flip": true, "window": \(huge), "overlap": 1e308, "resize": -1e308,
             "mIOU": 1e308, "frequencyWeightedIOU": 1, "pixelAccuracy": 1, "meanAccuracy": -1e308, "images": \(Int.min),
             "seconds": 1e308, "worst": [{"name": "a", "image": "b", "mIOU": 1e308, "picture": "c"}],
             "classes": [{"name": "a", "iou": 1e308, "pixels": \(huge)}, {"name": "b", "pixels": \(Int.min)}]}
            """
        _ = try folder.write(metrics, to: "metrics.json")
        _ = try folder.write("a,1125899906842623,1125899906842623\nb,1125899906842623,1\n", to: "confusion.csv")
        let comparison = """
            {"split": "val", "size": [\(huge), \(huge)], "seeds": [\(huge), \(Int.min)], "evaluation": {},
             "networks": [{"name": "a", "genotype": "a", "filters": \(huge), "parameters": \(huge), "spread": 1e308,
              "multiplyAdds": \(Int.min), "relativeMultiplyAdds": 1e308, "mIOU": 1e308, "runs":
              [{"seed": 1, "folder": "x", "mIOU": 1e308, "threads": \(huge)}]}]}
            """
        _ = try folder.write(comparison, to: "compare.json")
        let result = try Command.run("report", folder.path)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.status) \(result.errors)")
    }
}
