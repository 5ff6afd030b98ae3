import Foundation
import Images
import Inference
import Segmentation
import TestSupport
import Testing
import Torch

/// Maps whose rows are computed as they are asked for, against the whole maps of the engine.
@Suite("Maps of classes, some rows at a time")
struct ClassMapTests {
    private func image(width: Int, height: Int) -> Image {
        var stream = RandomStream(seed: 5)
        return Image(
            width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8(stream.below(256)) })
    }

    /// Scores at a quarter of the size, as the discrete network gives them.
    private func coarse(_ images: Tensor) -> Tensor {
        let quarter = averagePool2d(images, kernelSize: 3, stride: 4)
        return concatenate([quarter * 3, quarter.relu() * 2 - 1], dim: 1)
    }

    /// The same, brought to the images' size by the engine.
    private func fine(_ images: Tensor) -> Tensor {
        interpolateBilinear(coarse(images), height: images.size(2), width: images.size(3), alignCorners: true)
    }

    private func difference(_ a: Tensor, _ b: Tensor) -> Double {
        #expect(a.shape == b.shape)
        return zip(a.doubles(), b.doubles()).map { abs($0 - $1) }.max() ?? 0
    }

    @Test(
        "Small scores give what the engine makes of the whole",
        arguments: [(70, 41, 70, 41), (70, 41, 140, 99), (33, 65, 20, 31), (97, 98, 97, 300)])
    func resized(height: Int, width: Int, newHeight: Int, newWidth: Int) {
        let image = image(width: width, height: height)
        let inference = Predictor(device: .cpu)
        let whole = interpolateBilinear(
            inference(image, network: fine), height: newHeight, width: newWidth, alignCorners: false)
        let map = inference.map(of: image, network: coarse)
            .resized(height: newHeight, width: newWidth, alignCorners: false)
        #expect(difference(map.rows(0..<newHeight), whole) < 1e-5)
        // In pieces of any number of rows.
        for count in [1, 7] {
            var pieces: [Tensor] = []
            for start in stride(from: 0, to: newHeight, by: count) {
                pieces.append(map.rows(start..<min(start + count, newHeight)))
            }
            #expect(difference(concatenate(pieces, dim: 2), whole) < 1e-5)
        }
        #expect(difference(map.probabilities.rows(0..<newHeight), whole.softmax(1)) < 1e-5)
    }

    @Test("Scales, mirrors and windows of small scores are those of large ones")
    func everyWay() {
        let image = image(width: 120, height: 75)
        for (scales, flip, window) in [
            ([1.0], true, 0), ([0.5, 1.25], true, 0), ([1], false, 48), ([1, 1.5], true, 50),
        ] {
            var inference = Predictor(scales: scales, flip: flip, device: .cpu)
            (inference.window, inference.overlap) = (window, 0.4)
            let small = inference(image, network: coarse)
            #expect(difference(small, inference(image, network: fine)) < 1e-5, "\(scales) \(flip) \(window)")
        }
    }

    @Test("Windows, written out: the sum of their probabilities, each by its share")
    func windows() {
        let image = image(width: 100, height: 71)
        var inference = Predictor(device: .cpu)
        (inference.window, inference.overlap) = (33, 0.25)
        let rows = WindowGrid(side: 33, overlap: 0.25, length: 71)
        let columns = WindowGrid(side: 33, overlap: 0.25, length: 100)
        var wanted = [Double](repeating: 0, count: 6 * 71 * 100)
        for (row, top) in rows.starts.enumerated() {
            for (column, left) in columns.starts.enumerated() {
                let pixels = (top..<top + 33).flatMap { y in
                    (left..<left + 33).flatMap { x in (0..<3).map { image.pixels[(y * 100 + x) * 3 + $0] } }
                }
                let part = Image(width: 33, height: 33, pixels: pixels)
                let tensor = Tensor(part.normalized(), shape: [1, 33, 33, 3]).permute([0, 3, 1, 2])
                let values = fine(tensor).softmax(1).doubles()
                for (index, value) in values.enumerated() {
                    let (label, y, x) = (index / 1_089, index / 33 % 33, index % 33)
                    let share = Double(rows.shares(ofWindow: row)[y] * columns.shares(ofWindow: column)[x])
                    wanted[(label * 71 + top + y) * 100 + left + x] += value * share
                }
            }
        }
        var calls = 0
        let map = inference.map(of: image) { images in
            calls += 1
            return coarse(images)
        }
        var found: [Tensor] = []
        map.forEachStrip { row, strip in
            #expect(row == found.reduce(0) { $0 + $1.size(2) })
            // No strip reaches over more windows than lie over one another anyway.
            #expect(strip.size(2) <= 25)
            found.append(strip)
        }
        #expect(calls == rows.starts.count * columns.starts.count)
        let worst = zip(concatenate(found, dim: 2).doubles(), wanted).map { abs($0 - $1) }.max() ?? 1
        #expect(worst < 1e-5)
        let best = (0..<7_100).map { pixel in
            (0..<6).max { wanted[$0 * 7_100 + pixel] < wanted[$1 * 7_100 + pixel] }
        }
        let different = zip(inference.map(of: image, network: coarse).mask().labels, best).count { Int($0) != $1 }
        // Two classes may be equally strong but for rounding.
        #expect(different <= 7)
    }

    @Test("What is written strip by strip are the bytes of the whole")
    func planes() throws {
        let folder = try TemporaryFolder()
        let values = Tensor.uniform([3, 11, 5], from: 0, to: 1, generator: Generator(seed: 1))
        try values.saveNPY(to: folder.file("whole.npy"))
        try saveTensors(["p": values], to: folder.file("whole.safetensors"))
        for (format, name) in [(PlanesFile.Format.npy, "npy"), (.safetensors(name: "p"), "safetensors")] {
            let path = folder.file("strips." + name)
            let file = try PlanesFile(path: path, format: format, planes: 3, height: 11, width: 5)
            for (start, count) in [(0, 4), (4, 4), (8, 3)] {
                try file.write(values.narrow(1, start: start, length: count), from: start)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            try file.commit()
            let whole = FileManager.default.contents(atPath: folder.file("whole." + name))
            #expect(FileManager.default.contents(atPath: path) == whole)
        }
    }
}

