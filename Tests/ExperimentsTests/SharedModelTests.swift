import Foundation
import Images
import Inference
import Segmentation
import TestSupport
import Testing
import Torch

@Suite("A model in a process of one's own")
struct SharedModelTests {
    private func trained() throws -> (run: InstantRun, model: Model) {
        let run = try InstantRun(.train)
        try run.run("a", ["train.epochs=1"])
        return (run, try Model(at: run.folder("a")))
    }

    private func images(_ count: Int) -> [Image] {
        (0..<count).map { seed in
            var stream = RandomStream(seed: UInt64(seed))
            return Image(width: 60, height: 47, pixels: (0..<60 * 47 * 3).map { _ in UInt8(stream.below(256)) })
        }
    }

    @Test("Tasks that share it get what one gets alone")
    func tasks() async throws {
        let (_, model) = try trained()
        let images = images(8)
        let alone = images.map { model.segment($0) }
        let together = await withTaskGroup(of: (Int, Mask).self) { group in
            for (index, image) in images.enumerated() { group.addTask { (index, model.segment(image)) } }
            return await group.reduce(into: [Int: Mask]()) { $0[$1.0] = $1.1 }
        }
        for (index, mask) in alone.enumerated() {
            // Two classes may be equally strong but for rounding.
            let different = zip(mask.labels, together[index]?.labels ?? []).count { $0 != $1 }
            #expect(together[index]?.labels.count == mask.labels.count && different <= 3)
        }
    }

    @Test("Uploads are decoded in memory, within limits")
    func uploads() throws {
        let (run, model) = try trained()
        let path =
            run.data + "/images/val/"
            + (try #require(
                FileManager.default.contentsOfDirectory(atPath: run.data + "/images/val").sorted().first))
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let image = try readImage(data: data)
        let same = try readImage(path: path)
        #expect(image == same)
        #expect(model.segment(image).width == 48)
        // A slice of a larger upload begins elsewhere.
        #expect(try readImage(data: (Data([1, 2, 3]) + data).dropFirst(3)) == image)
        let many = failure { _ = try readImage(data: data, name: "u", limits: ReadLimits(fileBytes: 10)) }
        #expect(many == "u: has \(data.count) bytes, more than the limit of 10")
        let large = failure { _ = try readImage(data: data, name: "u", limits: ReadLimits(pixels: 100)) }
        #expect(large?.hasPrefix("u: ") == true)
        #expect(failure { _ = try readImage(data: Data(), name: "u") } == "u: is empty")
        #expect(failure { _ = try readImage(data: Data("text".utf8), name: "u") }?.hasPrefix("u: is ") == true)
    }

    @Test("Probabilities are plain numbers that agree with the mask")
    func probabilities() throws {
        let (_, model) = try trained()
        let image = images(1)[0]
        let mask = model.segment(image)
        let found = try model.probabilities(of: image)
        #expect(found.classes == 7 && found.height == 47 && found.width == 60 && found.values.count == 7 * 47 * 60)
        #expect(found.tensor().shape == [7, 47, 60])
        for (x, y) in [(0, 0), (59, 46), (17, 30)] {
            let values = (0..<7).map { found[$0, x: x, y: y] }
            #expect(abs(values.reduce(0, +) - 1) < 1e-5)
            #expect(values.max() == values[Int(mask.labels[y * 60 + x])])
            let whole = found.tensor().select(1, y).select(1, x).floats()
            #expect(whole == values)
        }
        let error = failure { _ = try model.probabilities(of: image, limit: 1_000) }
        #expect(
            error
                == "image: the probabilities of 7 classes at 60x47 pixels take 78960 bytes, more than the limit of 1000"
        )
    }
}
