import Deployment
import Foundation
import Images
import Inference
import Runs
import TestSupport
import Testing
import Torch

/// Trainings on camera values of 12 bits in files of 16.
@Suite("Ranges of deep images")
struct KeptRangeTests {
    /// Exchanges the scenes for grey ones of 16 times their red, as 16-bit PGM.
    private func deepen(_ data: String) throws {
        for case let file as String in FileManager.default.enumerator(atPath: data + "/images") ?? .init()
        where file.hasSuffix(".png") {
            let path = data + "/images/" + file
            let image = try readImage(path: path)
            var bytes = Array("P5 \(image.width) \(image.height) 65535\n".utf8)
            for start in stride(from: 0, to: image.pixels.count, by: 3) {
                let value = Int(image.pixels[start]) * 16
                bytes.append(UInt8(value >> 8))
                bytes.append(UInt8(value & 255))
            }
            try FileManager.default.removeItem(atPath: path)
            try Data(bytes).write(to: URL(fileURLWithPath: path.dropLast(4) + ".pgm"))
        }
    }

    @Test("The range is found, told, kept with the model and in the checkpoint, and used by predictions")
    func keptRange() throws {
        let instant = try InstantRun(.train)
        try deepen(instant.data)
        let watcher = Watcher(stopAfter: 2)
        #expect(throws: (any Error).self) {
            try instant.run("a", ["train.iterations=4", "train.filters=4"], watcher: watcher)
        }
        #expect(watcher.noted.contains { $0.contains("20 of 20 images") && $0.contains("0 to 4095 becomes black") })
        let images = instant.data + "/images/"
        // A brighter image that comes later does not change what the network learnt by.
        try Data(Array("P5 48 40 65535\n".utf8) + [UInt8](repeating: 255, count: 48 * 40 * 2))
            .write(to: URL(fileURLWithPath: images + "train/0000.pgm"))
        let again = Watcher()
        try instant.run("a", ["train.iterations=4", "train.filters=4"], resume: true, watcher: again)
        #expect(!again.noted.contains { $0.contains("becomes black") })
        let model = try Model(at: instant.folder("a"))
        let range = try #require(ValueRange(low: 0, high: 4_095))
        #expect(model.range == range)

        let result = try predict(
            model, inputs: [images + "val/0000.pgm"], output: instant.folder("masks"), reporter: SilentReporter())
        let expected = model.segment(try readImage(path: images + "val/0000.pgm", range: range))
        #expect(try readMask(path: result.masks[0]) == expected)
        // Without a range the same file is nearly black, which is said.
        model.range = nil
        let dark = Watcher()
        _ = try predict(model, inputs: [images + "val/0000.pgm"], output: instant.folder("dark"), reporter: dark)
        #expect(dark.noted.contains { $0.contains("16 bits a sample, of which the upper 8 are read") })
    }

    @Test("A range that is given is used, and models that tell none have none")
    func givenRange() throws {
        let instant = try InstantRun(.train)
        let settings = ["train.iterations=1", "train.filters=4"]
        try instant.run("plain", settings)
        #expect(try Model(at: instant.folder("plain")).range == nil)
        try deepen(instant.data)
        let watcher = Watcher()
        try instant.run("given", settings + ["data.range=[100, 3000]"], watcher: watcher)
        #expect(try Model(at: instant.folder("given")).range == ValueRange(low: 100, high: 3_000))
        #expect(!watcher.noted.contains { $0.contains("becomes black") })
        #expect(failure { _ = try instant.configuration(["data.range=[9, 9]"]) }?.contains("low below high") == true)

        let (tensors, metadata) = try loadTensors(instant.folder("given") + "/model.safetensors")
        var damaged = metadata.filter { ["genotype", "configuration", "classes", "resize"].contains($0.key) }
        damaged["range"] = "{\"low\": 5, \"high\": 99999}"
        let path = instant.folder("damaged.safetensors")
        try saveTensors(tensors, metadata: damaged, to: path)
        #expect(failure { _ = try Model(at: path) }?.contains("`range` holds no values") == true)
    }
}
