import Foundation
import Images
import Inference
import Segmentation
import Testing
import Torch

struct InferenceTests {
    private func image(width: Int, height: Int) -> Image {
        var stream = RandomStream(seed: 3)
        let pixels = (0..<width * height * 3).map { _ in UInt8(stream.below(256)) }
        return Image(width: width, height: height, pixels: pixels)
    }

    @Test(
        "images are padded to 32 n + 1, and what is padded is cut off",
        arguments: [(96, 128, 97, 129), (97, 129, 97, 129), (33, 34, 33, 65), (98, 1, 129, 1)])
    func padding(height: Int, width: Int, paddedHeight: Int, paddedWidth: Int) {
        let image = image(width: width, height: height)
        var seen: [Int] = []
        let scores = Predictor(scales: [1], flip: false, device: .cpu)(image) { images in
            seen = images.shape
            return images
        }
        #expect(seen == [1, 3, paddedHeight, paddedWidth])
        #expect(scores.shape == [1, 3, height, width])
        let wanted = Tensor(image.normalized(), shape: [1, height, width, 3]).permute([0, 3, 1, 2])
        #expect(scores.floats() == wanted.floats())
    }

    @Test("flip averages the probabilities of the image and of its mirror, turned back")
    func flip() {
        let image = image(width: 33, height: 33)
        // Scores that depend on the place, so that the mirror's differ.
        let ramp = Tensor((0..<33).map { Float($0) / 8 }, shape: [1, 1, 1, 33])
        let found = Predictor(scales: [1], flip: true, device: .cpu)(image) { $0 * ramp }
        let whole = Tensor(image.normalized(), shape: [1, 33, 33, 3]).permute([0, 3, 1, 2])
        let straight = (whole * ramp).softmax(1)
        let mirrored = (whole * ramp.flip([3])).softmax(1)
        let wanted = ((straight + mirrored) / 2).doubles()
        for (a, b) in zip(found.doubles(), wanted) { #expect(abs(a - b) < 1e-6) }
    }

    /// Bilinear resizing of one channel, pixels' centres at halves, written out.
    private func resized(_ x: [[Double]], _ height: Int, _ width: Int) -> [[Double]] {
        func places(_ length: Int, _ from: Int) -> [(low: Int, high: Int, share: Double)] {
            (0..<length).map { index in
                let place = max(0, (Double(index) + 0.5) * Double(from) / Double(length) - 0.5)
                let low = min(Int(place), from - 1)
                return (low, min(low + 1, from - 1), place - Double(low))
            }
        }
        return places(height, x.count).map { row in
            places(width, x[0].count).map { column in
                func between(_ line: [Double]) -> Double {
                    line[column.low] + (line[column.high] - line[column.low]) * column.share
                }
                return between(x[row.low]) + (between(x[row.high]) - between(x[row.low])) * row.share
            }
        }
    }

    @Test("several scales and mirrors, worked out: the mean of the probabilities, each brought to the image's size")
    func scales() {
        let (height, width, factor) = (9, 14, 2.5)
        let image = image(width: width, height: height)
        let planes = (0..<3).map { channel in
            (0..<height).map { y in
                (0..<width).map { 2 * Double(image.pixels[(y * width + $0) * 3 + channel]) / 255 - 1 }
            }
        }
        var wanted = [[[Double]]](
            repeating: [[Double]](repeating: [Double](repeating: 0, count: width), count: height), count: 3)
        for scale in [0.5, 1.5] {
            let (h, w) = (Int((9 * scale).rounded()), Int((14 * scale).rounded()))
            let scaled = planes.map { resized($0, h, w) }
            for mirrored in [false, true] {
                // The network doubles scores from the left to the right; a mirrored image meets it the other way round.
                func score(_ channel: Int, _ y: Int, _ x: Int) -> Double {
                    scaled[channel][y][x] * factor * Double(mirrored ? w - x : x + 1) / 8
                }
                let probabilities = (0..<3).map { channel in
                    (0..<h).map { y in
                        (0..<w).map { x in
                            exp(score(channel, y, x)) / (0..<3).reduce(0) { $0 + exp(score($1, y, x)) }
                        }
                    }
                }
                for channel in 0..<3 {
                    let full = resized(probabilities[channel], height, width)
                    for y in 0..<height { for x in 0..<width { wanted[channel][y][x] += full[y][x] / 4 } }
                }
            }
        }
        let found = Predictor(scales: [0.5, 1.5], flip: true, device: .cpu)(image) { images in
            let ramp = Tensor((0..<images.size(3)).map { Float($0 + 1) / 8 }, shape: [1, 1, 1, images.size(3)])
            return images * ramp * factor
        }
        #expect(found.shape == [1, 3, height, width])
        for (a, b) in zip(found.doubles(), wanted.joined().joined()) { #expect(abs(a - b) < 1e-5) }
    }
}
