import Configurations
import Experiments
import Foundation
import Images
import Runs
import SearchSpace
import Segmentation
import TestSupport

/// Images of colours that are noise, and a fourth channel in a file of its own in which alone a class can be seen.
struct ChannelScenes {
    let temporary: TemporaryFolder
    /// Bits of a sample in the fourth channel's files.
    let bits: Int
    static let (width, height) = (48, 40)

    init(bits: Int = 8, train: Int = 16, val: Int = 4) throws {
        temporary = try TemporaryFolder()
        self.bits = bits
        try temporary.write("ground\nthing\n", to: "data/classes.txt")
        var random = RandomStream(seed: 77)
        for (split, count) in [("train", train), ("val", val)] {
            var (four, three): ([String], [String]) = ([], [])
            for index in 0..<count {
                let name = "\(split)\(index)"
                try writeScene(name, &random)
                four.append("rgb/\(name).png+nir/\(name).pgm masks/\(name).png")
                three.append("rgb/\(name).png masks/\(name).png")
            }
            try temporary.write(four.joined(separator: "\n"), to: "data/\(split).txt")
            try temporary.write(three.joined(separator: "\n"), to: "data/\(split)3.txt")
        }
    }

    private func writeScene(_ name: String, _ random: inout RandomStream) throws {
        let (width, height) = (Self.width, Self.height)
        var colors = Image(width: width, height: height)
        for index in colors.pixels.indices { colors.pixels[index] = UInt8(random.below(256)) }
        let (left, top) = (random.below(width - 20), random.below(height - 16))
        let (columns, rows) = (left..<left + 12 + random.below(8), top..<top + 10 + random.below(6))
        var mask = Mask(width: width, height: height, label: 0)
        var band = Array("P5 \(width) \(height) \(bits == 8 ? 255 : 65_535)\n".utf8)
        for y in 0..<height {
            for x in 0..<width {
                let isThing = columns.contains(x) && rows.contains(y)
                if isThing { mask[x, y] = 1 }
                // A narrow part of the values, which means and deviations spread.
                let value = (isThing ? 50 : 40) + random.below(4)
                band += bits == 8 ? [UInt8(value)] : [UInt8(value * 16 >> 8), UInt8(value * 16 & 255)]
            }
        }
        try writePNG(colors, to: temporary.place("data/rgb/\(name).png"))
        try writePNG(mask, palette: [], to: temporary.place("data/masks/\(name).png"))
        try temporary.write(band, to: "data/nir/\(name).pgm")
    }

    var data: String { temporary.file("data") }

    func folder(_ name: String) -> String { temporary.file(name) }

    /// The argument by which a validation image is predicted.
    func image(_ index: Int) -> String { "\(data)/rgb/val\(index).png+\(data)/nir/val\(index).pgm" }

    func configuration(_ settings: [String] = []) throws -> Configuration {
        var result = try Configuration.resolve(
            preset: "instant",
            overrides: [
                "threads=1", "data.format=list", "data.channels=4", "search.layers=2", "search.blocks=1",
                "train.optimizer=adamw", "train.learningRate=0.01", "train.iterations=8", "train.batch=4",
                "train.validationImages=0",
            ] + settings)
        result.data.root = data
        return result
    }

    /// Trains, or goes on, to the end or to where `watcher` stops it.
    func train(_ name: String, _ settings: [String] = [], resume: Bool = false, watcher: Watcher = Watcher()) throws {
        let folder = try RunFolder(at: folder(name), resume: resume)
        _ = try Training(
            resume ? nil : KnownDesign.deeplabv3.genotype(layers: 3), configuration(settings), folder: folder,
            reporter: watcher, interruption: watcher.interruption
        ).run()
    }

    /// The same of an encoder with random weights and a small decoder.
    func trainEncoder(
        _ name: String, _ settings: [String] = [], resume: Bool = false, watcher: Watcher = Watcher()
    ) throws {
        let encoder = [
            "train.encoder=efficientnet-lite0", "train.encoderWeights=none", "train.decoder=light",
            "train.lightChannels=8",
        ]
        _ = try Training(
            nil, configuration(encoder + settings), folder: RunFolder(at: folder(name), resume: resume),
            reporter: watcher, interruption: watcher.interruption
        ).run()
    }

    func checkpoint(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: folder(name) + "/checkpoints/last.safetensors"))
    }
}
