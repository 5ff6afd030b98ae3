import Datasets
import Foundation
import Images
import Segmentation
import TestSupport
import Testing

/// Crops of images of other than 3 channels.
@Suite struct ChannelAugmentationTests {
    private let halves = ChannelNormalization.unmeasured(channels: 5)

    private func render(
        _ augmentation: Augmentation, _ choice: Augmentation.Choice, _ image: Image, _ mask: Mask,
        _ normalization: ChannelNormalization
    ) -> (pixels: [Float], labels: [UInt8]) {
        let area = augmentation.cropHeight * augmentation.cropWidth
        var pixels = [Float](repeating: .nan, count: area * image.channels)
        var labels = [UInt8](repeating: 77, count: area)
        pixels.withUnsafeMutableBufferPointer { pixels in
            labels.withUnsafeMutableBufferPointer { labels in
                if let pixels = pixels.baseAddress, let labels = labels.baseAddress {
                    augmentation.render(
                        choice, image: image, mask: mask, normalization: normalization, pixels: pixels, labels: labels)
                }
            }
        }
        return (pixels, labels)
    }

    /// A random image of colours, and one of five channels: the colours with two more between them.
    private func images(_ random: inout RandomStream) -> (colors: Image, five: Image, mask: Mask) {
        let (width, height) = (2 + random.below(30), 2 + random.below(30))
        var colors = Image(width: width, height: height)
        for index in colors.pixels.indices { colors.pixels[index] = UInt8(random.below(256)) }
        let pixels = (0..<width * height).flatMap { pixel -> [UInt8] in
            let start = pixel * 3
            return [
                colors.pixels[start], UInt8(random.below(256)), colors.pixels[start + 1], colors.pixels[start + 2],
                colors.pixels[start],
            ]
        }
        let mask = Mask(width: width, height: height, labels: (0..<width * height).map { UInt8($0 % 7) })
        return (colors, Image(width: width, height: height, channels: 5, pixels: pixels), mask)
    }

    private func channels(_ places: [Int], _ pixels: [Float]) -> [Float] {
        stride(from: 0, to: pixels.count, by: 5).flatMap { start in places.map { pixels[start + $0] } }
    }

    @Test func geometryAndBlurAreThoseOfColors() {
        var random = RandomStream(seed: 31)
        for round in 0..<60 {
            let (colors, five, mask) = images(&random)
            var augmentation = Augmentation(
                cropHeight: 1 + random.below(30), cropWidth: 1 + random.below(30), scales: [0.5, 1, 1.75])
            if round % 2 == 1 { augmentation.rotation = 180 }
            if round % 3 == 1 { augmentation.blur = 2 }
            let choice = augmentation.choose(for: mask, random: &random)
            let expected = render(augmentation, choice, colors, mask, .color)
            let found = render(augmentation, choice, five, mask, halves)
            #expect(channels([0, 2, 3], found.pixels) == expected.pixels, "round \(round)")
            #expect(channels([4, 2, 3], found.pixels) == expected.pixels && found.labels == expected.labels)
        }
    }

    @Test func brightnessAndContrastAreThoseOfColors() {
        var random = RandomStream(seed: 32)
        for round in 0..<40 {
            let (colors, five, mask) = images(&random)
            var augmentation = Augmentation(cropHeight: 20, cropWidth: 20)
            (augmentation.color.brightness, augmentation.color.contrast) = (0.5, 0.5)
            if round % 2 == 1 { augmentation.rotation = 30 }
            let choice = augmentation.choose(for: mask, random: &random)
            let expected = render(augmentation, choice, colors, mask, .color).pixels
            let found = channels([0, 2, 3], render(augmentation, choice, five, mask, halves).pixels)
            // What is padded stays the mean where colours are not changed.
            for (one, other) in zip(found, expected) where other != 0 { #expect(abs(one - other) < 1e-5) }
        }
    }

    /// One pixel: b (mean + c (x - mean)), kept within 0 to 255, then by mean and deviation.
    @Test func colorChangesByHand() throws {
        let own = try #require(ChannelNormalization(means: [100, 50], deviations: [20, 5]))
        let image = Image(width: 1, height: 1, channels: 2, pixels: [120, 60])
        let mask = Mask(width: 1, height: 1, label: 0)
        var augmentation = Augmentation(cropHeight: 1, cropWidth: 1, flip: false)
        (augmentation.color.brightness, augmentation.color.contrast) = (0.9, 0.9)
        for seed in 0..<50 {
            var random = RandomStream(seed: UInt64(seed))
            let choice = augmentation.choose(for: mask, random: &random)
            // The draws come in this order behind the four of the place.
            var again = RandomStream(seed: UInt64(seed))
            _ = augmentation.choose(height: 1, width: 1, random: &again)
            let brightness = 1 + again.uniform(-0.9, 0.9)
            let contrast = 1 + again.uniform(-0.9, 0.9)
            let found = render(augmentation, choice, image, mask, own).pixels
            for (channel, (byte, mean, deviation)) in [(120.0, 100.0, 20.0), (60, 50, 5)].enumerated() {
                let changed = min(max(brightness * (mean + contrast * (byte - mean)), 0), 255)
                #expect(abs(Double(found[channel]) - (changed - mean) / deviation) < 1e-4, "seed \(seed)")
            }
        }
    }

    @Test func batchesAreNormalizedAndPaddedByTheMean() throws {
        let folder = try TemporaryFolder()
        try folder.write("a\nb\nc\nd\ne\n", to: "classes.txt")
        for index in 0..<3 {
            try folder.writeSample(
                image: "rgb/\(index).png", mask: "masks/\(index).png", width: 12, height: 10, mark: UInt8(index))
            try folder.write(Array("P5 12 10 255\n".utf8) + (0..<120).map { UInt8($0) }, to: "nir/\(index).pgm")
        }
        let lines = (0..<3).map { "rgb/\($0).png+nir/\($0).pgm masks/\($0).png" }
        try folder.write(lines.joined(separator: "\n"), to: "train.txt")
        var options = DatasetOptions()
        options.channels = 4
        let dataset = try Dataset(root: folder.path, layout: .list, options: options)
        let samples = try dataset.samples(.train)
        let own = try ChannelNormalization.measured(on: samples, reader: dataset.reader(), workers: 1)
        let loader = try BatchLoader(
            samples: samples, reader: dataset.reader(normalization: own),
            augmentation: Augmentation(cropHeight: 10, cropWidth: 16, flip: false),
            options: .init(batchSize: 3, seed: 1))
        let batch = try loader.next()
        #expect(batch.channels == 4 && batch.images.count == 3 * 10 * 16 * 4)
        var (sums, inside) = ([Double](repeating: 0, count: 4), 0)
        for (pixel, label) in batch.labels.enumerated() {
            let values = batch.images[pixel * 4..<pixel * 4 + 4]
            if label == Mask.ignored {
                #expect(values.allSatisfy { $0 == 0 })
            } else {
                inside += 1
                for (channel, value) in values.enumerated() { sums[channel] += Double(value) }
            }
        }
        // All pixels of all images are in the batch, so that their mean is 0.
        #expect(inside == 360 && sums.allSatisfy { abs($0 / 360) < 1e-5 }, "\(sums)")
    }
}
