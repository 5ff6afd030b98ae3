import Foundation
import TestSupport
import Testing

@Suite("Exit statuses")
struct StatusTests {
    static let faults: [(arguments: [String], status: Int32, line: String)] = [
        (["inspect"], 64, "Missing expected argument '<genotype>'"),
        (["inspect", "auto-deeplab", "--filters", "0"], 64, "--filters must be from 1 to 1024"),
        (["inspect", "auto-deeplab", "--size", "10"], 64, "The value '10' is invalid for '--size <HxW>'"),
        (["bogus"], 64, "Unexpected argument 'bogus'"),
        (
            ["inspect", "auto-deeplap"], 66,
            "auto-deeplap: neither a file nor a known network; did you mean 'auto-deeplab'? "
                + "(known: auto-deeplab, deeplabv3, conv-deconv, stacked-hourglass, unet)"
        ),
        (
            ["draw", "auto-deeplab", "--output", "/no/such/n.svg"], 73,
            "/no/such/n.svg: cannot create a file in /no/such: No such file or directory"
        ),
        (["doctor", "--config", "/no/such.yaml"], 66, "/no/such.yaml: there is no such file"),
        (
            ["doctor", "--preset", "demos"], 64,
            "unknown preset 'demos'; did you mean 'demo'? "
                + "(presets: ade20k, camvid-small, cityscapes, coco, demo, instant, voc)"
        ),
        (
            ["doctor", "--set", "search.layrs=3"], 64,
            "'search.layrs=3': unknown key 'search.layrs'; did you mean 'search.layers'?"
        ),
        (
            ["doctor", "--threads", "5000"], 64,
            "'threads=5000': threads: '5000' is out of range; expected a whole number from 0 to 4096"
        ),
    ]

    @Test("A fault is one line on standard error, nothing on standard output, and its status", arguments: faults)
    func fault(arguments: [String], status: Int32, line: String) throws {
        let result = try run(arguments)
        #expect(result.status == status)
        #expect(result.errors == "error: \(line)\n")
        #expect(result.output.isEmpty)
    }

    @Test("A faulty configuration file is bad data, named with its line")
    func configuration() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("seed: 1\nsearch:\n  layers: 1000\n", to: "c.yaml")
        let result = try Command.run("doctor", "--config", path)
        #expect(result.status == 65)
        #expect(result.errors.hasPrefix("error: \(path):3: search.layers: '1000' is out of range"))
    }

    @Test("Help and version are no errors")
    func help() throws {
        let version = try Command.run("--version")
        #expect(version.status == 0 && version.output == "0.1.0\n" && version.errors.isEmpty)
        let bare = try Command.run()
        let help = try Command.run("--help")
        #expect(bare.status == 0 && bare.output == help.output && help.errors.isEmpty)
    }

    /// The help is a promise: a change in it is to be seen in a review.
    @Test(
        "The help is that of the snapshot",
        arguments: ["inspect", "draw", "doctor", "data check", "data demo", "compare", "sample", "train"]
    )
    func snapshot(verb: String) throws {
        let result = try run(["help"] + verb.split(separator: " ").map(String.init))
        let name = verb.replacingOccurrences(of: " ", with: "-")
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Snapshots/\(name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] != nil {
            try Data(result.output.utf8).write(to: url)
        }
        #expect(try result.output == String(contentsOf: url, encoding: .utf8))
    }

    private func run(_ arguments: [String]) throws -> Command.Result {
        try Command.run(arguments)
    }
}
