import Foundation
import Images
import TestSupport
import Testing

/// The lines of the README about one's own images, on a data set of three classes.
@Suite("README")
struct ReadmeTests {
    /// What is put in the place of words in the README, and of numbers that would take minutes; all else stays.
    private static let substitutions = [
        ("IMAGE...", "DIR/images/test/0.png DIR/images/test/1.png"), ("DIR", "set"), ("=40", "=2"), ("=20", "=1"),
        ("--preset demo", "--preset demo --config small.yaml"),
        ("--budget 30min", "--budget 1min --config planned.yaml"),
    ]

    /// Over the preset: nothing that depends on a data set.
    private static let small = """
        search: {layers: 4, blocks: 2, filters: 2, crop: [33, 33]}
        train: {filters: 4, asppChannels: 8, decoderChannels: 8, lowLevelChannels: 4, epochs: 2, batch: 2, crop: [33, 33]}
        threads: 1

        """

    /// A plan of seconds.
    private static let planned = """
        search: {method: race, candidates: 1, layers: 4}
        train: {filters: 2, stemChannels: [4, 4, 8], asppChannels: 8, decoderChannels: 8, lowLevelChannels: 4,
          epochs: 2, batch: 2, crop: [33, 33]}
        threads: 1

        """

    /// The commands in the section, lines that end in a backslash joined, and the one that stands in the text.
    private func commands() throws -> [String] {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../README.md")
        let text = try String(contentsOf: url.standardizedFileURL, encoding: .utf8)
        let start = try #require(text.range(of: "\n## Your own images\n"))
        let end = try #require(text.range(of: "\n## ", range: start.upperBound..<text.endIndex))
        let section = text[start.upperBound..<end.lowerBound].replacingOccurrences(of: "\\\n", with: " ")
        let lines = section.components(separatedBy: "\n").filter { $0.hasPrefix("    autodeeplab ") }
        let inline = section.components(separatedBy: "`").filter { $0.hasPrefix("autodeeplab export") }
        return lines + inline
    }

    private func writeData(to root: String) throws {
        for (split, count) in [("train", 6), ("val", 2), ("test", 2)] {
            for kind in ["images", "masks"] {
                try FileManager.default.createDirectory(
                    atPath: "\(root)/\(kind)/\(split)", withIntermediateDirectories: true)
            }
            for number in 0..<count {
                // Three stripes, whose edges move from image to image.
                let labels = (0..<64 * 48).map { UInt8(min(2, ($0 % 64 + 5 * number) / 24)) }
                let mask = Mask(width: 64, height: 48, labels: labels)
                let colors = [Color(220, 40, 40), Color(40, 200, 40), Color(40, 40, 220)]
                try writePNG(mask.colored(palette: colors), to: "\(root)/images/\(split)/\(number).png")
                try writePNG(mask, palette: colors, to: "\(root)/masks/\(split)/\(number).png")
            }
        }
        try Data("left\nmiddle\nright\n".utf8).write(to: URL(fileURLWithPath: root + "/classes.txt"))
    }

    @Test("The lines for one's own images run as they stand, one after the other")
    func lines() throws {
        let folder = try TemporaryFolder()
        try writeData(to: folder.file("set"))
        _ = try folder.write(Self.small, to: "small.yaml")
        _ = try folder.write(Self.planned, to: "planned.yaml")
        let commands = try commands()
        let verbs = commands.map { String($0.split(separator: " ")[1]) }
        #expect(Set(verbs).isSuperset(of: ["run", "search", "train", "evaluate", "predict", "compare", "export"]))
        // Compared and exported is what was searched and trained before, wherever the README names it.
        for command in commands {
            let line = Self.substitutions.reduce(command) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            let arguments = line.split(separator: " ").dropFirst().map(String.init)
            let result = try Command.run(arguments, in: folder.path)
            #expect(result.status == 0, "\(line): \(result.errors)")
        }
        for file in ["runs/train/model.safetensors", "masks/0.png", "masks/1-overlay.png", "model.onnx"] {
            #expect(FileManager.default.fileExists(atPath: folder.file(file)), "\(file)")
        }
        #expect(try readMask(path: folder.file("masks/0.png")).width == 64)
    }
}
