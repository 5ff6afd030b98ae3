import Foundation
import Images
import TestSupport
import Testing

/// The commands on images of four channels in two files.
@Suite("Commands on images of other than 3 channels", .serialized)
struct ChannelCommandTests {
    private let folder: TemporaryFolder
    private let width = 40
    private let height = 36

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("ground\nthing\n".utf8, to: "data/classes.txt")
        try folder.write("channels: 4\nshown: [3]\n".utf8, to: "data/data.yaml")
        for (split, numbers) in [("train", 0..<6), ("val", 6..<8), ("test", 8..<10)] {
            var lines: [String] = []
            for index in numbers {
                let name = "\(split)\(index)"
                let head = "\(width) \(height) 255\n"
                let places = (0..<width * height).map { (x: $0 % width, y: $0 / width) }
                let isThing = places.map { $0.x > 8 + index && $0.x < 28 && $0.y > 10 && $0.y < 25 }
                try folder.write(
                    Array("P6 \(head)".utf8) + (0..<width * height * 3).map { UInt8(($0 * 37 + index * 11) % 251) },
                    to: "data/rgb/\(name).ppm")
                try folder.write(
                    Array("P5 \(head)".utf8) + isThing.enumerated().map { ($1 ? 90 : 20) + UInt8($0 % 7) },
                    to: "data/nir/\(name).pgm")
                try folder.write(Array("P5 \(head)".utf8) + isThing.map { $0 ? 1 : 0 }, to: "data/masks/\(name).pgm")
                lines.append("rgb/\(name).ppm+nir/\(name).pgm masks/\(name).pgm")
            }
            try folder.write(lines.joined(separator: "\n").utf8, to: "data/\(split).txt")
        }
    }

    @Test("Check, training, evaluation, prediction and costs")
    func commands() throws {
        let data = folder.file("data")
        let check = try Command.run("data", "check", data, "-q")
        #expect(check.status == 0, "\(check.output) \(check.errors)")
        #expect(check.output.contains("6 of 4 channels") && check.output.contains("mean by channel "))
        let five = try Command.run("data", "check", data, "-q", "--set", "data.channels=5", "--set", "data.shown=[]")
        #expect(five.status == 65 && five.output.contains("4 channels, where data.channels is 5"), "\(five.output)")

        let run = folder.file("run")
        let trained = try Command.run(
            "train", "--preset", "instant", "--genotype", "deeplabv3:3", "--data", data, "--output", run, "--set",
            "train.iterations=3", "-q", "--threads", "1")
        #expect(trained.status == 0, "\(trained.errors)")
        let image = "\(data)/rgb/test8.ppm+\(data)/nir/test8.pgm"
        let predicted = try Command.run(
            "predict", run, image, "--output", folder.file("masks"), "--overlay", "--no-legend", "-q", "--threads", "1")
        #expect(predicted.status == 0, "\(predicted.errors)")
        let overlay = try readImage(path: folder.file("masks/test8-overlay.png"))
        // Of the fourth channel: grey where nothing lies over it, and never the noise of the colours.
        #expect((overlay.width, overlay.height) == (width, height))
        let others = try Command.run(
            "predict", run, image, "--output", folder.file("others"), "--overlay", "--show", "0,1", "-q")
        #expect(others.status == 64 && others.errors.contains("--show"), "\(others.errors)")
        let evaluated = try Command.run("evaluate", run, "--split", "test", "-q", "--threads", "1")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(FileManager.default.fileExists(atPath: run + "/worst/1.png"))
        let inspected = try Command.run("inspect", run)
        #expect(inspected.status == 0 && inspected.output.contains(" of 4 channels"), "\(inspected.output)")

        let encoder = try Command.run(
            "train", "--preset", "instant", "--encoder", "efficientnet-lite0", "--data", data, "--output",
            folder.file("encoder"), "-q")
        #expect(
            encoder.status != 0
                && encoder.errors.contains("efficientnet-lite0 has learnt from 3 channels, and data.channels is 4")
        )
    }

    @Test("A plan is one from scratch, and says why")
    func plan() throws {
        let planned = try Command.run(
            "run", folder.file("data"), "--budget", "2min", "--output", folder.file("plan"), "--plan-only", "-q",
            "--threads", "1")
        #expect(planned.status == 0, "\(planned.errors)")
        let text = try folder.text("plan/plan.yaml")
        #expect(
            text.contains("trained encoders see 3 channels, and these images have 4") && text.contains("channels: 4"))
    }
}
