import Images
import Inference
import Segmentation
import Testing
import Torch

@Suite("Sliding windows")
struct WindowTests {
    private func image(width: Int, height: Int) -> Image {
        var stream = RandomStream(seed: 9)
        return Image(
            width: width, height: height, pixels: (0..<width * height * 3).map { _ in UInt8(stream.below(256)) })
    }

    @Test("Windows reach from end to end without gaps, and their shares of each pixel add up to 1")
    func grid() {
        for length in 1...90 {
            for (side, overlap) in [(33, 0.25), (33, 0), (40, 0.5), (40, 0.9), (100, 0.25)] {
                let grid = WindowGrid(side: side, overlap: overlap, length: length)
                var sums = [Float](repeating: 0, count: length)
                for (index, start) in grid.starts.enumerated() {
                    for (pixel, share) in grid.shares(ofWindow: index).enumerated() { sums[start + pixel] += share }
                }
                #expect(sums.allSatisfy { abs($0 - 1) < 1e-6 }, "\(length) by \(side), \(overlap)")
                #expect(grid.starts == grid.starts.sorted() && Set(grid.starts).count == grid.starts.count)
            }
        }
    }

    @Test("A window as large as the image is the whole image, to the bit")
    func asLargeAsTheImage() {
        let image = image(width: 65, height: 50)
        // Scores that depend on all pixels, as a network's do.
        let network = { (x: Tensor) in x * x.mean([2, 3], keep: true) }
        for flip in [false, true] {
            let whole = Predictor(flip: flip, device: .cpu)
            var windows = whole
            windows.window = 65
            #expect(windows(image, network: network).floats() == whole(image, network: network).floats())
        }
    }

    @Test("Where each pixel is judged by itself, windows of any kind give the whole image's probabilities")
    func pixelwise() {
        let image = image(width: 150, height: 97)
        let whole = Predictor(device: .cpu)(image) { $0 }.softmax(1).doubles()
        for (window, overlap) in [(33, 0.25), (64, 0), (97, 0.5), (120, 0.9)] {
            var inference = Predictor(device: .cpu)
            (inference.window, inference.overlap) = (window, overlap)
            var largest = 0
            let found = inference(image) { images in
                largest = max(largest, images.size(2), images.size(3))
                return images
            }
            #expect(found.shape == [1, 3, 97, 150])
            let worst = zip(found.doubles(), whole).map { abs($0 - $1) }.max() ?? 1
            #expect(worst < 1e-6, "windows of \(window), \(overlap): \(worst)")
            // What the network sees is a window, padded to 32 n + 1.
            #expect(largest <= (window + 30) / 32 * 32 + 1)
        }
    }

    @Test("Strips are the same rows, one after another")
    func strips() {
        let image = image(width: 70, height: 150)
        var inference = Predictor(scales: [1, 1.5], flip: true, device: .cpu)
        (inference.window, inference.overlap) = (48, 0.5)
        let network = { (x: Tensor) in x * 3 }
        var rows = 0
        inference.map(of: image, network: network).forEachStrip { row, strip in
            #expect(strip.size(2) <= 48 && row == rows)
            rows += strip.size(2)
        }
        #expect(rows == 150)
    }

    @Test("Windows that see different things are blended by their nearness")
    func blending() {
        // A network whose scores say which window it looks at, by the image's first value.
        let image = Image(
            width: 60, height: 33,
            pixels: (0..<33).flatMap { _ in
                (0..<60).flatMap { x in [UInt8](repeating: x < 20 ? 0 : 255, count: 3) }
            })
        var inference = Predictor(device: .cpu)
        (inference.window, inference.overlap) = (40, 0.5)
        let found = inference(image) { images in
            let sign = images.narrow(2, start: 0, length: 1).narrow(3, start: 0, length: 1)
            return Tensor.zeros(images.shape) + sign * Tensor([40, 0, -40] as [Float], shape: [1, 3, 1, 1])
        }
        // The left window, which begins dark, is sure of class 2 and the right one of class 0.
        let right = found.select(1, 0).narrow(1, start: 0, length: 1).doubles()
        #expect(right.prefix(20).allSatisfy { $0 < 1e-6 } && right.suffix(20).allSatisfy { $0 > 1 - 1e-6 })
        #expect(zip(right, right.dropFirst()).allSatisfy { $0 <= $1 + 1e-6 })
        // Both see 20 to 39: at the middle they count alike.
        #expect(abs(right[29] + right[30] - 1) < 1e-5)
    }
}
