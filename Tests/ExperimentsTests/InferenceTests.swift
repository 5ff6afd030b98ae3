import Experiments
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
        let scores = Inference(scales: [1], flip: false, device: .cpu)(image) { images in
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
        let found = Inference(scales: [1], flip: true, device: .cpu)(image) { $0 * ramp }
        let whole = Tensor(image.normalized(), shape: [1, 33, 33, 3]).permute([0, 3, 1, 2])
        let straight = (whole * ramp).softmax(1)
        let mirrored = (whole * ramp.flip([3])).softmax(1)
        let wanted = ((straight + mirrored) / 2).doubles()
        for (a, b) in zip(found.doubles(), wanted) { #expect(abs(a - b) < 1e-6) }
    }
}