@Suite("The memory of an image that is seen whole")
struct InferenceMemoryTests {
    private func window(
        _ width: Int, _ height: Int, classes: Int, scales: [Double] = [1], flip: Bool = false, window: Int = 0
    ) -> Int {
        var inference = Predictor(scales: scales, flip: flip, device: .cpu)
        inference.window = window
        _ = inference.boundMemory(width: width, height: height, classes: classes)
        return inference.window
    }

    @Test("Pixels, classes, scales and mirrors count")
    func bound() {
        #expect(window(3400, 2490, classes: 2) == 0)
        // 3400 * 2490 / 16 * 150 scores of 4 bytes are 0.3 GB; 12 times 0.9 of that are too many.
        #expect(window(3400, 2490, classes: 150) == 0)
        let scales = stride(from: 0.5, through: 1.75, by: 0.25).map { $0 }
        #expect(window(2200, 2200, classes: 150, scales: [0.5, 0.75, 1], flip: true) == 0)
        #expect(window(2900, 2900, classes: 255, scales: [0.5, 0.75, 1], flip: true) == 769)
        // 1.75 times 1700 are 2975, of which the square is above 8.5 million.
        #expect(window(1700, 1700, classes: 2, scales: scales) == 1_025)
        #expect(window(3000, 3000, classes: 2) == 1_025)
        #expect(window(25_000, 3_000, classes: 150) == 513)
        // What was asked for stays.
        #expect(window(3000, 3000, classes: 255, window: 2_049) == 2_049)
    }
}
